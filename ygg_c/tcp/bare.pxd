# Segments without data that no connection sends: answers of half-open connections and of TIME-WAIT.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from ygg_c.base.clock cimport MS
from ygg_c.socket.endpoint cimport Host

# What such a segment says.
cdef struct Bare:
    uint32_t seq
    uint32_t ack
    uint8_t flags
    uint16_t window         # as it stands in the header
    uint16_t mss            # the options of a SYN follow
    int scale               # -1: absent
    bint sack
    bint stamped
    uint32_t ts_value
    uint32_t ts_echo

# `key`: as in a connection. `flow`: the label.
cdef void send_bare(Host host, const uint8_t *key, uint32_t flow, const Bare *bare) noexcept

# What one connection adds to the clock of its timestamps, and the flow label of its packets.
cdef inline uint32_t stamp_offset(uint64_t secret) noexcept nogil:
    return <uint32_t>(secret >> 32)

cdef inline uint32_t flow_label(uint64_t secret) noexcept nogil:
    return <uint32_t>secret & 0xfffff

cdef inline uint32_t stamp_at(uint64_t now, uint64_t secret) noexcept nogil:
    return <uint32_t>(now // MS) + stamp_offset(secret)
