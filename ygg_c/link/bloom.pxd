# Bloom filters of 8192 bits and 8 hash functions (protocol 0.5, Bloom filters).

from libc.stdint cimport uint8_t, uint64_t

cdef enum:
    BLOOM_WORDS = 128
    BLOOM_HASHES = 8
    BLOOM_WIRE_MAX = 1056

cdef struct Bloom:
    uint64_t words[BLOOM_WORDS]

# Where a key's bits are.
cdef struct Probe:
    uint64_t bits[BLOOM_HASHES]

cdef void murmur3(const uint8_t *data, size_t size, uint64_t *low, uint64_t *high) noexcept nogil
cdef void probe_init(Probe *probe, const uint8_t *key) noexcept nogil

cdef void bloom_clear(Bloom *bloom) noexcept nogil
cdef void bloom_add(Bloom *bloom, const Probe *probe) noexcept nogil
cdef void bloom_merge(Bloom *bloom, const Bloom *other) noexcept nogil
cdef bint bloom_equal(const Bloom *bloom, const Bloom *other) noexcept nogil
cdef size_t bloom_encode(const Bloom *bloom, uint8_t *out) noexcept nogil      # bytes written, at most BLOOM_WIRE_MAX
cdef int bloom_decode(Bloom *bloom, const uint8_t *data, size_t size) noexcept nogil     # 0, or -1

cdef inline bint bloom_has(const Bloom *bloom, const Probe *probe) noexcept nogil:
    cdef int index
    for index in range(BLOOM_HASHES):
        if not (bloom.words[probe.bits[index] >> 6] >> (probe.bits[index] & 63)) & 1:
            return False
    return True
