"""A router without sessions: Python gives it messages to send and takes those that have come."""

from libc.stdint cimport int64_t, uint8_t, uint64_t

from ygg_c.base.packet cimport Packet, packet_copy
from ygg_c.routing.layer cimport TrafficUpper
from ygg_c.routing.router cimport Router

cdef enum:
    DELIVERED_MAX = 4096


cdef class _Delivered(TrafficUpper):
    # Messages for us, as (source key, payload).

    cdef list messages

    def __cinit__(self):
        self.messages = []

    cdef int64_t traffic_in(self, uint64_t origin, const uint8_t *key, uint8_t *message, size_t size) noexcept:
        if len(self.messages) < DELIVERED_MAX:
            self.messages.append((key[:32], message[:size]))
        return 0


cdef class RouterTap(Router):
    """A router whose messages are taken and given as bytes."""

    cdef _Delivered _delivered

    def __cinit__(self):
        self.local.upper = self._delivered = _Delivered()

    def turn(self, uint64_t now, uint64_t wall):
        """Set the clock, run due timers, close failed links, flush output; return the next deadline in ns, or None."""
        self.now = max(self.now, now)
        self.wall = wall
        self.begin_round()
        self.run_timers()
        self.flush_links()
        return self.now if self.turns.dirty else self.due

    def send(self, bytes key not None, bytes payload not None):
        """Send a message to a key."""
        send_message(self, key, payload)

    def take_delivered(self):
        """Return the messages that arrived since the last call."""
        messages, self._delivered.messages = self._delivered.messages, []
        return messages


def send_message(Router router not None, bytes key not None, bytes message not None):
    """Send a message to a key by the routes of `router`."""
    cdef Packet *packet
    if len(key) != 32:
        raise ValueError("a key has 32 bytes")
    packet = packet_copy(<const uint8_t *><const char *>message, len(message))
    if packet == NULL:
        raise MemoryError
    router.local.send_message(key, packet)
