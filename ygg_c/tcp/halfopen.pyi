from ygg_c.timerheap import Timed

class HalfOpens(Timed):
    """The connections of a stack that wait for the ACK that completes their handshake."""
