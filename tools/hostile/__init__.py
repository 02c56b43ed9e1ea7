"""An arena on loopback: a node under attack, its honest neighbour with newcomers, and an attacker, a process each."""
