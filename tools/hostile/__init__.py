"""An arena: a node under attack, an honest neighbour of it, newcomers, and an attacker, each a process of its own on loopback."""
