"""One question to one DNS server in the overlay: by UDP, and by TCP where that does not do.

A stranger's answer counts when it is from the server that was asked, at the port that asked, with the number and the
question of the question (RFC 5452). The wire format is dnspython's.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.name

from ygg.errors import ConnectionRefused, ConnectTimeout, ResolveError, TemporaryResolveError
from ygg.names.values import PORT, Kind

if TYPE_CHECKING:
    from ygg.vtun import VTun
    from ygg.vtun.addresses import Host
    from ygg.vtun.datagram import UdpSocket

WAITS = (1.0, 2.0, 2.0)
"""Seconds that a server has for each time that it is asked by UDP."""
PAYLOAD = 1232
"""Bytes of a datagram that are asked for (RFC 6891)."""
MOST_BYTES = 16384
"""Of an answer by TCP: one that is longer is refused, since each record of it costs time to read."""


def question(name: str, kind: Kind, rng: random.Random) -> dns.message.QueryMessage:
    """Return the question for the addresses of a name. Raises `ResolveError` for what can be no name."""
    try:
        asked = dns.name.from_text(name)
    except (dns.exception.DNSException, ValueError):     # UnicodeError among them
        raise ResolveError(f"no such host: {name[:80]!r}") from None
    if asked == dns.name.root:
        raise ResolveError(f"no such host: {name[:80]!r}")
    return dns.message.make_query(asked, kind.name, id=rng.randrange(1 << 16), use_edns=0, payload=PAYLOAD)


async def ask(vtun: VTun, server: Host, asked: dns.message.Message, port: int = PORT) -> dns.message.Message:
    """Return the answer of a server, whatever it says. Raises an OSError where there is none."""
    wire = asked.to_wire()
    try:
        reply = await _by_udp(vtun, server, port, asked, wire)
    except ConnectionRefused:
        reply = None    # some serve TCP alone
    if reply is None or reply.flags & dns.flags.TC:
        reply = await _by_tcp(vtun, server, port, asked, wire)
    return reply


async def _by_udp(
    vtun: VTun, server: Host, port: int, asked: dns.message.Message, wire: bytes
) -> dns.message.Message:
    async with await vtun.open_datagram(remote_addr=(server, port)) as udp:
        for wait in WAITS:
            await udp.send(wire)
            try:
                async with asyncio.timeout(wait):
                    return await _reply(udp, asked)
            except TimeoutError:
                continue
    raise ConnectTimeout(f"the DNS server [{server!s}]:{port} did not answer")


async def _reply(udp: UdpSocket, asked: dns.message.Message) -> dns.message.Message:
    while True:
        if (reply := read(await udp.recv(), asked)) is not None:
            return reply    # anything else is none of the server's that was asked: the right one may still come


async def _by_tcp(
    vtun: VTun, server: Host, port: int, asked: dns.message.Message, wire: bytes
) -> dns.message.Message:
    try:
        async with asyncio.timeout(sum(WAITS)):
            reader, writer = await vtun.open_connection(server, port)
            try:
                writer.write(len(wire).to_bytes(2) + wire)
                size = int.from_bytes(await reader.readexactly(2))
                if size > MOST_BYTES:
                    raise TemporaryResolveError(f"the DNS server [{server!s}]:{port} answers with {size} bytes")
                reply = read(await reader.readexactly(size), asked)
            finally:
                writer.transport.abort()
    except asyncio.IncompleteReadError:
        reply = None
    except TimeoutError:
        raise ConnectTimeout(f"the DNS server [{server!s}]:{port} did not answer") from None
    if reply is None:
        raise TemporaryResolveError(f"the DNS server [{server!s}]:{port} gives no answer that can be read")
    return reply


def read(data: bytes, asked: dns.message.Message) -> dns.message.Message | None:
    """Return the answer to a question that `data` is, None where it is none."""
    try:
        reply = dns.message.from_wire(data, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError):
        return None
    same = reply.id == asked.id and reply.opcode() == asked.opcode() and reply.question == asked.question
    return reply if same and reply.flags & dns.flags.QR else None
