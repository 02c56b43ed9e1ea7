from ygg_c.base.timers import Timed

class TimeWaits(Timed):
    """The places of a stack's connections in TIME-WAIT."""
