"""ygg.transport.quic.transport: links over QUIC."""

import asyncio
import gc
import os
import sys
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aioquic.quic.connection import QuicConnection

from tests.aio import on_loops, settle, until
from ygg.errors import AddressInUse, ConnectionReset, MissingExtraError, OperationNotSupported
from ygg.identity.certificate import Certificate
from ygg.network import HoldingProtocol, LoopbackNetwork, NativeNetwork, Network, take_over
from ygg.network.streams import streams
from ygg.transport import DialOptions, Listener, ListenOptions, QuicTransport
from ygg.transport.quic import link as quic_link
from ygg.transport.quic import listener as quic_listener
from ygg.url import PeerURL

NETWORKS = pytest.mark.parametrize("network_type", [NativeNetwork, LoopbackNetwork])
CERTIFICATE = Certificate.generate()
Pair = tuple[Any, Any]


@asynccontextmanager
async def listening(network: Network) -> AsyncIterator[tuple[QuicTransport, Listener, PeerURL]]:
    transport = QuicTransport(CERTIFICATE)
    listener = await transport.listen(network, PeerURL.parse("quic://127.0.0.1:0"), ListenOptions())
    try:
        yield transport, listener, PeerURL.parse(f"quic://{listener.address}")
    finally:
        listener.close()
        await listener.wait_closed()


@asynccontextmanager
async def connected(network: Network) -> AsyncIterator[Pair]:
    async with listening(network) as (transport, listener, url):
        client = await transport.dial(network, url, DialOptions())
        client.write(b"!")
        server, remote = await listener.accept()
        assert remote.startswith("127.0.0.1:")
        yield client, server


@NETWORKS
@on_loops
async def test_bytes_cross_both_ways_and_the_end_is_clean(network_type: type[Network]) -> None:
    async with network_type() as network, connected(network) as (client, server):
        assert isinstance(client.get_protocol(), HoldingProtocol)
        assert not client.is_reading()
        assert client.get_extra_info("peername")[:2] == server.get_extra_info("sockname")[:2]
        (reader, writer), (other_reader, other) = streams(client), streams(server)
        sent = os.urandom(200_000)
        writer.write(sent)
        other.write(b"early answer\n")
        assert await reader.readline() == b"early answer\n"
        assert await other_reader.readexactly(len(sent) + 1) == b"!" + sent
        writer.write_eof()
        assert await other_reader.read() == b""
        other.write(b"last words")
        other.close()
        assert await reader.read() == b"last words"
        await other.wait_closed()
        writer.close()
        await writer.wait_closed()


@on_loops
async def test_what_came_before_the_end_is_read_after_it() -> None:
    async with LoopbackNetwork() as network, connected(network) as (client, server):
        client.write(b"?" * 9)
        link = server.link
        client.close()
        await until(lambda: link.ended)
        reader, writer = streams(server)
        assert await reader.read() == b"!" + b"?" * 9
        await writer.wait_closed()


@on_loops
async def test_an_abort_before_what_came_has_been_read_is_told() -> None:
    async with LoopbackNetwork() as network, connected(network) as (client, server):
        link, log = server.link, Losing()
        client.close()
        await until(lambda: link.ended)
        server.set_protocol(log)
        assert server.unread
        server.abort()
        server.abort()
        await until(lambda: log.lost)
        await settle()
        assert log.lost == [None]


@on_loops
async def test_a_writer_is_paused_while_nobody_reads_and_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quic_link, "MOST_UNREAD", 64 * 1024)
    async with LoopbackNetwork() as network, connected(network) as (client, server):
        _, writer = streams(client)
        client.set_write_buffer_limits(high=32 * 1024)
        sent = 1
        while not client._protocol_paused:
            writer.write(bytes(16 * 1024))
            sent += 16 * 1024
            await asyncio.sleep(0.001)
        assert server.unread < 128 * 1024
        reader, _ = streams(server)
        assert len(await reader.readexactly(sent)) == sent
        await writer.drain()
        client.abort()


@on_loops
async def test_a_writer_waits_for_what_has_not_been_sent_and_not_for_what_is_under_way() -> None:
    """Else no more than the limit could be under way, however long the round trip."""
    async with LoopbackNetwork() as network, connected(network) as (client, server):
        server.link.transmit = lambda: None        # it confirms nothing
        _, writer = streams(client)
        client.set_write_buffer_limits(high=2000)
        told: list[str] = []
        for name in ("pause_writing", "resume_writing"):
            setattr(client.get_protocol(), name, lambda name=name: told.append(name))
        writer.write(bytes(4000))
        assert told == ["pause_writing"]
        await until(lambda: len(told) == 2)
        assert told[1] == "resume_writing"
        assert client.get_write_buffer_size() >= 4000
        writer.write(bytes(400_000))                # more than may be under way
        await until(lambda: server.unread > 4000)
        assert client._protocol_paused
        client.abort()
        server.abort()


@on_loops
async def test_what_is_written_after_a_close_is_lost() -> None:
    async with LoopbackNetwork() as network, connected(network) as (client, server):
        client.close()
        client.write(b"too late")
        reader, writer = streams(server)
        assert await reader.read() == b"!"
        await writer.wait_closed()


class Losing(asyncio.Protocol):
    """Counts how often it is told that the connection is lost."""

    def __init__(self) -> None:
        self.lost: list[Exception | None] = []

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)


def ignore_everything(client: Any) -> Any:
    """Turn a client into one that answers to nothing but what keeps the connection; return aioquic's part of it."""
    client.link.quic_event_received = lambda event: None
    return client.link._quic


@on_loops
async def test_a_peer_that_reads_no_more_ends_the_connection() -> None:
    async with LoopbackNetwork() as network, connected(network) as (client, server):
        take_over(server, protocol := Losing())
        ignore_everything(client).stop_stream(0, 7)
        client.link.transmit()
        await until(lambda: protocol.lost)
        server.close()
        server.write(b"too late")
        await settle()
        assert [type(error) for error in protocol.lost] == [ConnectionReset]
        client.abort()


@pytest.mark.parametrize("last", ["write", "write_eof", "close"])
@on_loops
async def test_a_peer_that_never_read_ends_the_connection_at_the_first_write(last: str) -> None:
    async with LoopbackNetwork() as network, listening(network) as (transport, listener, url):
        client: Any = await transport.dial(network, url, DialOptions())
        quic = ignore_everything(client)
        quic.send_stream_data(0, b"!")
        quic.stop_stream(0, 7)  # goes out before the data, and so before there is a stream
        client.link.transmit()
        server, _ = await listener.accept()
        take_over(server, protocol := Losing())
        getattr(server, last)(*[b"x"] * (last == "write"))
        assert server.is_closing()
        server.close()
        await settle()
        assert [type(error) for error in protocol.lost] == [ConnectionReset]
        client.abort()


@on_loops
async def test_a_library_that_fails_ends_the_connection_and_frees_its_port() -> None:
    async with LoopbackNetwork() as network, connected(network) as (client, server):
        take_over(server, protocol := Losing())
        take_over(client, other := Losing())
        links = client.link, server.link
        for link in links:
            link._quic.datagrams_to_send = lambda now: 1 / 0
        client.write(b"x")
        links[1]._timer.cancel()
        links[1]._handle_timer()
        await until(lambda: protocol.lost and other.lost)
        assert [type(error) for error in protocol.lost + other.lost] == [ConnectionReset, ConnectionReset]
        assert links[0]._transport._transport.is_closing()


class Babbler(asyncio.DatagramProtocol):
    """Answers every datagram with nonsense, or with silence."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if self.answer:
            self.transport.sendto(self.answer, addr)


@on_loops
async def test_nonsense_and_stalled_clients_keep_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quic_listener, "MOST_UNOPENED", 4)
    async with LoopbackNetwork() as network, listening(network) as (transport, listener, url):
        port, _ = await network.create_datagram_endpoint(lambda: Babbler(b""), remote_addr=("127.0.0.1", url.port or 0))
        for size in (0, 1, 7, 30, 1200, 1472):
            for first in (0x40, 0x80, 0xC0, 0xFF):
                port.sendto(bytes([first]) + os.urandom(size))
        # Connections without a stream: clients that shake hands and say nothing.
        silent = [await transport.dial(network, url, DialOptions()) for _ in range(6)]
        await settle()
        assert len(listener.unopened) <= 4  # type: ignore[attr-defined]
        client = await transport.dial(network, url, DialOptions())
        client.write(b"hello\n")
        server, _ = await listener.accept()
        reader, _ = streams(server)
        assert await reader.readline() == b"hello\n"
        await until(lambda: any(one.is_closing() for one in silent))


def initial(number: int) -> bytes:
    """Return what looks like the beginning of a connection, and of which nothing can be decrypted."""
    name = number.to_bytes(8)
    return b"\xc0" + (1).to_bytes(4) + b"\x08" + name + b"\x08" + name + b"\0\x44\xb0" + os.urandom(1200)


@on_loops
async def test_strangers_hold_no_more_connections_than_they_may() -> None:
    """However many come in one turn of the loop; and what made room is gone, with its timers."""
    async with LoopbackNetwork() as network, listening(network) as (_, listener, _):
        server = listener.server  # type: ignore[attr-defined]
        before = sum(type(thing) is QuicConnection for thing in gc.get_objects())
        server.wants_tokens = lambda: False
        held = weakref.WeakSet[QuicConnection]()
        for number in range(300):
            server.datagram_received(initial(number), (f"198.51.{number % 250}.1", 1000 + number))
            held.update(link._quic for link in listener.unopened)  # type: ignore[attr-defined]
            assert len(listener.unopened) <= quic_listener.MOST_UNOPENED  # type: ignore[attr-defined]
        assert len(listener.links) <= quic_listener.MOST_UNOPENED  # type: ignore[attr-defined]
        assert len(server._protocols) <= 2 * quic_listener.MOST_UNOPENED
        await settle()
        assert len(held) <= quic_listener.MOST_UNOPENED, "those discarded wait for the garbage collector"
        assert sum(type(thing) is QuicConnection for thing in gc.get_objects()) - before <= quic_listener.MOST_UNOPENED


@on_loops
async def test_a_crowded_listener_asks_for_tokens_and_lets_in_who_brings_them() -> None:
    async with LoopbackNetwork() as network, listening(network) as (transport, listener, url):
        server = listener.server  # type: ignore[attr-defined]
        for number in range(1000):
            server.datagram_received(initial(number), (f"198.51.{number % 250}.1", 1000 + number))
        assert len(listener.unopened) == quic_listener.MOST_UNOPENED // 2  # type: ignore[attr-defined]
        client = await transport.dial(network, url, DialOptions())
        client.write(b"hello\n")
        served, _ = await listener.accept()
        reader, _ = streams(served)
        assert await reader.readline() == b"hello\n"
        # An invented token is turned away.
        (link,) = set(listener.links) - set(listener.unopened)  # type: ignore[attr-defined]
        forged = initial(2000).replace(b"\0\x44\xb0", bytes([60]) + os.urandom(60) + b"\x44\xb0", 1)
        server.datagram_received(forged, ("198.51.100.1", 9))
        assert set(listener.links) == {link, *listener.unopened}  # type: ignore[attr-defined]


@on_loops
async def test_a_crowd_from_one_place_makes_room_from_itself() -> None:
    async with LoopbackNetwork() as network, listening(network) as (_, listener, _):
        server = listener.server  # type: ignore[attr-defined]
        server.wants_tokens = lambda: False
        server.datagram_received(initial(0), ("203.0.113.1", 9))
        (honest,) = listener.unopened  # type: ignore[attr-defined]
        for number in range(1, 200):
            server.datagram_received(initial(number), ("198.51.100.1", 1000 + number))
        assert honest in listener.unopened  # type: ignore[attr-defined]
        assert len(listener.unopened) == quic_listener.MOST_UNOPENED  # type: ignore[attr-defined]


@NETWORKS
@on_loops
async def test_the_port_is_free_once_the_listener_and_its_links_have_ended(network_type: type[Network]) -> None:
    async with network_type() as network:
        async with listening(network) as (transport, listener, url):
            client = await transport.dial(network, url, DialOptions())
            client.write(b"x")
            server, _ = await listener.accept()
        with pytest.raises(AddressInUse):
            await transport.listen(network, url, ListenOptions())
        link = server.link  # type: ignore[attr-defined]
        client.abort()
        await until(lambda: link._transport._transport.is_closing())
        await settle()
        for _ in range(2):
            listener = await transport.listen(network, url, ListenOptions())
            listener.close()
            await listener.wait_closed()


@on_loops
async def test_networks_without_datagrams() -> None:
    class Streams(LoopbackNetwork):
        _create_datagram_endpoint = Network._create_datagram_endpoint

    async with Streams() as network:
        with pytest.raises(OperationNotSupported):
            await QuicTransport(CERTIFICATE).dial(network, PeerURL.parse("quic://127.0.0.1:1"), DialOptions())


@on_loops
async def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aioquic.quic.connection", None)
    transport, url = QuicTransport(CERTIFICATE), PeerURL.parse("quic://127.0.0.1:1")
    async with LoopbackNetwork() as network:
        with pytest.raises(MissingExtraError, match=r"ygg\[quic\]"):
            await transport.dial(network, url, DialOptions())
        with pytest.raises(MissingExtraError, match=r"ygg\[quic\]"):
            await transport.listen(network, url, ListenOptions())


def test_the_private_names_of_aioquic_mean_what_they_did() -> None:
    from aioquic.asyncio.protocol import QuicConnectionProtocol
    from aioquic.asyncio.server import QuicServer
    from aioquic.quic.stream import QuicStream

    assert {"_timer", "_quic", "_transmit_soon", "_handle_timer", "_connection_terminated_handler"} <= set(
        QuicConnectionProtocol.__init__.__code__.co_names + tuple(vars(QuicConnectionProtocol))
    )
    assert {"_retry", "_protocols"} <= set(QuicServer.__init__.__code__.co_names)
    assert {"_streams", "_logger"} <= set(QuicConnection.__init__.__code__.co_names)
    stream = QuicStream(stream_id=0)
    stream.sender.write(b"five!")
    assert len(stream.sender._buffer) == 5
