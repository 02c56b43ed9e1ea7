"""A DNS server for the machine's programs: what names of the overlay lead to, by UDP and TCP.

It answers questions for addresses (A and AAAA, class IN) of names that are the overlay's, and for the names of its
addresses (PTR). Other names are refused, so that the client goes on to the next server. Nothing is forwarded.

Clients are bounded in questions under way and in connections, each and all together; what is beyond is counted and not
answered. An answer is about as long as its question.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any, Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.reversename
import dns.rrset

from ygg.errors import NetworkError, ResolveError, TemporaryResolveError, YggError
from ygg.identity.overlay import OVERLAY
from ygg.names.exchange import PAYLOAD
from ygg.names.names import TTL, Names
from ygg.names.values import PORT, Kind
from ygg.network.base import Listener, Network
from ygg.network.streams import streams

MOST_ASKED, MOST_ASKED_EACH = 256, 64
"""Questions under way, of all and of one address."""
MOST_CONNECTIONS, MOST_CONNECTIONS_EACH = 64, 16
"""Connections, of all and of one address."""
LIMIT = 10.0
"""Seconds for an answer, and for a connection to ask."""
MOST_BYTES = 4096
"""Of a question."""


@dataclass(slots=True)
class DnsCounters:
    """What has become of questions."""

    answered: int = 0
    """With addresses, or that there are none."""
    failed: int = 0
    """A server in the overlay that knows the name did not answer."""
    refused: int = 0
    """For names that are not the overlay's, and for what is not served."""
    malformed: int = 0
    """That are no questions of DNS."""
    dropped: int = 0
    """Beyond the bounds; connections among them."""


class DnsServer:
    """Answers at an address of `network`, for as long as it is entered: `async with DnsServer(names, network): …`.

    `names` and `network` stay their owner's to close. Port 0 is a free one, the same for UDP and TCP.
    """

    def __init__(self, names: Names, network: Network, host: str = "127.0.0.1", port: int = PORT) -> None:
        self._names, self._network = names, network
        self._host, self._port = host, port
        self._asking: Counter[str] = Counter()
        self._connections: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._udp: asyncio.DatagramTransport | None = None
        self._listener: Listener | None = None
        self.counters = DnsCounters()
        """What has become of questions so far."""

    @property
    def address(self) -> str:
        """Where it answers, as `host:port`. ValueError when it is not open."""
        if self._listener is None:
            raise ValueError("the DNS server is not open")
        return self._listener.address

    async def __aenter__(self) -> Self:
        self._listener = await self._network.listen_stream(self._host, self._port)
        try:
            port = int(self._listener.address.rpartition(":")[2])
            self._udp, _ = await self._network.create_datagram_endpoint(lambda: _Port(self), (self._host, port))
        except BaseException:
            await self._close()
            raise
        self._start(self._accept(self._listener))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def _close(self) -> None:
        listener, self._listener = self._listener, None
        udp, self._udp = self._udp, None
        if listener is not None:
            listener.close()
        if udp is not None:
            udp.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if listener is not None:
            await listener.wait_closed()

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # UDP

    def datagram(self, data: bytes, source: tuple[Any, ...]) -> None:
        """Take a question that has come by UDP."""
        if len(data) > MOST_BYTES:
            self.counters.malformed += 1
        elif self._may_ask(source[0]):
            self._start(self._answer_datagram(data, source))

    async def _answer_datagram(self, data: bytes, source: tuple[Any, ...]) -> None:
        reply, most = await self._answer(data, source[0], by_udp=True)
        if reply is not None and self._udp is not None and not self._udp.is_closing():
            self._udp.sendto(_datagram(reply, most), source)

    # TCP

    async def _accept(self, listener: Listener) -> None:
        while True:
            try:
                transport, source = await listener.accept()
            except NetworkError:
                return      # closed, or its network is down
            host = source.rpartition(":")[0]
            if len(self._tasks) > MOST_ASKED + MOST_CONNECTIONS or (
                self._connections.total() >= MOST_CONNECTIONS or self._connections[host] >= MOST_CONNECTIONS_EACH
            ):
                self.counters.dropped += 1
                transport.abort()
                continue
            self._connections[host] += 1
            self._start(self._serve(transport, host))

    async def _serve(self, transport: asyncio.Transport, host: str) -> None:
        try:
            reader, writer = streams(transport, MOST_BYTES)
            while True:
                async with asyncio.timeout(LIMIT):
                    size = int.from_bytes(await reader.readexactly(2))
                    if size > MOST_BYTES:
                        self.counters.malformed += 1
                        return
                    data = await reader.readexactly(size)
                if not self._may_ask(host):
                    return
                reply, most = await self._answer(data, host, by_udp=False)
                if reply is None:
                    return
                wire = reply.to_wire(max_size=most)
                async with asyncio.timeout(LIMIT):
                    writer.write(len(wire).to_bytes(2) + wire)
                    await writer.drain()
        except (EOFError, OSError, TimeoutError):
            pass    # the client is gone, or does nothing
        finally:
            transport.abort()
            self._connections[host] -= 1
            if not self._connections[host]:
                del self._connections[host]

    # Questions

    def _may_ask(self, host: str) -> bool:
        if self._asking.total() >= MOST_ASKED or self._asking[host] >= MOST_ASKED_EACH:
            self.counters.dropped += 1
            return False
        self._asking[host] += 1
        return True

    async def _answer(self, data: bytes, host: str, *, by_udp: bool) -> tuple[dns.message.Message | None, int]:
        """Return the reply to a question, None for what is none, and how long it may be."""
        try:
            try:
                asked = dns.message.from_wire(data)
            except (dns.exception.DNSException, ValueError):
                self.counters.malformed += 1
                return None, 0
            if asked.flags & dns.flags.QR:
                self.counters.malformed += 1
                return None, 0      # an answer: to answer it could go on for ever
            return await self._reply(asked), max(512, min(asked.payload, PAYLOAD)) if by_udp else 65535
        finally:
            self._asking[host] -= 1
            if not self._asking[host]:
                del self._asking[host]

    async def _reply(self, asked: dns.message.Message) -> dns.message.Message:
        reply = dns.message.make_response(asked, recursion_available=True, our_payload=PAYLOAD)
        if asked.opcode() != dns.opcode.QUERY or len(asked.question) != 1:
            self.counters.refused += 1
            reply.set_rcode(dns.rcode.NOTIMP)
            return reply
        question = asked.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        if question.rdclass != dns.rdataclass.IN or not self._serves(name, question):
            self.counters.refused += 1
            reply.set_rcode(dns.rcode.REFUSED)
            return reply
        try:
            async with asyncio.timeout(LIMIT):
                await self._fill(reply, name, question)
        except TemporaryResolveError:
            self.counters.failed += 1
            reply.set_rcode(dns.rcode.SERVFAIL)
        except ResolveError:
            self.counters.answered += 1
            reply.set_rcode(dns.rcode.NXDOMAIN)
        except (OSError, YggError, dns.exception.DNSException):     # of the last, a name that DNS cannot spell
            self.counters.failed += 1
            reply.set_rcode(dns.rcode.SERVFAIL)
        return reply

    def _serves(self, name: str, question: dns.rrset.RRset) -> bool:
        return _address(question.name) is not None if _is_reverse(name) else self._names.has(name)

    async def _fill(self, reply: dns.message.Message, name: str, question: dns.rrset.RRset) -> None:
        kind = question.rdtype
        if kind == dns.rdatatype.PTR and (address := _address(question.name)) is not None:
            texts, ttl = [f"{self._names.reverse(address)}."], TTL
        elif kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            answer = await self._names.find(name, Kind(int(kind)))
            texts, ttl = [str(address) for address in answer.addresses], answer.ttl
        else:
            self.counters.refused += 1
            reply.set_rcode(dns.rcode.NOTIMP)
            return
        self.counters.answered += 1
        if texts:
            reply.answer.append(dns.rrset.from_text_list(question.name, int(min(ttl, TTL)), "IN", kind, texts))


class _Port(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self._server.datagram(data, addr)


def _is_reverse(name: str) -> bool:
    return name.endswith((".ip6.arpa", ".in-addr.arpa"))


def _address(name: dns.name.Name) -> IPv6Address | None:
    """Return the address of the overlay that a name below `ip6.arpa` stands for; None for another name."""
    try:
        address = ip_address(dns.reversename.to_address(name))
    except (dns.exception.DNSException, ValueError):
        return None
    return address if isinstance(address, IPv6Address) and address in OVERLAY else None


def _datagram(reply: dns.message.Message, most: int) -> bytes:
    """Return a reply of no more bytes; one that is longer says that it is to be asked for by TCP."""
    try:
        return reply.to_wire(max_size=most)
    except dns.exception.TooBig:
        reply.answer.clear()
        reply.flags |= dns.flags.TC
        return reply.to_wire(max_size=most)


__all__ = ["DnsCounters", "DnsServer"]
