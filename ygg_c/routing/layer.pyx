"""The seam between a router and the sessions of its node; see layer.pxd."""

from ygg_c.base.packet cimport packet_free


cdef class TrafficUpper:
    """Takes the messages for this node. The base class drops them."""

    cdef int64_t traffic_in(self, uint64_t origin, const uint8_t *key, uint8_t *message, size_t size) noexcept:
        return 0


cdef class TrafficLower:
    """Takes the messages that leave. The base class drops them."""

    cdef void send_message(self, const uint8_t *key, Packet *message) noexcept:
        packet_free(message)

    cdef void source_proven(self, const uint8_t *key) noexcept:
        pass

    cdef void path_works(self, const uint8_t *key) noexcept:
        pass

    cdef void introduce(self, const uint8_t *key) noexcept:
        pass
