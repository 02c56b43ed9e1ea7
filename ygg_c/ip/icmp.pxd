# ICMPv6 (RFC 4443): what we send, and the quoted packet in an error that arrives.

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from ygg_c.base.packet cimport Packet

cdef enum:
    ICMP_UNREACHABLE = 1
    ICMP_TOO_BIG = 2
    ICMP_TIME_EXCEEDED = 3
    ICMP_PROBLEM = 4
    ICMP_ECHO_REQUEST = 128
    ICMP_ECHO_REPLY = 129
    CODE_NO_PORT = 4
    CODE_REASSEMBLY = 1
    ICMP_HEADER = 8

# Errors a second that a stack or gateway sends in all, and at once (RFC 4443, 2.4 (f)): those they are for share them.
cdef enum:
    ERROR_RATE = 200
    ERROR_BURST = 50
    QUOTE_MOST = 1232           # bytes of a packet in an error about it: MIN_MTU less both headers (2.4 (c))

# An error about `packet`, from `source`, with at most `quote` bytes of it; NULL where RFC 4443, 2.4 (e) forbids one, or
# without memory.
cdef Packet *icmp_error(
    const uint8_t *packet, size_t size, const uint8_t *source, uint8_t kind, uint8_t code, uint32_t parameter,
    size_t quote,
) noexcept
cdef Packet *icmp_echo(
    const uint8_t *source, const uint8_t *target, uint8_t kind, uint16_t identifier, uint16_t sequence,
    const uint8_t *payload, size_t size,
) noexcept
# What an ICMPv6 error means for a socket, as an errno; `hard` when a connection being opened shall fail at once.
cdef int icmp_errno(uint8_t kind, uint8_t code, bint *hard) noexcept nogil
