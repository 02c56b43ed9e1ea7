from ygg_c.io.pump cimport StreamPump
from ygg_c.io.tls cimport Tls
from ygg_c.link.link cimport Link

cdef enum:
    CIPHERTEXT = 262144     # bytes of one read
    SEALED = 131072         # bytes encrypted for one send

# TLS over a plain stream socket. What is encrypted and not sent waits in `tls`.
cdef class TlsPump(StreamPump):
    cdef Tls tls
    cdef bint _decrypt(self) noexcept   # False: the link is failing
    cdef bint _encrypt(self, Link link) noexcept
