# Congestion control behind one interface. Windows are bytes; a segment may be 64 KiB.

from libc.stdint cimport uint64_t

cdef class Congestion:
    cdef uint64_t cwnd          # congestion window
    cdef uint64_t ssthresh      # slow start threshold
    cdef uint64_t mss
    cdef uint64_t _saved_cwnd
    cdef uint64_t _saved_ssthresh
    # `mss` is known, or changed by path MTU discovery.
    cdef void segment_size(self, uint64_t mss) noexcept
    # `acked` new bytes outside of loss recovery; `limited`: the window was what kept us from sending more.
    cdef void acked(self, uint64_t acked, bint limited, uint64_t rtt, uint64_t now) noexcept
    # A loss was found by duplicate or selective ACKs, once for each window.
    cdef void lost(self, uint64_t in_flight, uint64_t now) noexcept
    # Every byte lost was repaired.
    cdef void recovered(self, uint64_t in_flight, uint64_t now) noexcept
    # The retransmission timer expired (`first`: not a repeat for the same data).
    cdef void timed_out(self, uint64_t in_flight, bint first, uint64_t now) noexcept
    # The last `lost` or `timed_out` turned out to be no loss.
    cdef void undo(self) noexcept
    cdef void _save(self) noexcept

cdef Congestion make_congestion(str name)
