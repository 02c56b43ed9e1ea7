"""Whose an address is, and what is missing where nothing answers."""

import asyncio
import contextlib
import errno
import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from tests.aio import in_virtual_time, on_loops, until
from tests.expecting import raises_errno
from tests.nodes import node
from ygg import Core, LoopbackNetwork, address_of, subnet_of
from ygg.errors import (
    ConnectionRefused,
    ConnectTimeout,
    HostUnreachable,
    KeyUnknownError,
    NoPathError,
    NoPeerError,
    ResolveError,
    YggError,
)
from ygg.simulation import VirtualLoop
from ygg.testing import public_key
from ygg.vtun import VTun
from ygg.vtun.reach import Reach
from ygg_c.stack.netstack import NetStack


@asynccontextmanager
async def two_nodes(**options: Any) -> AsyncIterator[tuple[Core, Core]]:
    async with (
        LoopbackNetwork() as network,
        node(1, network, **options) as server,
        node(2, network, **options) as client,
    ):
        listener = await server.listen("tcp://127.0.0.1:0")
        client.add_peer(f"tcp://{listener.address}")
        await client.connected(10)
        await server.connected(10)
        yield server, client


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(writer.get_extra_info("public_key"))
    writer.close()


def test_a_stack_without_a_node_knows_nothing() -> None:
    reach = Reach(NetStack([address_of(public_key(2)).packed], 1280))
    raw = address_of(public_key(1)).packed
    assert reach.key_of(raw) is None
    assert reach.state(raw) == "detached"
    reach.learn(public_key(1))
    reach.check_served(raw, errno.ECONNREFUSED)
    assert isinstance(reach.timed_out(raw, "try"), ConnectTimeout)
    reach.close()
    assert reach.gateway is None


@on_loops
async def test_both_ends_know_each_others_key() -> None:
    async with two_nodes() as (server, client), VTun.over(server) as there, VTun.over(client) as here:
        async with await there.start_server(hang_up, port=7):
            reader, writer = await here.open_connection(server.address, 7, timeout=30)
            assert writer.get_extra_info("public_key") == server.public_key
            assert await reader.read() == client.public_key
            writer.close()
        assert here.key_of(server.address) == server.public_key
        assert here.key_of(str(next(server.subnet.hosts()))) == server.public_key
        assert here.key_of(client.address) == client.public_key
        assert here.key_of(address_of(public_key(9))) is None
        assert here.key_of(public_key(9)) == public_key(9)


@on_loops
async def test_an_address_in_a_subnet_is_its_nodes() -> None:
    async with two_nodes() as (server, client), VTun.over(client) as here:
        from ygg import Gateway, TunAdapter

        gateway = Gateway(server)
        adapter = TunAdapter(gateway)
        async with VTun([server.subnet]) as there:
            adapter.attach(there)
            host = server.subnet[0x1234]
            async with await there.start_server(hang_up, str(host), 7):
                reader, writer = await here.open_connection(host, 7, timeout=30)
                assert writer.get_extra_info("public_key") == server.public_key
                assert await reader.read() == client.public_key
                writer.close()
            # What the VTun does not serve of its node's own is refused, here the address outside the subnet.
            with pytest.raises(ConnectionRefused):
                await there.open_connection(server.address, 7)
        adapter.close()
        gateway.close()


@on_loops
@pytest.mark.parametrize("form", ["bytes", "hex", "hex bytes", "upper case"])
async def test_a_key_is_dialed_like_an_address(form: str) -> None:
    async with two_nodes() as (server, client), VTun.over(server) as there, VTun.over(client) as here:
        key = server.public_key
        forms: dict[str, str | bytes] = {
            "bytes": key, "hex": key.hex(), "hex bytes": key.hex().encode(), "upper case": key.hex().upper(),
        }  # fmt: skip
        host = forms[form]
        async with await there.start_server(hang_up, port=7):
            _, writer = await here.open_connection(host, 7, timeout=30)
            assert writer.get_extra_info("peername")[0] == str(server.address)
            writer.close()
        assert await here.ping(host, timeout=30) > 0
        service = await there.open_datagram(local_port=53)
        asking = await here.open_datagram(remote_addr=(host, 53))
        await asking.send(b"anybody there?")
        data, sender = await service.recvfrom()
        assert data == b"anybody there?"
        assert there.key_of(sender[0]) == client.public_key
        asking.close()
        service.close()


@on_loops
async def test_a_connected_datagram_transport_knows_the_key() -> None:
    async with two_nodes() as (server, client), VTun.over(client) as here:
        transport, _ = await here.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=(server.public_key.hex(), 53)
        )
        assert transport.get_extra_info("public_key") == server.public_key
        assert transport.get_extra_info("peername")[0] == str(server.address)
        unconnected, _ = await here.create_datagram_endpoint(asyncio.DatagramProtocol)
        assert unconnected.get_extra_info("public_key") is None
        transport.close()
        unconnected.close()


def test_text_that_is_no_key_and_no_address_is_no_host() -> None:
    from ygg.vtun.addresses import key_in, packed

    for text in ("example", "zz" * 32, "ab" * 31, "200::1::2"):
        assert key_in(text) is None
        with pytest.raises(ResolveError):
            packed(text)
    # An address that is spelled with as many characters as a key has bytes is no key.
    spelled = b"200:1234:5678:9abc:def0:1234:5:6"
    assert len(spelled) == 32
    assert key_in(spelled) is None
    assert packed(spelled) == ipaddress.IPv6Address(spelled.decode()).packed


@in_virtual_time
async def test_a_dial_without_a_peer_fails_within_seconds_and_says_so() -> None:
    loop = asyncio.get_running_loop()
    async with LoopbackNetwork() as network, node(1, network) as one, VTun.over(one) as vtun:
        begun = loop.time()
        with raises_errno(errno.ENETUNREACH) as caught:
            await vtun.open_connection(address_of(public_key(2)), 80)
        assert isinstance(caught.value, NoPeerError)
        assert isinstance(caught.value, YggError)
        assert 2 <= loop.time() - begun < 5
        with pytest.raises(ConnectTimeout, match="no peer is up"):
            await vtun.open_connection(address_of(public_key(2)), 80, timeout=0.5)
        with pytest.raises(ConnectTimeout, match="no peer is up"):
            await vtun.ping(address_of(public_key(2)))


@on_loops
async def test_a_dial_waits_for_a_peer_that_is_just_coming_up() -> None:
    async with (
        LoopbackNetwork() as network,
        node(1, network) as server,
        node(2, network) as client,
        VTun.over(server) as there,
        VTun.over(client) as here,
        await there.start_server(hang_up, port=7),
    ):
        dialing = asyncio.create_task(here.open_connection(server.address, 7))
        await asyncio.sleep(0.1)
        listener = await server.listen("tcp://127.0.0.1:0")
        client.add_peer(f"tcp://{listener.address}")
        _, writer = await dialing
        writer.close()


@on_loops
async def test_a_lookup_without_an_answer_is_named() -> None:
    async with two_nodes() as (_, client), VTun.over(client) as here:
        with pytest.raises(KeyUnknownError, match="the key of the address is not known"):
            await here.open_connection(address_of(public_key(9)), 80, timeout=0.2)
        with pytest.raises(NoPathError, match="no path to the node is known") as caught:
            await here.open_connection(public_key(8), 80, timeout=0.2)
        assert isinstance(caught.value, TimeoutError)
        assert caught.value.errno == errno.ETIMEDOUT
        with pytest.raises(KeyUnknownError):
            await here.ping(address_of(public_key(7)), timeout=0.2)


@in_virtual_time
async def test_a_dial_whose_lookup_has_no_answer_fails_within_seconds() -> None:
    loop = cast(VirtualLoop, asyncio.get_running_loop())
    async with two_nodes(clock=loop.clock) as (_, client), VTun.over(client) as here:
        for host, kind in ((address_of(public_key(9)), KeyUnknownError), (public_key(8), NoPathError)):
            begun = loop.time()
            with pytest.raises(kind, match="no answer to the lookup"):
                await here.open_connection(host, 80)
            assert 15 <= loop.time() - begun < 25


@in_virtual_time
async def test_a_dial_to_a_node_that_is_found_and_silent_goes_on_as_tcp_has_it() -> None:
    """No VTun is attached to the other node, which answers lookups and opens sessions all the same."""
    loop = cast(VirtualLoop, asyncio.get_running_loop())
    async with two_nodes(clock=loop.clock) as (server, client), VTun.over(client) as here:
        begun = loop.time()
        with pytest.raises(ConnectTimeout) as caught:
            await here.open_connection(server.address, 80)
        assert type(caught.value) is ConnectTimeout
        assert loop.time() - begun > 100


@in_virtual_time
async def test_ones_own_addresses_that_are_not_served_are_refused_at_once() -> None:
    loop = asyncio.get_running_loop()
    async with LoopbackNetwork() as network, node(1, network) as one, VTun.over(one) as vtun:
        begun = loop.time()
        own = subnet_of(one.public_key)[5]
        with pytest.raises(ConnectionRefused, match="nothing serves it"):
            await vtun.open_connection(own, 80)
        with pytest.raises(HostUnreachable):
            await vtun.ping(own)
        with pytest.raises(ConnectionRefused):
            await vtun.open_connection(one.address, 80)
        assert loop.time() - begun < 0.1


@on_loops
async def test_a_timeout_covers_the_tls_handshake() -> None:
    """The server accepts and says nothing."""
    async with two_nodes() as (server, client), VTun.over(server) as there, VTun.over(client) as here:
        came: list[asyncio.StreamWriter] = []

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            came.append(writer)
            with contextlib.suppress(OSError):
                await reader.read()
            writer.close()

        async with await there.start_server(silent, port=443):
            with pytest.raises(ConnectTimeout):
                await here.open_connection(server.address, 443, ssl=True, timeout=0.3)
            await until(lambda: came and came[0].is_closing())
