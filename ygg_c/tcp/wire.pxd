# The TCP header (RFC 9293, 3.1) and its options: MSS, window scale and timestamps (RFC 7323), SACK (RFC 2018).

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    TCP_HEADER = 20
    FIN = 1
    SYN = 2
    RST = 4
    PSH = 8
    ACK = 16
    URG = 32
    ECE = 64
    CWR = 128
    MAX_OPTIONS = 40        # bytes
    MAX_SACKS = 4
    DEFAULT_MSS = 1220      # over IPv6 where the peer says nothing (RFC 9293, 3.7.1)
    MIN_MSS = 64            # a peer that asks for less is not obeyed: it would cost a packet a byte
    MAX_SCALE = 14
    TIMESTAMP_ROOM = 12     # bytes of a timestamp option with its padding

cdef extern from *:
    """
    #define YGG_FIRST_POSITION (1ULL << 32)
    """
    const uint64_t FIRST_POSITION "YGG_FIRST_POSITION"      # positions start here, so that none before is negative

cdef struct Segment:
    uint32_t seq
    uint32_t ack
    uint8_t flags
    uint8_t ecn             # the ECN field of the packet that it came in; NOT_ECT where that is not known
    uint16_t window         # as it stands in the header
    uint8_t *data
    size_t size
    # Options.
    uint16_t mss            # 0: absent
    int scale               # -1: absent
    bint sack_permitted
    bint stamped
    uint32_t ts_value
    uint32_t ts_echo
    int sacks
    uint32_t sack[2 * MAX_SACKS]

# False for a header that cannot be one. Unknown options are skipped; a malformed one ends the list.
cdef bint parse_segment(uint8_t *tcp, size_t size, Segment *segment) noexcept nogil
# Write options at `at` and return where the next goes; each is padded to four bytes.
cdef uint8_t *write_syn_options(uint8_t *at, uint16_t mss, int scale, bint sack) noexcept nogil
cdef uint8_t *write_timestamp(uint8_t *at, uint32_t value, uint32_t echo) noexcept nogil
# The fixed part; `size`: of header and options. The checksum is left zero, the ports are there.
cdef void write_tcp(
    uint8_t *tcp, uint64_t position, uint64_t ack, size_t size, uint8_t flags, uint16_t window
) noexcept nogil
# Blocks are low 32 bits of (start, end) pairs.
cdef uint8_t *write_sacks(uint8_t *at, const uint64_t *blocks, int count) noexcept nogil

# The 64-bit position whose low half is `seq`, nearest to `near`.
cdef inline uint64_t unwrap(uint32_t seq, uint64_t near) noexcept nogil:
    return near + <uint64_t><long long><int>(seq - <uint32_t>near)

cdef inline size_t sequence_length(const Segment *segment) noexcept nogil:
    return segment.size + (1 if segment.flags & SYN else 0) + (1 if segment.flags & FIN else 0)
