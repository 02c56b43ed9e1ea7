from ygg_c.base.timers import Timed

class HalfOpens(Timed):
    """The connections of a stack that wait for the ACK that completes their handshake."""
