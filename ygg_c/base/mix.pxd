# Fast hashes of words for tables in memory. With a random salt strangers cannot choose who shares a place with them, as
# long as they do not see which place that is; where they might, it has to be SipHash.

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy

cdef extern from *:
    """
    #define YGG_GOLDEN 0x9e3779b97f4a7c15ULL
    #define YGG_MIXER 0xd6e8feb86659fd93ULL
    """
    const uint64_t GOLDEN "YGG_GOLDEN"      # 2**64 divided by the golden ratio (Knuth, TAOCP 3, 6.4): odd
    const uint64_t MIXER "YGG_MIXER"        # another odd number with no pattern in its bits

# The upper half of the result depends on all of the word.
cdef inline uint64_t mix(uint64_t word) noexcept nogil:
    return word * GOLDEN

# A hash of the 16 bytes at `data`; its upper bits are the better ones.
cdef inline uint64_t mix_16(const uint8_t *data, uint64_t salt) noexcept nogil:
    cdef uint64_t first, second
    memcpy(&first, data, 8)
    memcpy(&second, data + 8, 8)
    first = mix(first ^ salt)
    return ((first ^ (first >> 32)) + second) * MIXER
