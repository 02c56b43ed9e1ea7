# What the sessions of a node tell the node above them.

from libc.stdint cimport uint8_t

from ygg_c.session.session cimport Session

cdef class SessionUpper:
    # A payload, which may be changed in place and lives only for the call.
    cdef void payload_in(self, Session session, uint8_t *payload, size_t size) noexcept
    # This key has made a new session in place of one we had: it may have restarted.
    cdef void session_renewed(self, const uint8_t *key) noexcept
    cdef void session_opened(self, const uint8_t *key) noexcept
    cdef void session_closed(self, const uint8_t *key) noexcept
    # Call SessionTable.in_use for each key that there are connections to.
    cdef void name_remotes(self) noexcept
