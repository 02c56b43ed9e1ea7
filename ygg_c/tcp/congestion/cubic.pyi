from ygg_c.tcp.congestion.base import Congestion

class Cubic(Congestion):
    """The window follows a cubic curve in time (RFC 9438) after a slow start with HyStart++ (RFC 9406)."""
