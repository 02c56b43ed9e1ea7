# TLS by OpenSSL, reached through the addresses of the functions of the library that Python's ssl module has loaded.
#
#   in    lend (or feed) -> read, until it gives nothing more      ciphertext is taken from where it lies
#   out   write -> unsent -> sent                                  whole records gather in one buffer
#
# Sans-IO: nothing here knows a socket. The ssl module works on the same library, but copies every byte through a Python
# object on its way, and a link at full speed spends more there than on the encryption.

from libc.stdint cimport uint8_t, uint64_t

cdef enum:
    RECORD = 16384          # bytes a record holds at most (RFC 8446, 5.1)
    # bytes of answers (key updates) to a side that reads nothing, before it is taken for hostile
    UNSENT_LIMIT = 1048576
    EXCESS_LIMIT = 65536    # bytes beyond data (of the handshake, of key updates), before a side is taken for hostile
    RECORD_COST = 64        # bytes that a record with data may have beside it
    SPARE_LEAST = 65536     # bytes of a block worth keeping for the next link that needs one
    SPARE_MOST = 1048576

cdef enum Outcome:
    TLS_OK          # done, and there may be more
    TLS_WAIT        # nothing more before more ciphertext comes
    TLS_CLOSED      # the other side has sent close_notify
    TLS_FAILED      # see reason

ctypedef struct Store:
    uint8_t *bytes
    size_t start
    size_t end
    size_t room

ctypedef struct Wire:
    const uint8_t *lent     # ciphertext that came, in the caller's memory
    size_t lent_size
    Store kept              # ciphertext that came, copied; read before what is lent
    Store out               # ciphertext to be sent
    size_t excess           # bytes taken beyond the plain text in them: what costs the most to read

cdef class Context:
    cdef void *_context
    cdef readonly bint server
    cdef int _show(self, bytes certificate, bytes key) except -1

cdef class Tls:
    cdef void *ssl                      # OpenSSL's
    cdef Wire _wire
    cdef bint _counted                  # among the live objects
    cdef uint64_t made_in              # generation of ygg_c.base.forks: the process it belongs to
    cdef readonly Context sslcontext
    cdef readonly str reason            # of a failure: OpenSSL's own words
    # Ciphertext for read(): all of it is taken before read() answers TLS_WAIT.
    cdef void lend(self, const uint8_t *data, size_t size) noexcept
    # Plain text into `space` until it is full or there is no more; how much, in `size`, whatever the outcome.
    cdef Outcome read(self, uint8_t *space, size_t room, size_t *size) noexcept
    cdef Outcome write(self, const uint8_t *data, size_t size) noexcept
    cdef size_t unsent(self, const uint8_t **data) noexcept
    cdef void sent(self, size_t count) noexcept
    cdef Outcome _outcome(self, int result) noexcept
    cdef bint _check(self, Outcome outcome) except -1   # whether it is TLS_OK; raises for TLS_FAILED
