"""When slow start ends: HyStart++ (RFC 9406)."""

from libc.stdint cimport uint64_t

from ygg_c.base.clock cimport MS

cdef enum:
    MIN_SAMPLES = 8
    RISE_DIVISOR = 8
    CSS_ROUNDS = 5

cdef uint64_t MIN_RISE = 4 * MS
cdef uint64_t MAX_RISE = 16 * MS


cdef uint64_t hystart_acked(HyStart *state, const Acked *ack) noexcept:
    if state.round_end == 0:
        state.round_end = ack.nxt
    if ack.rtt:
        state.least = min(state.least, ack.rtt) if state.samples else ack.rtt
        state.samples += 1
        if state.samples >= MIN_SAMPLES:
            _judge(state)
    if ack.una >= state.round_end:
        state.css_rounds = state.css_rounds + 1 if state.baseline else 0
        state.last_least = state.least if state.samples else 0
        state.samples = 0
        state.round_end = ack.nxt
    if state.css_rounds >= CSS_ROUNDS:
        return 0
    return CSS_DIVISOR if state.baseline else 1


cdef void _judge(HyStart *state) noexcept:
    # Whether round trips have grown, or have fallen again.
    cdef uint64_t rise
    if state.baseline:
        if state.least < state.baseline:
            state.baseline = state.css_rounds = 0
    elif state.last_least:
        rise = max(MIN_RISE, min(state.last_least // RISE_DIVISOR, MAX_RISE))
        if state.least >= state.last_least + rise:
            state.baseline = state.least
