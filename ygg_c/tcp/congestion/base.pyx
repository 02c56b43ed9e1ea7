"""Congestion control: the interface, and what algorithms with a slow start have in common."""

cdef enum:
    INITIAL_BYTES = 14600
    MOST_SEGMENTS = 2


cdef class Congestion:
    """Says how much may be in the network, and how fast it may leave. An algorithm derives from it."""

    name = ""

    def __cinit__(self):
        self.ssthresh = NO_THRESHOLD
        self.initial = INITIAL_SEGMENTS
        self.most_segments = MOST_SEGMENTS

    cdef void segment_size(self, uint64_t mss) noexcept:
        cdef bint first = self.mss == 0
        self.mss = mss
        self.cwnd = self._initial_window() if first else max(self.cwnd, mss)

    cdef void start(self, uint64_t segments) noexcept:
        self.initial = <uint32_t>segments
        if self.mss:
            self.cwnd = self._initial_window()

    cdef uint64_t _initial_window(self) noexcept:
        return min(self.initial * self.mss, self.burst())

    cdef uint64_t burst(self) noexcept:
        # RFC 6928: ten segments, but no more than 14600 bytes or two segments.
        return min(INITIAL_SEGMENTS * self.mss, max(2 * self.mss, <uint64_t>INITIAL_BYTES))

    cdef void sent(self, uint64_t now, uint64_t size, uint64_t in_flight) noexcept:
        pass

    cdef void acked(self, const Acked *ack) noexcept:
        pass

    cdef void lost(self, uint64_t size, uint64_t in_flight, uint64_t now) noexcept:
        pass

    cdef void recovered(self, uint64_t in_flight, uint64_t now) noexcept:
        # Without a burst, whatever the last ACK of the recovery has freed (RFC 6582, 3.2, step 3, option 1).
        self.cwnd = self.ssthresh if self.paced else min(self.ssthresh, max(in_flight, self.mss) + self.mss)

    cdef void timed_out(self, uint64_t in_flight, bint first, uint64_t now) noexcept:
        pass

    cdef void ecn(self, uint64_t in_flight, uint64_t now) noexcept:
        pass

    cdef void undone(self, uint64_t now) noexcept:
        pass

    cdef void idle(self, uint64_t duration, uint64_t rto, uint64_t now) noexcept:
        # RFC 2861: the window is half as good after each timeout without use, and what it was remains the threshold.
        cdef uint64_t least = min(self._initial_window(), self.cwnd)
        if duration < rto or rto == 0:
            return
        self.ssthresh = max(self.ssthresh, self.cwnd // 4 * 3)
        self.cwnd = max(self.cwnd >> min(duration // rto, <uint64_t>62), least)

    cdef void follow(self, Congestion other) noexcept:
        self.initial, self.mss = other.initial, other.mss
        self.cwnd, self.ssthresh = other.cwnd, other.ssthresh

    cdef dict info(self):
        return {}

    cdef uint64_t _used(self, uint64_t in_flight) noexcept:
        # What is left of a window when no further segment fits in is no less in use.
        return self.cwnd if in_flight + self.mss > self.cwnd else in_flight

    cdef uint64_t _slow_start(self, const Acked *ack, uint64_t divisor) noexcept:
        cdef uint64_t most = self.mss * (1 if ack.after_timeout else self.most_segments)
        cdef uint64_t growth
        if self.cwnd >= self.ssthresh:
            return ack.bytes
        growth = min(min(ack.bytes, most) // divisor, self.ssthresh - self.cwnd)
        self.cwnd += growth
        return ack.bytes - growth if self.cwnd >= self.ssthresh else 0
