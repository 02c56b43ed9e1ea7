# IPv6 packets to and from keys (protocol 0.5, section 9): the Lower of whatever is attached to a node.

from libc.stdint cimport uint8_t, uint64_t

from ygg_c.base.budget cimport Budget
from ygg_c.base.bytemap cimport ByteMap
from ygg_c.base.lru cimport Aging, AgingList
from ygg_c.base.packet cimport Packet
from ygg_c.base.pending cimport Pending, PendingAccount
from ygg_c.ip.layer cimport Layer, Upper
from ygg_c.node.node cimport Node, PayloadSink

# A key we exchange packets with.
cdef class Route:
    cdef uint8_t key[32]
    cdef uint8_t address[16]
    cdef uint8_t subnet[8]
    cdef Aging aging
    cdef bytes shown                # the key as Python has it, once it was asked for: connections share it
    cdef uint64_t mark_until        # until then the next packet to it that may be marked is; 0: none need be

# Packets for a destination whose key is not known yet.
cdef class Waiting:
    cdef uint8_t destination[16]    # an address, or a subnet and eight zero bytes
    cdef Pending pending
    cdef Aging aging

cdef class Gateway(PayloadSink):
    cdef Node node
    cdef readonly Upper attached    # the top; None: packets that arrive are dropped
    cdef list _layers               # between the two, the lowest one first
    cdef bint _ways_changed         # a layer came or went since that was last told above
    cdef uint8_t address[16]
    cdef uint8_t subnet[8]
    cdef size_t _mtu
    cdef ByteMap _by_key, _by_address, _by_subnet, _waiting
    cdef AgingList _routes, _waits
    cdef PendingAccount _account
    cdef Budget _errors             # Packet Too Big
    cdef uint64_t _secret[2]        # numbers the nodes that share it
    cdef uint64_t dropped_incoming, dropped_outgoing, dropped_waiting, too_big, icmp_limited, marked

    cdef void _relink(self) noexcept
    cdef void _part_from(self, Layer layer) noexcept
    cdef void _tell_ways_changed(self) noexcept
    cdef bint _is_ours(self, const uint8_t *address) noexcept
    cdef Route _route_to(self, const uint8_t *destination)
    cdef Route _learn(self, const uint8_t *key)
    cdef void _forget(self, Route route) noexcept
    cdef void _wait(self, const uint8_t *destination, Packet *packet) noexcept
    cdef void _flush(self, Route route, const uint8_t *destination) noexcept
    cdef void _drop_waiting(self, Waiting waiting) noexcept
    cdef void _mark(self, Route route, Packet *packet) noexcept
    cdef void _packet_too_big(self, const uint8_t *key, const uint8_t *data, size_t size) noexcept
