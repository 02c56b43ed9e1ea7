"""ygg.names.server: questions of this machine's programs, answered, refused, and bounded."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv6Address
from typing import Any

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.aio import in_virtual_time, on_loops, settle, until
from tests.names.servers import Server, answer
from tests.vtunpair import ADDRESS_B, joined
from ygg.errors import AddressInUse, ResolveError
from ygg.names import Answer, Kind, Names
from ygg.names import server as module
from ygg.names.server import DnsServer
from ygg.network import LoopbackNetwork, NativeNetwork
from ygg.network.streams import open_connection

NAME = "aiag7sesed2aaxgcgbnevruwpy.meship"


class Port(asyncio.DatagramProtocol):
    """Keeps what comes."""

    def __init__(self) -> None:
        self.data: list[bytes] = []

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.data.append(data)


@asynccontextmanager
async def asking(network: Any, server: DnsServer) -> AsyncIterator[Any]:
    """Yield a function that asks by UDP."""
    host, _, number = server.address.rpartition(":")
    transport, port = await network.create_datagram_endpoint(Port, remote_addr=(host, int(number)))

    async def ask(query: Any) -> Any:
        transport.sendto(query.to_wire())
        await until(lambda: port.data)
        return dns.message.from_wire(port.data.pop(0))

    yield ask
    transport.close()


def query(name: str, kind: str = "AAAA", **more: Any) -> Any:
    return dns.message.make_query(name, kind, **more)


def texts(reply: Any) -> list[str]:
    return [record.to_text() for rrset in reply.answer for record in rrset]


@on_loops
async def test_by_udp_on_the_system() -> None:
    async with NativeNetwork() as network:
        names = Names({"friend.example": "200::4"})
        async with DnsServer(names, network, port=0) as server, asking(network, server) as ask:
            reply = await ask(query("Friend.Example"))
            assert (reply.rcode(), texts(reply)) == (dns.rcode.NOERROR, ["200::4"])
            assert reply.flags & dns.flags.RA
            assert reply.answer[0].ttl == 60
            for name, kind, rcode, found in [
                ("friend.example", "A", dns.rcode.NOERROR, []),
                (NAME, "AAAA", dns.rcode.NOERROR, ["200:6fc8:9220:f400:5cc2:305a:4ac6:967e"]),
                ("none.meship", "AAAA", dns.rcode.NXDOMAIN, []),
                ("site.ygg", "AAAA", dns.rcode.NXDOMAIN, []),       # without a VTun there is no server to ask
                ("example.org", "AAAA", dns.rcode.REFUSED, []),
                ("localhost", "A", dns.rcode.REFUSED, []),
                ("friend.example", "TXT", dns.rcode.NOTIMP, []),
                (IPv6Address("200::4").reverse_pointer, "PTR", dns.rcode.NOERROR, ["friend.example."]),
                (IPv6Address("2001:db8::4").reverse_pointer, "PTR", dns.rcode.REFUSED, []),
                ("1.0.0.127.in-addr.arpa", "PTR", dns.rcode.REFUSED, []),
            ]:
                reply = await ask(query(name, kind))
                assert (reply.rcode(), texts(reply)) == (rcode, found), (name, kind)
            status = query("friend.example")
            status.set_opcode(dns.opcode.STATUS)
            assert (await ask(status)).rcode() == dns.rcode.NOTIMP
            assert (await ask(query("friend.example", rdclass="CH"))).rcode() == dns.rcode.REFUSED
            assert server.counters.answered == 6
            assert server.counters.refused == 7
        with pytest.raises(ValueError, match="not open"):
            _ = server.address


@on_loops
async def test_by_tcp_several_questions_on_a_connection() -> None:
    async with NativeNetwork() as network, DnsServer(Names({"friend": "200::4"}), network, "::1", 0) as server:
        host, _, number = server.address.rpartition(":")
        reader, writer = await open_connection(network, host.strip("[]"), int(number))
        for _ in range(3):
            wire = query("friend").to_wire()
            writer.write(len(wire).to_bytes(2) + wire[:5])
            await settle()
            writer.write(wire[5:])
            size = int.from_bytes(await reader.readexactly(2))
            assert texts(dns.message.from_wire(await reader.readexactly(size))) == ["200::4"]
        writer.write(b"\0\5nonse")
        assert await reader.read() == b""
        writer.close()
        assert server.counters.malformed == 1


@in_virtual_time
async def test_names_that_servers_in_the_overlay_know() -> None:
    async with joined() as pair, Server(pair.b) as far, LoopbackNetwork() as network:
        names = Names(vtun=pair.a, alfis=[ADDRESS_B], rng=random.Random(1))
        async with DnsServer(names, network) as server, asking(network, server) as ask:
            assert texts(await ask(query("site.ygg"))) == ["200::5"]
            far.reply = lambda asked: [answer(asked, "192.0.2.1", ttl=40).to_wire()]
            reply = await ask(query("site.ygg", "A"))
            assert (texts(reply), reply.answer[0].ttl) == (["192.0.2.1"], 40)
            far.reply = lambda asked: [answer(asked, rcode=dns.rcode.SERVFAIL).to_wire()]
            assert (await ask(query("other.ygg"))).rcode() == dns.rcode.SERVFAIL
            far.lose = 1000
            assert (await ask(query("third.ygg"))).rcode() == dns.rcode.SERVFAIL
            assert server.counters.failed == 2


@in_virtual_time
async def test_a_name_of_the_table_that_dns_cannot_spell() -> None:
    async with LoopbackNetwork() as network, DnsServer(Names({"a" * 64: "200::4"}), network) as server:
        async with asking(network, server) as ask:
            assert (await ask(query(IPv6Address("200::4").reverse_pointer, "PTR"))).rcode() == dns.rcode.SERVFAIL
        assert server.counters.failed == 1


@in_virtual_time
async def test_a_long_answer_is_cut_off_by_udp() -> None:
    class Many(Names):
        async def find(self, name: str, kind: Kind = Kind.AAAA) -> Answer:
            return Answer(tuple(IPv6Address(f"200::{number:x}") for number in range(200)), 60)

    async with LoopbackNetwork() as network, DnsServer(Many({"many": "200::1"}), network) as server:
        async with asking(network, server) as ask:
            reply = await ask(query("many"))
            assert (texts(reply), bool(reply.flags & dns.flags.TC)) == ([], True)
        reader, writer = await open_connection(network, "127.0.0.1", 53)
        wire = query("many").to_wire()
        writer.write(len(wire).to_bytes(2) + wire)
        size = int.from_bytes(await reader.readexactly(2))
        assert len(texts(dns.message.from_wire(await reader.readexactly(size)))) == 200
        writer.close()


class Slow(Names):
    """Knows nothing, after a long time."""

    async def find(self, name: str, kind: Kind = Kind.AAAA) -> Answer:
        await asyncio.sleep(3600)
        raise ResolveError


@in_virtual_time
async def test_questions_under_way_are_bounded_and_each_has_an_end() -> None:
    async with LoopbackNetwork(addresses=["127.0.0.0/8"]) as network, DnsServer(Slow(), network) as server:
        ports = []
        for number in range(1, 7):
            transport, port = await network.create_datagram_endpoint(Port, (f"127.0.1.{number}", 0), ("127.0.0.1", 53))
            ports.append((transport, port))
            for _ in range(100):
                transport.sendto(query("site.ygg").to_wire())
                await settle(2)
        await asyncio.sleep(0.1)
        assert server.counters.dropped == 600 - module.MOST_ASKED
        await asyncio.sleep(module.LIMIT)
        assert [len(port.data) for _, port in ports] == [64, 64, 64, 64, 0, 0]
        assert dns.message.from_wire(ports[0][1].data[0]).rcode() == dns.rcode.SERVFAIL
        for transport, _ in ports:
            transport.close()


@in_virtual_time
async def test_connections_are_bounded_and_those_that_ask_nothing_end() -> None:
    async with LoopbackNetwork() as network, DnsServer(Names(), network) as server:
        streams = [await open_connection(network, "127.0.0.1", 53) for _ in range(module.MOST_CONNECTIONS_EACH + 4)]
        await asyncio.sleep(0.1)
        assert server.counters.dropped == 4
        begun = asyncio.get_running_loop().time()
        for reader, writer in streams:
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
        assert asyncio.get_running_loop().time() - begun <= module.LIMIT
        _, writer = await open_connection(network, "127.0.0.1", 53)
        writer.close()


@in_virtual_time
async def test_it_closes_while_it_is_asked() -> None:
    async with LoopbackNetwork() as network:
        async with DnsServer(Slow(), network) as server, asking(network, server) as ask:
            waiting = asyncio.create_task(ask(query("site.ygg")))
            _, writer = await open_connection(network, "127.0.0.1", 53)
            wire = query("site.ygg").to_wire()
            writer.write(len(wire).to_bytes(2) + wire)
            await asyncio.sleep(1)
            with pytest.raises(AddressInUse):
                await DnsServer(Names(), network).__aenter__()
        waiting.cancel()
        writer.close()
        async with DnsServer(Names(), network):
            pass


@given(st.lists(st.binary(max_size=60), max_size=5), st.booleans())
def test_nonsense(data: list[bytes], question: bool) -> None:
    head = query("friend").to_wire() if question else b""

    @in_virtual_time
    async def main() -> None:
        async with LoopbackNetwork() as network, DnsServer(Names({"friend": "200::4"}), network) as server:
            transport, port = await network.create_datagram_endpoint(Port, remote_addr=("127.0.0.1", 53))
            for each in data:
                transport.sendto(head + each)
            transport.sendto(query("friend").to_wire())
            await asyncio.sleep(0.1)
            assert texts(dns.message.from_wire(port.data[-1])) == ["200::4"]
            counted = server.counters
            assert counted.answered + counted.refused + counted.malformed == len(data) + 1
            transport.close()

    main()
