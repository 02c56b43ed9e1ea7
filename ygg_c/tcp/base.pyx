"""What the parts of a connection, and its listener, know of it; see base.pxd."""


cdef class TcpEndpoint(Endpoint):
    """A connection as its two halves and its listener know it."""

    cdef bint step(self, Event event) noexcept:
        return False

    cdef void transmit(self, uint64_t position, size_t size, uint8_t flags, uint64_t now) noexcept:
        pass

    cdef size_t sack_size(self) noexcept:
        return 0

    cdef void expire(self, int code) noexcept:
        pass

    cdef void account(self) noexcept:
        pass


cdef class Acceptor(Endpoint):
    """What made a connection that has not been accepted yet."""

    cdef bint promote(self, TcpEndpoint connection) noexcept:
        return False

    cdef void forget(self, TcpEndpoint connection) noexcept:
        pass
