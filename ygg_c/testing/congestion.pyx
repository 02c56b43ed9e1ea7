"""An algorithm with Python in the sender's place, for simulations and tests."""

from libc.stdint cimport uint64_t
from libc.string cimport memset

from ygg_c.tcp.congestion.base cimport INITIAL_SEGMENTS, Acked, Congestion
from ygg_c.tcp.congestion.registry cimport make_congestion


cdef class CongestionTap:
    """One connection's congestion control, told by Python what happens. Sizes are bytes, times ns."""

    cdef Congestion _it

    def __init__(self, name, uint64_t mss, uint64_t segments=INITIAL_SEGMENTS):
        self._it = make_congestion(name)
        self._it.start(segments)
        self._it.segment_size(mss)

    @property
    def cwnd(self):
        return self._it.cwnd

    @cwnd.setter
    def cwnd(self, uint64_t value):
        self._it.cwnd = value

    @property
    def ssthresh(self):
        return self._it.ssthresh

    @property
    def pacing_rate(self):
        return self._it.pacing_rate

    def info(self):
        """Return the algorithm's own figures."""
        return self._it.info()

    def segment_size(self, uint64_t mss):
        """Tell a new segment size."""
        self._it.segment_size(mss)

    def start(self, uint64_t segments):
        """Tell the size of the first window."""
        self._it.start(segments)

    def sent(self, uint64_t now, uint64_t size, uint64_t in_flight):
        """Tell that a segment left."""
        self._it.sent(now, size, in_flight)

    def acked(self, uint64_t now, uint64_t size, *, uint64_t in_flight=0, uint64_t rtt=0, uint64_t srtt=0,
              uint64_t una=0, uint64_t nxt=0, uint64_t rate=0, bint app_limited=False, bint cwnd_limited=True,
              bint after_timeout=False):
        """Tell an ACK."""
        cdef Acked ack
        memset(&ack, 0, sizeof(ack))
        ack.now, ack.bytes, ack.in_flight, ack.prior_in_flight = now, size, in_flight, in_flight + size
        ack.rtt, ack.srtt, ack.least_rtt, ack.una, ack.nxt, ack.rate = rtt, srtt or rtt, rtt, una, nxt, rate
        ack.app_limited, ack.cwnd_limited, ack.after_timeout = app_limited, cwnd_limited, after_timeout
        self._it.acked(&ack)

    def lost(self, uint64_t size, uint64_t in_flight, uint64_t now):
        """Tell the start of a loss event."""
        self._it.lost(size, in_flight, now)

    def recovered(self, uint64_t in_flight, uint64_t now):
        """Tell its end."""
        self._it.recovered(in_flight, now)

    def timed_out(self, uint64_t in_flight, bint first, uint64_t now):
        """Tell that the retransmission timer expired."""
        self._it.timed_out(in_flight, first, now)

    def ecn(self, uint64_t in_flight, uint64_t now):
        """Tell that the path has marked a packet."""
        self._it.ecn(in_flight, now)

    def undone(self, uint64_t now):
        """Tell that the last loss was none."""
        self._it.undone(now)

    def idle(self, uint64_t duration, uint64_t rto, uint64_t now):
        """Tell that something leaves after a pause."""
        self._it.idle(duration, rto, now)

    def follow(self, CongestionTap other not None):
        """Have it go on where another algorithm was."""
        self._it.follow(other._it)
