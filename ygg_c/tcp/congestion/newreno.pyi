from ygg_c.tcp.congestion.base import Congestion

class NewReno(Congestion):
    """Half the window for each loss, a segment more for each round trip without one (RFC 5681, RFC 6582, RFC 3465)."""
