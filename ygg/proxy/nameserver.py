"""Addresses of names by a DNS server in the overlay: a stub resolver for AAAA (RFC 1035, RFC 3596), as small as that.

An answer is taken from the server that was asked, at the port that asked, with the number and the question of the
question. Names in it are passed over and not followed, so that none can lead in a circle; of the addresses those of the
overlay count alone.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

from ygg.errors import ConnectTimeout, ProxyError, ResolveError
from ygg.identity.overlay import OVERLAY

if TYPE_CHECKING:
    from ygg.vtun import VTun
    from ygg.vtun.addresses import Host

PORT = 53
"""The port of DNS."""
TRIES, WAIT = 3, 2.0
"""How often the server is asked, and seconds that it has each time."""
MOST_ANSWERS = 64
"""Records of an answer that are looked at."""

_AAAA, _IN = 28, 1
_ANSWER, _FAILURE = 0x8000, 0x000F


class NameServer:
    """A DNS server in the overlay; its `lookup` is one for `Names`."""

    def __init__(self, vtun: VTun, host: Host, port: int = PORT) -> None:
        self._vtun, self._host, self._port = vtun, host, port

    async def lookup(self, name: str) -> IPv6Address:
        """Return the first address of a name. Raises `ResolveError` for none, and `ConnectTimeout`."""
        asked = question(name)
        async with await self._vtun.open_datagram(remote_addr=(self._host, self._port)) as udp:
            for _ in range(TRIES):
                number = secrets.randbelow(1 << 16)
                await udp.send(struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + asked)
                try:
                    async with asyncio.timeout(WAIT):
                        return await _answer(udp, number, asked, name)
                except TimeoutError:
                    continue
        raise ConnectTimeout(f"{name[:80]!r}: the name server did not answer")


async def _answer(udp: object, number: int, asked: bytes, name: str) -> IPv6Address:
    while True:
        data = await udp.recv()  # type: ignore[attr-defined]
        try:
            found = addresses(data, number, asked)
        except ProxyError:
            continue  # not an answer to this question: the right one may still come
        if not found:
            raise ResolveError(f"the name server knows no address of {name[:80]!r} in the overlay")
        return found[0]


def question(name: str) -> bytes:
    """Return the question for the addresses of a name. Raises `ResolveError` for what can be no name."""
    labels = name.rstrip(".").encode("ascii", "replace").split(b".")
    if not all(0 < len(label) < 64 for label in labels) or sum(len(label) + 1 for label in labels) > 254:
        raise ResolveError(f"no such host: {name[:80]!r}")
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0" + struct.pack("!2H", _AAAA, _IN)


def addresses(data: bytes, number: int, asked: bytes) -> list[IPv6Address]:
    """Return the addresses of the overlay in an answer, none where there is no such name.

    Raises `ProxyError` for what is no answer to this question, or cannot be read.
    """
    try:
        told, flags, questions, count = struct.unpack_from("!4H", data)
        end = 12 + len(asked)
        if told != number or not flags & _ANSWER or questions != 1 or data[12:end].lower() != asked.lower():
            raise ProxyError("not an answer to this question")
        if flags & _FAILURE:
            return []
        found = []
        for _ in range(min(count, MOST_ANSWERS)):
            end = _after_name(data, end)
            kind, group, _, size = struct.unpack_from("!2HIH", data, end)
            end += 10
            if kind == _AAAA and group == _IN and size == 16 and len(data) >= end + 16:
                found.append(IPv6Address(data[end : end + 16]))
            end += size
    except (struct.error, IndexError):
        raise ProxyError("an answer that ends too early") from None
    return [address for address in found if address in OVERLAY]


def _after_name(data: bytes, at: int) -> int:
    """Return where a name ends: at a zero, or at a pointer to the rest of it."""
    while size := data[at]:
        if size >= 0xC0:
            return at + 2
        at += 1 + size
    return at + 1
