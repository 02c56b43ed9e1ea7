from ygg_c.timerheap import Timed

class TimeWaits(Timed):
    """The places of a stack's connections in TIME-WAIT."""
