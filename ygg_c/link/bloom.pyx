"""Bloom filters: MurmurHash3 positions, and the compact form on the wire."""

from libc.string cimport memcmp, memcpy, memset


cdef inline uint64_t _rotate(uint64_t value, int count) noexcept nogil:
    return (value << count) | (value >> (64 - count))


cdef inline uint64_t _mix(uint64_t value) noexcept nogil:
    value = (value ^ (value >> 33)) * <uint64_t>0xff51afd7ed558ccd
    value = (value ^ (value >> 33)) * <uint64_t>0xc4ceb9fe1a85ec53
    return value ^ (value >> 33)


cdef inline uint64_t _little(const uint8_t *data, size_t size) noexcept nogil:
    cdef uint64_t value = 0
    cdef size_t index
    for index in range(size):
        value |= <uint64_t>data[index] << (8 * index)
    return value


cdef void murmur3(const uint8_t *data, size_t size, uint64_t *low, uint64_t *high) noexcept nogil:
    """MurmurHash3 x64 128 with seed 0."""
    cdef uint64_t c1 = <uint64_t>0x87c37b91114253d5
    cdef uint64_t c2 = <uint64_t>0x4cf5ad432745937f
    cdef uint64_t h1 = 0, h2 = 0
    cdef size_t left = size
    while left >= 16:
        h1 ^= _rotate(_little(data, 8) * c1, 31) * c2
        h1 = (_rotate(h1, 27) + h2) * 5 + 0x52dce729
        h2 ^= _rotate(_little(data + 8, 8) * c2, 33) * c1
        h2 = (_rotate(h2, 31) + h1) * 5 + 0x38495ab5
        data += 16
        left -= 16
    if left > 8:
        h2 ^= _rotate(_little(data + 8, left - 8) * c2, 33) * c1
    if left:
        h1 ^= _rotate(_little(data, min(left, 8)) * c1, 31) * c2
    h1 ^= size
    h2 ^= size
    h1 += h2
    h2 += h1
    h1 = _mix(h1)
    h2 = _mix(h2)
    low[0] = h1 + h2
    high[0] = h1 + 2 * h2


cdef void key_hashes(uint64_t *h, const uint8_t *key) noexcept nogil:
    """The four hashes of a key that its bits are made of."""
    cdef uint8_t longer[33]
    memcpy(longer, key, 32)
    longer[32] = 1
    murmur3(longer, 32, &h[0], &h[1])
    murmur3(longer, 33, &h[2], &h[3])


cdef void probe_init(Probe *probe, const uint8_t *key) noexcept nogil:
    cdef uint64_t h[4]
    cdef uint64_t index
    key_hashes(h, key)
    for index in range(BLOOM_HASHES):
        probe.bits[index] = (h[index & 1] + index * h[2 + ((index + (index & 1)) & 3) // 2]) & (64 * BLOOM_WORDS - 1)


cdef void bloom_clear(Bloom *bloom) noexcept nogil:
    memset(bloom, 0, sizeof(Bloom))


cdef void bloom_add(Bloom *bloom, const Probe *probe) noexcept nogil:
    cdef int index
    for index in range(BLOOM_HASHES):
        bloom.words[probe.bits[index] >> 6] |= <uint64_t>1 << (probe.bits[index] & 63)


cdef void bloom_merge(Bloom *bloom, const Bloom *other) noexcept nogil:
    cdef int index
    for index in range(BLOOM_WORDS):
        bloom.words[index] |= other.words[index]


cdef bint bloom_equal(const Bloom *bloom, const Bloom *other) noexcept nogil:
    return memcmp(bloom, other, sizeof(Bloom)) == 0


cdef size_t bloom_encode(const Bloom *bloom, uint8_t *out) noexcept nogil:
    cdef uint8_t *at = out + 32
    cdef uint64_t word
    cdef int index, byte
    memset(out, 0, 32)
    for index in range(BLOOM_WORDS):
        word = bloom.words[index]
        if word == 0:
            out[index >> 3] |= 0x80 >> (index & 7)
        elif ~word == 0:
            out[16 + (index >> 3)] |= 0x80 >> (index & 7)
        else:
            for byte in range(8):
                at[byte] = <uint8_t>(word >> (56 - 8 * byte))
            at += 8
    return at - out


cdef int bloom_decode(Bloom *bloom, const uint8_t *data, size_t size) noexcept nogil:
    cdef size_t at = 32
    cdef uint64_t word
    cdef int index, byte, mask
    if size < 32:
        return -1
    for index in range(BLOOM_WORDS):
        mask = 0x80 >> (index & 7)
        if data[index >> 3] & mask:
            if data[16 + (index >> 3)] & mask:
                return -1
            bloom.words[index] = 0
        elif data[16 + (index >> 3)] & mask:
            bloom.words[index] = ~<uint64_t>0
        else:
            if size - at < 8:
                return -1
            word = 0
            for byte in range(8):
                word = (word << 8) | data[at + byte]
            bloom.words[index] = word
            at += 8
    return 0 if at == size else -1


cdef class BloomFilter:
    """A filter for Python: tests, fuzzing, and tools that look at captured bytes."""

    cdef Bloom _bloom

    def __init__(self, keys=()):
        for key in keys:
            self.add(key)

    @staticmethod
    def decode(const uint8_t[::1] data):
        """Return the filter of a message body."""
        cdef BloomFilter result = BloomFilter()
        if data.shape[0] < 32 or bloom_decode(&result._bloom, &data[0], data.shape[0]) < 0:
            raise ValueError("ErrDecode")
        return result

    def encode(self):
        """Return the body of a BloomFilter message."""
        cdef uint8_t out[BLOOM_WIRE_MAX]
        return out[:bloom_encode(&self._bloom, out)]

    def add(self, bytes key not None):
        """Add a 32-byte key as it is."""
        cdef Probe probe
        _probe(&probe, key)
        bloom_add(&self._bloom, &probe)

    def __contains__(self, bytes key not None):
        cdef Probe probe
        _probe(&probe, key)
        return bool(bloom_has(&self._bloom, &probe))

    def __or__(self, BloomFilter other not None):
        cdef BloomFilter result = BloomFilter()
        result._bloom = self._bloom
        bloom_merge(&result._bloom, &other._bloom)
        return result

    def __eq__(self, other):
        if not isinstance(other, BloomFilter):
            return NotImplemented
        return bool(bloom_equal(&self._bloom, &(<BloomFilter>other)._bloom))

    __hash__ = None


cdef int _probe(Probe *probe, bytes key) except -1:
    if len(key) != 32:
        raise ValueError("keys have 32 bytes")
    probe_init(probe, key)
    return 0


def hashes(bytes key not None):
    """Return the hashes that a key's bits are made of."""
    cdef uint64_t h[4]
    if len(key) != 32:
        raise ValueError("keys have 32 bytes")
    key_hashes(h, key)
    return [h[index] for index in range(4)]


def bit_positions(bytes key not None):
    """Return the positions of a key's bits."""
    cdef Probe probe
    _probe(&probe, key)
    return [probe.bits[index] for index in range(BLOOM_HASHES)]
