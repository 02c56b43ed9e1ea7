"""CUBIC congestion control with HyStart++."""

from libc.math cimport cbrt
from libc.string cimport memset

from ygg_c.tcp.congestion.base cimport NO_THRESHOLD
from ygg_c.tcp.congestion.hystart cimport hystart_acked

cdef extern from *:
    """
    #define YGG_CUBIC_C 0.4             /* segments/s³ */
    #define YGG_CUBIC_BETA 0.7
    #define YGG_CUBIC_ECN_BETA 0.85     /* in congestion avoidance (RFC 8511) */
    """
    const double C "YGG_CUBIC_C"
    const double BETA "YGG_CUBIC_BETA"
    const double ECN_BETA "YGG_CUBIC_ECN_BETA"

cdef enum:
    MOST_SEGMENTS = 8           # "L" of RFC 9406, 4.3


cdef class Cubic(Congestion):
    """The window follows a cubic curve in time (RFC 9438) after a slow start with HyStart++ (RFC 9406)."""

    name = "cubic"

    def __cinit__(self):
        self.most_segments = MOST_SEGMENTS

    cdef void segment_size(self, uint64_t mss) noexcept:
        if mss != self.mss:
            self._curve.epoch = 0       # a curve is of segments of one size
        Congestion.segment_size(self, mss)

    cdef void acked(self, const Acked *ack) noexcept:
        cdef uint64_t divisor = 1
        cdef uint64_t rest
        if not ack.cwnd_limited:
            # Time in which the window was not used does not count (RFC 9438, 4.2).
            if self._curve.epoch and self._seen:
                self._curve.epoch += ack.now - self._seen
            self._seen = ack.now
            return
        if self.ssthresh == NO_THRESHOLD:
            divisor = hystart_acked(&self._past.slow_start, ack)
            if divisor == 0:
                self.ssthresh = self.cwnd
        rest = self._slow_start(ack, max(divisor, <uint64_t>1))
        if rest and divisor:
            self._avoid(ack, rest)
        self._seen = ack.now

    cdef void _avoid(self, const Acked *ack, uint64_t size) noexcept:
        cdef double cwnd = self.cwnd + self._part
        cdef double alpha = 3 * (1 - BETA) / (1 + BETA) if self._curve.estimate < self._curve.prior else 1
        cdef double elapsed, target
        if self._curve.epoch == 0:
            self._begin(ack.now)
        elapsed = (ack.now - self._curve.epoch) * 1e-9
        self._curve.estimate += alpha * self.mss * size / cwnd
        if self._at(elapsed) < self._curve.estimate:
            cwnd = max(cwnd, self._curve.estimate)
        else:
            target = min(max(self._at(elapsed + ack.srtt * 1e-9), cwnd), 1.5 * cwnd)
            cwnd += (target - cwnd) * min(1.0, size / cwnd)
        self.cwnd = <uint64_t>cwnd
        self._part = cwnd - self.cwnd

    cdef double _at(self, double seconds) noexcept:
        cdef double distance = seconds - self._curve.k
        return C * self.mss * distance * distance * distance + self._curve.peak

    cdef void _begin(self, uint64_t now) noexcept:
        # An epoch: the curve starts at the window there is now.
        cdef double cwnd = self.cwnd
        self._curve.epoch = now
        self._curve.estimate = cwnd
        if self._timed_out or self._curve.peak < cwnd:
            self._curve.peak = cwnd
        self._timed_out = False
        self._curve.k = cbrt((self._curve.peak - cwnd) / (C * self.mss))

    cdef void _reduce(self, uint64_t in_flight, double keep) noexcept:
        cdef double cwnd = self.cwnd
        # Fast convergence: who loses before the former peak leaves room to newcomers (RFC 9438, 4.7).
        self._curve.peak = cwnd * (1 + keep) / 2 if cwnd < self._curve.peak else cwnd
        self._curve.prior = cwnd
        self._curve.epoch = 0
        self._part = 0
        self.ssthresh = max(<uint64_t>(self._used(in_flight) * keep), 2 * self.mss)

    cdef void lost(self, uint64_t size, uint64_t in_flight, uint64_t now) noexcept:
        self._past.before.cwnd, self._past.before.ssthresh = self.cwnd, self.ssthresh
        self._past.before.curve = self._curve
        self._undoable = True
        self._reduce(in_flight, BETA)

    cdef void timed_out(self, uint64_t in_flight, bint first, uint64_t now) noexcept:
        if first:
            self.lost(0, in_flight, now)
        self._timed_out = True
        self._curve.epoch = 0
        self._part = 0
        self.cwnd = self.mss

    cdef void ecn(self, uint64_t in_flight, uint64_t now) noexcept:
        self._reduce(in_flight, BETA if self.cwnd < self.ssthresh else ECN_BETA)
        self._undoable = False
        self.cwnd = min(self.cwnd, self.ssthresh)

    cdef void undone(self, uint64_t now) noexcept:
        cdef Before before = self._past.before
        if not self._undoable:
            return
        self.cwnd = max(self.cwnd, before.cwnd)
        self.ssthresh = before.ssthresh
        self._curve = before.curve
        self._undoable = self._timed_out = False
        if self.ssthresh == NO_THRESHOLD:
            memset(&self._past, 0, sizeof(Past))        # slow start goes on, and looks at round trips anew

    cdef void idle(self, uint64_t duration, uint64_t rto, uint64_t now) noexcept:
        if duration >= rto:
            self._curve.epoch = 0
            self._part = 0
        elif self._curve.epoch:
            self._curve.epoch = min(self._curve.epoch + duration, now)
        self._seen = 0
        Congestion.idle(self, duration, rto, now)

    cdef void follow(self, Congestion other) noexcept:
        Congestion.follow(self, other)
        memset(&self._curve, 0, sizeof(self._curve))

    cdef dict info(self):
        return {"w_max": self._curve.peak, "k": self._curve.k, "w_est": self._curve.estimate,
                "css": self.ssthresh == NO_THRESHOLD and self._past.slow_start.baseline > 0}
