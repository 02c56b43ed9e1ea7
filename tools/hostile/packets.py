"""IPv6 packets as a hostile host writes them: nothing in them need be true."""

import struct

from ygg_c.base.checksum import checksum

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
NO_OPTIONS = b""


def ipv6(source: bytes, target: bytes, next_header: int, content: bytes, hop_limit: int = 64) -> bytes:
    """Return an IPv6 packet (RFC 8200, section 3)."""
    return struct.pack(">IHBB", 6 << 28, len(content), next_header, hop_limit) + source + target + content


def tcp(source: bytes, target: bytes, ports: tuple[int, int], seq: int, ack: int, flags: int, *,
        window: int = 65535, options: bytes = NO_OPTIONS, data: bytes = b"") -> bytes:
    """Return a TCP segment in a packet; `options` are padded to whole words."""
    options += bytes(-len(options) % 4)
    header = struct.pack(">HHIIBBHHH", *ports, seq % 2**32, ack % 2**32, (20 + len(options)) << 2, flags, window, 0, 0)
    return _summed(source, target, 6, header + options + data, 16)


def udp(source: bytes, target: bytes, ports: tuple[int, int], data: bytes) -> bytes:
    """Return a UDP datagram in a packet."""
    return _summed(source, target, 17, struct.pack(">HHHH", *ports, 8 + len(data), 0) + data, 6)


def icmp(source: bytes, target: bytes, kind: int, rest: bytes) -> bytes:
    """Return an ICMPv6 message of code 0 in a packet; `rest` follows the checksum."""
    return _summed(source, target, 58, bytes([kind, 0, 0, 0]) + rest, 2)


def fragment(source: bytes, target: bytes, identification: int, offset: int, more: bool, data: bytes) -> bytes:
    """Return a fragment of a UDP datagram; `offset` is in units of 8 bytes."""
    return ipv6(source, target, 44, struct.pack(">BBHI", 17, 0, offset << 3 | more, identification) + data)


def _summed(source: bytes, target: bytes, next_header: int, content: bytes, at: int) -> bytes:
    pseudo = source + target + struct.pack(">II", len(content), next_header)
    total = checksum(pseudo + content)
    return ipv6(source, target, next_header, content[:at] + struct.pack(">H", total) + content[at + 2 :])
