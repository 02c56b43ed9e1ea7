"""SYN cookies; see cookies.pxd."""

from libc.string cimport memcpy, memset

from ygg_c.base.siphash cimport ygg_siphash
from ygg_c.tcp.ecn cimport ecn_asks
from ygg_c.tcp.wire cimport CWR, DEFAULT_MSS, ECE, SYN

cdef enum:
    SIZES = 8
    NO_SCALE = 15
    HASH_MASK = 0x7ffffff

# What peers say: nothing much, the least of IPv4 and IPv6, Ethernet, jumbo frames, and paths of up to 64 KiB.
cdef uint16_t[8] _mss
_mss[:] = [64, 536, 1220, 1440, 4036, 8940, 32708, 65475]


cdef uint32_t _hash(
    const uint64_t *secret, const uint8_t *key, uint32_t irs, uint64_t epoch, uint8_t index
) noexcept nogil:
    cdef uint8_t all[49]
    memcpy(all, key, 36)
    memcpy(all + 36, &irs, 4)
    memcpy(all + 40, &epoch, 8)
    all[48] = index
    return <uint32_t>ygg_siphash(all, 49, secret) & HASH_MASK


cdef uint8_t _index(uint16_t mss) noexcept nogil:
    cdef uint8_t index = SIZES - 1
    while index and _mss[index] > mss:
        index -= 1
    return index


cdef uint32_t make_cookie(const uint64_t *secret, const uint8_t *key, const Segment *syn, uint64_t now) noexcept nogil:
    cdef uint64_t epoch = now >> 36
    cdef uint8_t index = _index(syn.mss if syn.mss else DEFAULT_MSS)
    return <uint32_t>(epoch & 3) << 30 | <uint32_t>index << 27 | _hash(secret, key, syn.seq, epoch, index)


cdef uint32_t cookie_stamp(uint32_t stamp, const Segment *syn) noexcept nogil:
    cdef uint32_t bits = <uint32_t>(NO_SCALE if syn.scale < 0 else syn.scale) | <uint32_t>(syn.sack_permitted) << 4
    cdef uint32_t value = stamp >> STAMP_BITS << STAMP_BITS | bits | <uint32_t>ecn_asks(syn) << 5
    return value - (1 << STAMP_BITS) if <int>(value - stamp) > 0 else value


cdef bint read_cookie(
    const uint64_t *secret, const uint8_t *key, const Segment *segment, uint64_t now, Segment *syn
) noexcept nogil:
    cdef uint32_t cookie = segment.ack - 1
    cdef uint32_t irs = segment.seq - 1
    cdef uint64_t age = ((now >> 36) - (cookie >> 30)) & 3
    cdef uint8_t index = cookie >> 27 & (SIZES - 1)
    if age > 1 or cookie & HASH_MASK != _hash(secret, key, irs, (now >> 36) - age, index):
        return False
    memset(syn, 0, sizeof(Segment))
    syn.seq = irs
    syn.flags = SYN
    syn.window = segment.window
    syn.mss = _mss[index]
    syn.scale = -1
    syn.stamped = segment.stamped
    if segment.stamped:
        syn.ts_value = segment.ts_value
        syn.scale = <int>(segment.ts_echo & 15)
        syn.scale = -1 if syn.scale == NO_SCALE else syn.scale
        syn.sack_permitted = segment.ts_echo >> 4 & 1
        syn.flags |= ECE | CWR if segment.ts_echo >> 5 & 1 else 0
    return True
