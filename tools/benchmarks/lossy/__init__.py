"""TCP over simulated links, in virtual time: goodput, copies, timeouts and fairness for a grid of them."""
