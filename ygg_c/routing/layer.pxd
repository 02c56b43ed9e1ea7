# The seam between a router and the sessions of its node, as two narrow interfaces, like those of ip/layer.pxd.
#
#   TrafficUpper    the sessions: take messages that have come for this node
#   TrafficLower    the router: takes messages that leave
#
# Keys have 32 bytes. Nothing here raises: what cannot be done is dropped and counted.

from libc.stdint cimport int64_t, uint8_t, uint64_t

from ygg_c.base.packet cimport Packet

cdef class TrafficUpper:
    # A message from a key, which came in by the neighbour of the number `origin` (0: none). The bytes belong to the
    # caller and live only for the call; they may be changed in place. Returns what it took, in units of WORK_… (about a
    # microsecond).
    cdef int64_t traffic_in(self, uint64_t origin, const uint8_t *key, uint8_t *message, size_t size) noexcept

cdef class TrafficLower:
    # Send a message to a key; takes ownership. Headers go into the packet's headroom.
    cdef void send_message(self, const uint8_t *key, Packet *message) noexcept
    # During traffic_in(): the message is the key's own.
    cdef void source_proven(self, const uint8_t *key) noexcept
    # What is sent to this key arrives.
    cdef void path_works(self, const uint8_t *key) noexcept
    # A message has left for this key, or waits for a path, whose answer has to find the way here.
    cdef void introduce(self, const uint8_t *key) noexcept
