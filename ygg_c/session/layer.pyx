"""What the sessions of a node tell the node above them; see layer.pxd."""


cdef class SessionUpper:
    """Takes the payloads of sessions. The base class drops them."""

    cdef void payload_in(self, Session session, uint8_t *payload, size_t size) noexcept:
        pass

    cdef void session_renewed(self, const uint8_t *key) noexcept:
        pass

    cdef void session_opened(self, const uint8_t *key) noexcept:
        pass

    cdef void session_closed(self, const uint8_t *key) noexcept:
        pass

    cdef void name_remotes(self) noexcept:
        pass
