"""The PROXY protocol, version 2, without IO: who the client is, in front of the bytes of its connection.

Source: the protocol's text by HAProxy's authors, "The PROXY protocol, versions 1 & 2", section 2.2. Our own TLV is of
type `KEY_TYPE`, one of those that are left to applications (2.2.7, PP2_TYPE_MIN_CUSTOM to PP2_TYPE_MAX_CUSTOM): a byte
1, then the 32 bytes of the ed25519 public key of the client's node. Other first bytes are left for other things.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, ip_address

from ygg.errors import ProxyError

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
"""The first twelve bytes."""
FIRST = 16
"""Bytes that tell how long the whole header is."""
MOST = 4096
"""Bytes of a header that is taken; addresses and a few TLVs have some hundred."""

KEY_TYPE = 0xE7
"""The TLV with the public key."""
KEY_ED25519 = 1
"""First byte of its value."""
CRC32C_TYPE = 0x03
"""The TLV with a checksum of the whole header (PP2_TYPE_CRC32C)."""

_LOCAL, _PROXY = 0x20, 0x21
_TCP4, _TCP6, _UDP4, _UDP6 = 0x11, 0x21, 0x12, 0x22
_FAMILIES = {
    _TCP4: (socket.AF_INET, 4),
    _UDP4: (socket.AF_INET, 4),
    _TCP6: (socket.AF_INET6, 16),
    _UDP6: (socket.AF_INET6, 16),
}
_UNIX = {0x31: 216, 0x32: 216}
_IGNORED = 0xFFF

Address = tuple[str, int]
"""A host, as a numeric address, and a port."""


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """What a proxy says of a connection. Without addresses it is one of the proxy's own, as for a health check."""

    source: Address | None = None
    """The client."""
    destination: Address | None = None
    """What it has connected to."""
    tlvs: tuple[tuple[int, bytes], ...] = ()
    """Further values, by their types."""
    datagram: bool = False
    """Whether it is of UDP, and not of TCP."""

    @property
    def public_key(self) -> bytes | None:
        """The key of the client's node, if the proxy tells it."""
        for kind, value in self.tlvs:
            if kind == KEY_TYPE and len(value) == 33 and value[0] == KEY_ED25519:
                return value[1:]
        return None


def header_for(source: Address | None, destination: Address | None, public_key: bytes | None = None) -> ProxyHeader:
    """Return the header of a TCP connection; without both addresses it tells none."""
    tlvs = () if public_key is None else ((KEY_TYPE, bytes([KEY_ED25519]) + public_key),)
    if source is None or destination is None:
        return ProxyHeader(tlvs=tlvs)
    return ProxyHeader(source, destination, tlvs)


def encode(header: ProxyHeader, *, checksum: bool = False) -> bytes:
    """Return the bytes of a header, with a checksum (CRC-32C) if asked for."""
    command, family, addresses = _LOCAL, 0, b""
    if header.source is not None and header.destination is not None:
        (host, port), (own, own_port) = header.source, header.destination
        ends = [ip_address(host.partition("%")[0]), ip_address(own.partition("%")[0])]
        command, family = _PROXY, _TCP4 if all(isinstance(end, IPv4Address) for end in ends) else _TCP6
        packed = [_packed(end, family) for end in ends]
        family += header.datagram
        addresses = b"".join(packed) + struct.pack("!HH", port, own_port)
    values = b"".join(struct.pack("!BH", kind, len(value)) + value for kind, value in header.tlvs)
    if checksum:
        values += struct.pack("!BHI", CRC32C_TYPE, 4, 0)
    whole = SIGNATURE + struct.pack("!BBH", command, family, len(addresses) + len(values)) + addresses + values
    return whole[:-4] + struct.pack("!I", crc32c(whole)) if checksum else whole


def _packed(address: object, family: int) -> bytes:
    packed: bytes = address.packed  # type: ignore[attr-defined]
    return packed if family == _TCP4 or len(packed) == 16 else bytes(10) + b"\xff\xff" + packed


def length(first: bytes) -> int:
    """Return how long a header is that begins with these `FIRST` bytes. Raises `ProxyError` for what is none."""
    if first[:12] != SIGNATURE:
        raise ProxyError("no header of the PROXY protocol, version 2")
    if first[12] not in (_LOCAL, _PROXY):
        raise ProxyError("PROXY protocol: unknown version or command")
    size = FIRST + int.from_bytes(first[14:16])
    if size > MOST:
        raise ProxyError(f"PROXY protocol: a header of {size} bytes")
    return size


def is_begun(data: bytes | bytearray) -> bool:
    """Tell whether these first bytes may be those of a header."""
    return SIGNATURE.startswith(data[:12])


def decode(whole: bytes) -> ProxyHeader:
    """Return what the bytes of a whole header say. Raises `ProxyError` for those of none.

    What is of a kind that is not known has no addresses, as the protocol wants it.
    """
    if len(whole) < FIRST or length(whole[:FIRST]) != len(whole):
        raise ProxyError("PROXY protocol: a header that is cut off")
    # Of a proxy's own connection all addresses are to be passed over, whatever they are.
    source: Address | None = None
    destination: Address | None = None
    family = whole[13] if whole[12] == _PROXY or whole[13] == 0 else _IGNORED
    if family in _FAMILIES:
        kind, width = _FAMILIES[family]
        rest = FIRST + 2 * width + 4
        if len(whole) < rest:
            raise ProxyError("PROXY protocol: addresses that are cut off")
        near, far = whole[FIRST : FIRST + width], whole[FIRST + width : FIRST + 2 * width]
        ports = struct.unpack("!HH", whole[rest - 4 : rest])
        source = (socket.inet_ntop(kind, near), ports[0])
        destination = (socket.inet_ntop(kind, far), ports[1])
    else:
        rest = FIRST + _UNIX.get(family, 0 if family == 0 else len(whole))
    tlvs = tuple(_tlvs(whole, rest))
    _check(whole, rest)
    if whole[12] == _LOCAL:
        return ProxyHeader(tlvs=tlvs)
    return ProxyHeader(source, destination, tlvs, datagram=family in (_UDP4, _UDP6))


def _tlvs(whole: bytes, at: int) -> list[tuple[int, bytes]]:
    found = []
    while at < len(whole):
        if at + 3 > len(whole):
            raise ProxyError("PROXY protocol: a value that is cut off")
        kind, size = struct.unpack("!BH", whole[at : at + 3])
        at += 3 + size
        if at > len(whole):
            raise ProxyError("PROXY protocol: a value that is cut off")
        found.append((kind, whole[at - size : at]))
    return found


def _check(whole: bytes, at: int) -> None:
    """Raise `ProxyError` where there is a checksum that does not fit."""
    while at < len(whole):
        kind, size = struct.unpack("!BH", whole[at : at + 3])
        if kind == CRC32C_TYPE:
            value = whole[at + 3 : at + 3 + size]
            zeroed = whole[: at + 3] + bytes(size) + whole[at + 3 + size :]
            if size != 4 or int.from_bytes(value) != crc32c(zeroed):
                raise ProxyError("PROXY protocol: the checksum does not fit")
        at += 3 + size


@cache
def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of some bytes (RFC 3720, appendix B.4)."""
    table, value = _table(), 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ table[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF
