"""A DNS server at a VTun for tests, which answers as it is told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from ygg.simulation import Switch
from ygg.vtun import VTun


def answer(asked: dns.message.Message, *texts: str, rcode: int = dns.rcode.NOERROR, ttl: int = 60) -> Any:
    """Return the answer to a question, with these addresses."""
    reply: Any = dns.message.make_response(asked)
    reply.set_rcode(rcode)
    if texts:
        asked_for = asked.question[0]
        reply.answer.append(dns.rrset.from_text_list(asked_for.name, ttl, "IN", asked_for.rdtype, list(texts)))
    return reply


def alias(asked: dns.message.Message, target: str, *texts: str) -> Any:
    """Return the answer that a name is another one, with the addresses of that."""
    reply: Any = dns.message.make_response(asked)
    asked_for = asked.question[0]
    reply.answer.append(dns.rrset.from_text(asked_for.name, 60, "IN", "CNAME", target))
    if texts:
        reply.answer.append(dns.rrset.from_text_list(target, 60, "IN", asked_for.rdtype, list(texts)))
    return reply


@contextlib.asynccontextmanager
async def overlay(*addresses: str) -> AsyncIterator[list[VTun]]:
    """Yield a VTun for each address, all on one wire."""
    vtuns = [VTun([address]) for address in addresses]
    wire = Switch([vtun.upper for vtun in vtuns])
    try:
        yield vtuns
    finally:
        for vtun in vtuns:
            await vtun.close(grace=0.2)
        wire.close()


class Server(asyncio.DatagramProtocol):
    """Answers by `reply`, with no, one or several datagrams; `lose` questions before."""

    def __init__(self, vtun: VTun, *, udp: bool = True) -> None:
        self._vtun, self._with_udp = vtun, udp
        self.reply: Callable[[Any], list[Any]] = lambda asked: [answer(asked, "200::5").to_wire()]
        self.lose = self.datagrams = self.streams = 0
        self.asked: list[str] = []

    async def __aenter__(self) -> Self:
        self._tcp = await self._vtun.start_server(self._serve, None, 53)
        if self._with_udp:
            self._udp, _ = await self._vtun.create_datagram_endpoint(lambda: self, ("::", 53))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._tcp.close()
        if self._with_udp:
            self._udp.close()
        await asyncio.sleep(0.01)

    def _replies(self, data: bytes) -> list[Any]:
        asked = dns.message.from_wire(data)
        question = asked.question[0]
        self.asked.append(f"{question.name} {dns.rdatatype.to_text(question.rdtype)}")
        return self.reply(asked)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.datagrams += 1
        if self.datagrams > self.lose:
            for reply in self._replies(data):
                self._udp.sendto(reply, addr)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.streams += 1
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            size = int.from_bytes(await reader.readexactly(2))
            for reply in self._replies(await reader.readexactly(size)):
                writer.write(len(reply).to_bytes(2) + reply)
                await writer.drain()
        writer.close()
