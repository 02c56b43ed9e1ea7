"""How fast a link drains; see drain.pxd."""

from ygg_c.base.clock cimport MS, NEVER, SECOND
from ygg_c.ip.layer cimport BURST_MOST, CREDIT_WINDOW

cdef enum:
    UNSENT_LEAST = 2048             # the kernel must have something to send when an acknowledgement comes
    FIRST_RATE = 2000000
    # from which on packets are sealed before there is room for them, to work in larger batches
    AHEAD_RATE = 6250000
    RATE_MOST = 1000000000
    ABSORBED = 262144               # bytes that a slow link too may take at once after a pause: they are no new rate
    SMOOTH = 4
    SLACK_STEP = 2000               # µs
    SLACK_MOST = 30000
    SLACK_EBB = 64
    WINDOW = 20                     # ms of one measurement


# Times whose worth of bytes each limit is, in µs.
cdef enum:
    FLIGHT_TIME = 2500
    UNSENT_TIME = 4000
    CREDIT_TIME = 5000
    BURST_TIME = 10000
    LEAST_TIME = 40000              # of BURST_LEAST, or that is less too


cdef inline size_t _worth(uint64_t rate, uint64_t time, size_t least, size_t most) noexcept nogil:
    return max(least, min(<size_t>(rate * time // 1000000), most))


cdef void _set_rate(Drain *drain, uint64_t rate) noexcept:
    drain.rate = max(<uint64_t>1, min(rate, <uint64_t>RATE_MOST))
    drain.flight = _worth(drain.rate, FLIGHT_TIME, 1, FLIGHT_MOST)
    drain.unsent = _worth(drain.rate, UNSENT_TIME + drain.slack, UNSENT_LEAST, UNSENT_MOST)
    drain.ahead = _worth(drain.rate, CREDIT_TIME, 1, CREDIT_WINDOW) if drain.rate >= AHEAD_RATE else 0
    drain.credit = max(drain.flight, drain.ahead)
    drain.burst = _worth(drain.rate, BURST_TIME, _worth(drain.rate, LEAST_TIME, SMALLEST, BURST_LEAST), BURST_MOST)


cdef void drain_init(Drain *drain) noexcept:
    drain.guessed = True
    drain.full_at = NEVER
    drain.slack = 0
    drain.dry = False
    drain.bytes = drain.burst_at = drain.burst_bytes = 0
    _set_rate(drain, FIRST_RATE)


cdef void drain_took(Drain *drain, size_t count, bint full, uint64_t now) noexcept:
    drain.bytes += count
    if full:
        drain.burst_bytes = 0
        return
    if now - drain.burst_at > MS:
        drain.burst_at = now
        drain.burst_bytes = 0
    drain.burst_bytes += count
    if drain.burst_bytes >= 2 * (drain.flight if drain.guessed else max(drain.flight, <size_t>ABSORBED)):
        drain.burst_bytes = 0
        drain.guessed = True
        _set_rate(drain, 2 * drain.rate)


cdef void drain_ran_dry(Drain *drain) noexcept:
    drain.dry = True
    drain.slack = min(drain.slack + SLACK_STEP, <uint64_t>SLACK_MOST)
    _set_rate(drain, drain.rate)


cdef void drain_flushed(Drain *drain, bint full, uint64_t now) noexcept:
    if not full:
        drain.full_at = NEVER
    elif drain.full_at == NEVER:
        _begin(drain, now)
    elif now - drain.full_at >= WINDOW * MS:
        _measure(drain, <uint64_t>(<double>drain.bytes * SECOND / (now - drain.full_at)))
        _begin(drain, now)


cdef void _begin(Drain *drain, uint64_t now) noexcept:
    drain.full_at = now
    drain.bytes = 0
    drain.dry = False


cdef void _measure(Drain *drain, uint64_t sample) noexcept:
    # A transport that ran dry would have taken more.
    if drain.dry and sample <= drain.rate:
        return
    if not drain.guessed:
        sample = (sample + (SMOOTH - 1) * drain.rate) // SMOOTH
    drain.guessed = False
    drain.slack -= drain.slack // SLACK_EBB
    _set_rate(drain, sample)
