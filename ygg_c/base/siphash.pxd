# SipHash-2-4 (Aumasson and Bernstein, 2012): the keyed hash behind initial sequence numbers and flow labels.

from libc.stdint cimport uint8_t, uint64_t

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>
    #define YGG_ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))
    #define YGG_SIPROUND                                                    \\
        v0 += v1; v1 = YGG_ROTL(v1, 13); v1 ^= v0; v0 = YGG_ROTL(v0, 32);   \\
        v2 += v3; v3 = YGG_ROTL(v3, 16); v3 ^= v2;                          \\
        v0 += v3; v3 = YGG_ROTL(v3, 21); v3 ^= v0;                          \\
        v2 += v1; v1 = YGG_ROTL(v1, 17); v1 ^= v2; v2 = YGG_ROTL(v2, 32);

    static inline uint64_t ygg_siphash(const uint8_t *data, size_t size, const uint64_t key[2]) {
        uint64_t v0 = key[0] ^ 0x736f6d6570736575ULL, v1 = key[1] ^ 0x646f72616e646f6dULL;
        uint64_t v2 = key[0] ^ 0x6c7967656e657261ULL, v3 = key[1] ^ 0x7465646279746573ULL;
        uint64_t word, last = (uint64_t)size << 56;
        for (; size >= 8; data += 8, size -= 8) {
            memcpy(&word, data, 8);
            v3 ^= word; YGG_SIPROUND YGG_SIPROUND v0 ^= word;
        }
        for (size_t i = 0; i < size; i++)
            last |= (uint64_t)data[i] << (8 * i);
        v3 ^= last; YGG_SIPROUND YGG_SIPROUND v0 ^= last;
        v2 ^= 0xff; YGG_SIPROUND YGG_SIPROUND YGG_SIPROUND YGG_SIPROUND
        return v0 ^ v1 ^ v2 ^ v3;
    }
    """
    uint64_t ygg_siphash(const uint8_t *data, size_t size, const uint64_t *key) noexcept nogil
