"""ygg.node.carrier: links over transports that users write, and over full sockets."""

import asyncio
import socket
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.aio import LOOPS, on_loops, run, until
from tests.nodes import node
from tests.pumphost import proof, signed_record
from ygg import LoopbackNetwork, NativeNetwork, Network, Transport, VTun
from ygg.errors import ConnectionRefused, WrongPasswordError
from ygg.node.carrier import Carrier
from ygg.node.driver import Driver
from ygg.stream.tls.contexts import dialing_context
from ygg.testing import private_key, public_key
from ygg.transport import DialOptions
from ygg.url import PeerURL
from ygg_c.io.pump import StreamPump
from ygg_c.io.tlspump import TlsPump
from ygg_c.io.transportpump import TransportPump
from ygg_c.node.node import Node

TCP_NOTSENT_LOWAT = 25
"""Linux's number of the socket option."""


class Modest(asyncio.Transport):
    """A user's transport with the least there can be: no buffered protocols, no limits, no buffer size, no abort."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: Any = None
        self.written = b""
        self.reading = False
        self.closed = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def write(self, data: Any) -> None:
        self.written += data

    def resume_reading(self) -> None:
        self.reading = True

    def close(self) -> None:
        self.closed = True
        asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_modest_transport_carries_a_link(loop: str) -> None:
    async def main() -> None:
        engine = Node(private_key(1).secret)
        transport = Modest()
        carrier = Carrier(engine, transport, asyncio.get_running_loop())
        link = carrier.start(public_key(2), 0, b"\1\1")
        assert transport.reading
        assert transport.written[1] == 2
        transport.protocol.data_received(b"\1\1")
        assert link.rx_bytes == 4
        carrier.close()
        await carrier.lost
        assert transport.closed
        engine.close()

    run(main(), loop)


class Faulty(asyncio.Transport):
    """A user's transport around another, whose named methods fail."""

    def __init__(self, base: asyncio.Transport, faults: tuple[str, ...]) -> None:
        super().__init__()
        for name in ("set_protocol", "get_protocol", "write", "pause_reading", "resume_reading", "is_closing"):
            setattr(self, name, getattr(base, name))
        for name in ("get_write_buffer_size", "close", "abort"):
            setattr(self, name, self._fail if name in faults else getattr(base, name))

    def _fail(self) -> None:
        raise RuntimeError("a fault of the user's")


class FaultyTransport(Transport):
    """Dials through memory; what it has dialed cannot do what `faults` names."""

    schemes = ("faulty",)

    def __init__(self, *faults: str) -> None:
        self.faults = faults

    async def dial(self, network: Network, url: PeerURL, options: DialOptions) -> asyncio.Transport:
        return Faulty(await network.connect_stream(url.host, url.require_port()), self.faults)


@pytest.mark.parametrize(
    "faults", [("get_write_buffer_size",), ("abort", "get_write_buffer_size"), ("close",), ("close", "abort")]
)
@on_loops
async def test_a_link_ends_whatever_its_transport_fails_in(
    faults: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """The peer is down and dialed again, and both nodes can stop."""
    async with LoopbackNetwork() as network, node(1, network) as one:
        one.manager.register(FaultyTransport(*faults))
        async with node(2, network) as two:
            listener = await two.listen("tcp://127.0.0.1:0")
            one.add_peer(f"faulty://{listener.address}")
            await until(lambda: one.peers()[0].up)
        await until(lambda: not one.peers()[0].up)
        one.retry_peers_now()
        await until(lambda: one.peers()[0].last_error == ConnectionRefused.text)
    shown = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert shown == (["Faulty cannot be closed"] if "close" in faults and "abort" in faults else [])
    caplog.clear()  # a traceback keeps the link alive


@pytest.mark.parametrize("faults", [("abort",), ("abort", "close")])
@on_loops
async def test_a_failed_handshake_tells_its_own_reason_whatever_its_transport_fails_in(
    faults: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    async with LoopbackNetwork() as network, node(1, network) as one, node(2, network) as two:
        one.manager.register(FaultyTransport(*faults))
        listener = await two.listen("tcp://127.0.0.1:0?password=secret")
        with pytest.raises(WrongPasswordError):
            await one.call_peer(f"faulty://{listener.address}")
    caplog.clear()


@on_loops
async def test_a_socket_with_output_left_is_driven_through_its_transport() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    transport, _ = await asyncio.get_running_loop().create_unix_connection(asyncio.Protocol, sock=ours)
    while not transport.get_write_buffer_size():
        transport.write(bytes(1 << 20))
    engine = Node(private_key(1).secret)
    carrier = Carrier(engine, transport, asyncio.get_running_loop())
    assert isinstance(carrier.pump, TransportPump)
    carrier.start(public_key(2), 0, b"")
    carrier.close()
    await carrier.lost
    engine.close()
    theirs.close()


@on_loops
@pytest.mark.skipif(sys.platform != "linux", reason="the option's number is Linux's")
async def test_a_transport_and_the_socket_below_hold_as_little_as_the_link_is_worth() -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as server:
        transport, _ = await loop.create_connection(asyncio.Protocol, *server.getsockname())
        theirs, _ = server.accept()
    while not transport.get_write_buffer_size():
        transport.write(bytes(1 << 20))         # so that it is not driven by its descriptor
    engine = Node(private_key(1).secret)
    carrier = Carrier(engine, transport, loop)
    carrier.start(public_key(2), 0, b"")
    held = transport.get_write_buffer_limits()[1]
    assert 4096 <= held < 65536
    assert transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT) == held
    carrier.close()
    await carrier.lost
    engine.close()
    theirs.close()


@on_loops
async def test_a_full_socket_is_written_when_it_has_room_again() -> None:
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_unix_connection(asyncio.Protocol, sock=ours)
    engine = Node(private_key(1).secret)
    driver = Driver(engine, loop, engine.clock)
    carrier = Carrier(engine, transport, loop)
    assert isinstance(carrier.pump, StreamPump)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    link = carrier.start(public_key(2), 0, b"")
    await loop.sock_sendall(theirs, proof(engine.key, await loop.sock_recv(theirs, 65536)) + signed_record(5))
    while not link.blocked:
        await loop.sock_sendall(theirs, signed_record(4) * 20)  # each is answered with the newer one
        await asyncio.sleep(0)
    waiting = link.queued
    assert waiting
    received = 0
    while link.blocked or link.queued:
        received += len(await loop.sock_recv(theirs, 65536))
    assert received > waiting
    carrier.close()
    await carrier.lost
    driver.close()
    engine.close()
    theirs.close()


@pytest.mark.parametrize("network", [LoopbackNetwork, NativeNetwork])
@pytest.mark.parametrize("reachable", [True, False])
@on_loops
async def test_tls_by_the_engine_and_where_it_cannot_be_had_by_the_ssl_module(
    network: Callable[[], Any], reachable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialing_context.cache_clear()
    if not reachable:
        monkeypatch.setitem(sys.modules, "ygg_c.io.tls", None)
    async with network() as net, node(1, net) as one, node(2, net) as two:
        listener = await two.listen("tls://127.0.0.1:0")
        await one.call_peer(f"tls://{listener.address}")
        await until(lambda: two.peers() and two.peers()[0].up)
        expected = TlsPump if reachable and network is NativeNetwork else TransportPump
        for core in (one, two):
            (record,) = core.links
            assert record.carrier is not None
            assert type(record.carrier.pump) is expected
        async with VTun.over(one) as near, VTun.over(two) as far:
            assert await near.ping(far.addresses[0], timeout=30) > 0
        one.remove_peer(one.peers()[0].url)
        await until(lambda: not two.peers())
    dialing_context.cache_clear()


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("network", [LoopbackNetwork, NativeNetwork])
def test_links_survive_each_others_closing(loop: str, network: Callable[[], Any]) -> None:
    async def main() -> None:
        async with network() as net, node(1, net) as one, node(2, net) as two:
            for _ in range(2):
                listener = await two.listen("tcp://127.0.0.1:0")
                await one.call_peer(f"tcp://{listener.address}")
            await until(lambda: len(two.peers()) == 2)
            one.remove_peer(one.peers()[0].url)
            await until(lambda: len(two.peers()) == 1)
            assert one.peers()[0].up

    run(main(), loop)
