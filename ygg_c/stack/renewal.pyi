from ygg_c.base.timers import Timed

class Renewed:
    """A peer that made a new session."""

class Peers:
    """Such peers, by their address and by their subnet."""

class Renewals(Timed):
    """Asks the connections of such peers, in bounded steps."""
