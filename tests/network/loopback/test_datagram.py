"""ygg.network.loopback.datagram: datagrams inside the process, with a kernel's manners."""

import asyncio
from typing import Any

import pytest

from tests.aio import on_loops, settle
from ygg.errors import ConnectionRefused, MessageTooBig, NetworkUnreachable, ResolveError
from ygg.network import LoopbackNetwork


@on_loops
async def test_datagrams_beyond_the_queue_are_lost_not_kept() -> None:
    class Count(asyncio.DatagramProtocol):
        count = 0

        def datagram_received(self, data: bytes, addr: object) -> None:
            self.count += 1

    async with LoopbackNetwork() as network:
        server, protocol = await network.create_datagram_endpoint(Count, ("127.0.0.1", 0))
        client, _ = await network.create_datagram_endpoint(
            Count, remote_addr=("127.0.0.1", server.get_extra_info("sockname")[1])
        )
        for _ in range(1000):
            client.sendto(b"x")
        await settle()
        assert protocol.count == 256
        client.sendto(b"x")
        await settle()
        assert protocol.count == 257


class Log(asyncio.DatagramProtocol):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, Any]] = []
        self.errors: list[Exception] = []
        self.lost: list[Exception | None] = []

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.got.append((data, addr))

    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)


@on_loops
async def test_a_datagram_is_told_whose_it_is_and_can_be_answered() -> None:
    async with LoopbackNetwork() as network:
        server, there = await network.create_datagram_endpoint(Log, ("127.0.0.1", 0))
        client, here = await network.create_datagram_endpoint(Log, remote_addr=server.get_extra_info("sockname"))
        data = bytearray(b"ask")
        client.sendto(data)
        data[:] = b"xxx"
        assert there.got == []          # never from inside the call
        await settle()
        assert there.got == [(b"ask", client.get_extra_info("sockname"))]
        server.sendto(b"", there.got[0][1])
        await settle()
        assert here.got == [(b"", server.get_extra_info("sockname"))]
        assert client.get_extra_info("peername") == server.get_extra_info("sockname")


@on_loops
async def test_a_connected_port_hears_its_peer_alone_and_sends_to_it_alone() -> None:
    async with LoopbackNetwork() as network:
        server, there = await network.create_datagram_endpoint(Log, ("127.0.0.1", 0))
        client, here = await network.create_datagram_endpoint(Log, remote_addr=server.get_extra_info("sockname"))
        stranger, other = await network.create_datagram_endpoint(Log, ("127.0.0.1", 0))
        stranger.sendto(b"not me", client.get_extra_info("sockname"))
        client.sendto(b"to the peer", stranger.get_extra_info("sockname"))
        await settle()
        assert (here.got, other.got) == ([], [])
        assert [data for data, _ in there.got] == [b"to the peer"]


@on_loops
async def test_only_a_connected_port_is_told_that_nothing_listens() -> None:
    async with LoopbackNetwork() as network:
        client, here = await network.create_datagram_endpoint(Log, remote_addr=("127.0.0.1", 9))
        plain, other = await network.create_datagram_endpoint(Log, ("127.0.0.1", 0))
        client.sendto(b"x")
        plain.sendto(b"x", ("127.0.0.1", 9))
        await settle()
        assert [type(error) for error in here.errors] == [ConnectionRefused]
        assert other.errors == []
        assert not client.is_closing()
        with pytest.raises(ValueError, match="address is needed"):
            plain.sendto(b"x")


@pytest.mark.parametrize(("host", "most"), [("127.0.0.1", 65507), ("::1", 65527)])
@on_loops
async def test_the_largest_datagram_and_one_more(host: str, most: int) -> None:
    async with LoopbackNetwork() as network:
        server, there = await network.create_datagram_endpoint(Log, (host, 0))
        client, here = await network.create_datagram_endpoint(Log, remote_addr=server.get_extra_info("sockname")[:2])
        client.sendto(bytes(most + 1))
        client.sendto(bytes(most))
        await settle()
        assert [len(data) for data, _ in there.got] == [most]
        assert [type(error) for error in here.errors] == [MessageTooBig]


@pytest.mark.parametrize(("near", "far", "error"), [
    ("127.0.0.1", "::1", ResolveError), ("::1", "127.0.0.1", ResolveError),
    ("::1", "::ffff:127.0.0.1", NetworkUnreachable),
    ("127.0.0.1", "no.such.name", ResolveError),
])
@on_loops
async def test_an_address_of_the_other_family_is_an_error_as_the_kernels(near: str, far: str, error: type) -> None:
    async with LoopbackNetwork() as network:
        port, log = await network.create_datagram_endpoint(Log, (near, 0))
        port.sendto(b"x", (far, 9))
        await settle()
        assert [type(told) for told in log.errors] == [error]


@on_loops
async def test_a_closed_port_is_free_sends_nothing_and_is_told_once() -> None:
    async with LoopbackNetwork() as network:
        server, there = await network.create_datagram_endpoint(Log, ("127.0.0.1", 0))
        client, here = await network.create_datagram_endpoint(Log, remote_addr=server.get_extra_info("sockname"))
        client.sendto(b"before")
        server.close()
        server.abort()
        server.sendto(b"after", client.get_extra_info("sockname"))
        await settle()
        assert (there.got, there.lost) == ([], [None])      # what had not been told is lost
        assert here.got == []
        again, _ = await network.create_datagram_endpoint(Log, server.get_extra_info("sockname"))
        assert again.get_extra_info("sockname") == server.get_extra_info("sockname")
        assert server.is_closing()
        assert server.get_protocol() is there


@on_loops
async def test_a_port_of_both_families_shows_ipv4_as_the_kernel_does() -> None:
    async with LoopbackNetwork() as network:
        server, there = await network.create_datagram_endpoint(Log, ("::", 0))
        number = server.get_extra_info("sockname")[1]
        client, here = await network.create_datagram_endpoint(Log, remote_addr=("127.0.0.1", number))
        client.sendto(b"x")
        await settle()
        ((_, address),) = there.got
        assert address == ("::ffff:127.0.0.1", client.get_extra_info("sockname")[1], 0, 0)
        server.sendto(b"y", address)
        await settle()
        assert here.got == [(b"y", ("127.0.0.1", number))]
