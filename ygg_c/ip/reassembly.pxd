# Fragment reassembly (RFC 8200, 4.5; overlaps drop the datagram, RFC 5722), in bounded memory. Each packet comes with
# an `origin`, a number of the node that sent it: when no place is free, the origin that holds most of them loses its
# oldest. Where the stack's memory has no room for one more of that node (memory.pxd), none is taken.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.packet cimport Packet
from ygg_c.base.ranges cimport Ranges
from ygg_c.ip.header cimport Chain
from ygg_c.ip.memory cimport Memory

cdef enum:
    MAX_DATAGRAMS = 64          # of 64 KiB each
    MAX_UNFRAGMENTED = 256      # bytes of headers before the fragment header
    MAX_PAYLOAD = 65535
    MAX_RANGES = 128            # of a datagram's parts

cdef enum Fragment:
    FRAGMENT_HELD = 0           # kept, more to come
    FRAGMENT_WHOLE              # the datagram is complete: `take` it
    FRAGMENT_DROPPED
    FRAGMENT_PROBLEM            # Parameter Problem `chain.code` at `chain.pointer`

cdef struct Datagram:
    uint8_t key[36]             # source, destination, identification
    uint64_t origin
    Packet *packet              # [headers, right-aligned to MAX_UNFRAGMENTED][payload]; NULL: a free place
    Ranges ranges
    size_t total                # payload bytes; 0: the last fragment is missing
    size_t headers              # bytes of headers, 0: the first fragment is missing
    uint64_t deadline
    bint refused                # an overlap was seen: swallow the rest
    uint8_t marks               # 1 << the ECN field of each fragment

cdef class Reassembler:
    cdef Datagram _datagrams[MAX_DATAGRAMS]
    cdef Datagram *_done
    cdef Memory _memory
    cdef size_t evicted         # datagrams that gave way
    cdef Fragment add(
        self, const uint8_t *packet, size_t size, Chain *chain, uint64_t origin, uint64_t now
    ) noexcept
    cdef Packet *take(self) noexcept
    # Drop one timed-out datagram; its headers and first fragment, if held, come back for Time Exceeded. `more` says
    # whether one was dropped.
    cdef Packet *expire(self, uint64_t now, bint *more) noexcept
    cdef uint64_t deadline(self) noexcept
    cdef void clear(self) noexcept
    cdef Datagram *_find(self, const uint8_t *key, uint64_t origin, uint64_t now) noexcept
    cdef Datagram *_place(self, uint64_t origin) noexcept
    cdef void _drop(self, Datagram *datagram) noexcept
