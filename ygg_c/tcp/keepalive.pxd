# Probes of an idle connection (RFC 9293, 3.8.4): keepalive, and the few that ask a peer which may have restarted.

from libc.stdint cimport uint8_t, uint16_t, uint64_t

cdef enum Look:                     # what a look at an idle connection comes to
    REST = 0
    ASK                             # send a probe
    ASK_AGAIN                       # another, since the last one had no answer
    GIVE_UP

cdef struct KeepAlive:
    uint64_t idle                   # ns without a segment before the first probe
    uint64_t interval
    uint64_t heard_at
    uint16_t count
    uint16_t probes
    uint8_t checks                  # probes left to ask a peer that may have restarted
    uint8_t on

cdef void keepalive_heard(KeepAlive *keep, uint64_t now) noexcept nogil
# Look at it with these times, and say when to look again. `waits`: the peer has something to acknowledge, so that the
# retransmission timer sees to it.
cdef Look keepalive_look(
    KeepAlive *keep, uint64_t idle, uint64_t interval, int count, bint waits, uint64_t now, uint64_t *look_at
) noexcept nogil
