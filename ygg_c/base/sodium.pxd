# libsodium, reached through the addresses of the functions of the library that pysodium has loaded.

from libc.stdint cimport uint8_t, uint64_t

cdef enum:
    MAC_SIZE = 16
    NONCE_SIZE = 24
    SIG_SIZE = 64

# XSalsa20-Poly1305 under a precomputed box key, in place (c may equal m). open returns 0 when the tag is right.
cdef void box_seal(uint8_t *c, uint8_t *mac, const uint8_t *m, size_t size, const uint8_t *nonce,
                   const uint8_t *key) noexcept nogil
cdef int box_open(uint8_t *m, const uint8_t *c, const uint8_t *mac, size_t size, const uint8_t *nonce,
                  const uint8_t *key) noexcept nogil
# The precomputed key of (their public, our secret). 0 when the point is acceptable.
cdef int box_key(uint8_t *key, const uint8_t *public, const uint8_t *secret) noexcept nogil
cdef void box_public(uint8_t *public, const uint8_t *secret) noexcept nogil
# The same boxes for many nonces that differ only in their last 8 bytes (`nonce`), the first 16 being zero: what depends
# on those and the box key is computed once, as `subkey`. In place; the size is at least 32.
cdef void box_subkey(uint8_t *subkey, const uint8_t *key) noexcept nogil
# Uses the 32 bytes in front of the box as scratch; `mac` may lie there.
cdef void subkey_seal(uint8_t *box, uint8_t *mac, size_t size, const uint8_t *nonce,
                      const uint8_t *subkey) noexcept nogil
cdef int subkey_open(uint8_t *box, const uint8_t *mac, size_t size, const uint8_t *nonce,
                     const uint8_t *subkey) noexcept nogil
# Ed25519. `secret` is seed || public (64 bytes). verify returns 0 when the signature is right.
cdef void sign(uint8_t *signature, const uint8_t *message, size_t size, const uint8_t *secret) noexcept nogil
cdef int verify(const uint8_t *signature, const uint8_t *message, size_t size, const uint8_t *public) noexcept nogil
cdef int ed_to_x_public(uint8_t *x, const uint8_t *ed) noexcept nogil
cdef void ed_to_x_secret(uint8_t *x, const uint8_t *ed_secret) noexcept nogil
cdef void wipe(void *data, size_t size) noexcept nogil

# The one source of randomness an engine is given: libsodium's, or a seeded stream that repeats.
cdef class Random:
    cdef void fill(self, uint8_t *data, size_t size) noexcept
    cdef uint64_t u64(self) noexcept

cdef class SeededRandom(Random):
    cdef uint8_t _seed[32]
    cdef uint64_t _block
