"""ygg.transport.manager: scheme to transport, host to network, live."""

import asyncio
import gc

import pytest

from tests.aio import on_loops, settle
from ygg.errors import (
    BlockedHostError,
    ConnectionRefused,
    ListenerClosed,
    OperationNotSupported,
    UnknownSchemeError,
    UnmappedHostError,
    URLError,
    YggError,
)
from ygg.network import BACKLOG, DIAL_TIMEOUT, Listener, LoopbackNetwork, NativeNetwork, Network, take_over
from ygg.transport import DialOptions, ListenOptions, TCPTransport, Transport, TransportManager
from ygg.url import PeerURL


class MeteredTransport(Transport):
    """The tutorial's transport."""

    schemes = ("metered+tcp",)

    def __init__(self, base: Transport) -> None:
        self.base, self.dials, self.listens = base, 0, 0

    async def dial(self, network: Network, url: PeerURL, options: DialOptions) -> asyncio.Transport:
        self.dials += 1
        return await self.base.dial(network, url.with_scheme("tcp"), options)

    async def listen(self, network: Network, url: PeerURL, options: ListenOptions) -> Listener:
        self.listens += 1
        return await self.base.listen(network, url.with_scheme("tcp"), options)


class SlowNetwork(LoopbackNetwork):
    """Its dials and binds wait for `gate`."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.waiting = 0

    async def connect_stream(
        self, host: str, port: int, *, source_interface: str | None = None, timeout: float = DIAL_TIMEOUT
    ) -> asyncio.Transport:
        self.waiting += 1
        await self.gate.wait()
        return await super().connect_stream(host, port, timeout=timeout)

    async def listen_stream(
        self, host: str, port: int, *, source_interface: str | None = None, backlog: int = BACKLOG
    ) -> Listener:
        self.waiting += 1
        await self.gate.wait()
        return await super().listen_stream(host, port, backlog=backlog)


class StubbornNetwork(SlowNetwork):
    """Finishes its dials although they are cancelled, as a careless implementation may."""

    async def connect_stream(
        self, host: str, port: int, *, source_interface: str | None = None, timeout: float = DIAL_TIMEOUT
    ) -> asyncio.Transport:
        try:
            await super().connect_stream(host, port, timeout=timeout)
        except asyncio.CancelledError:
            pass
        self.made = await LoopbackNetwork.connect_stream(self, host, port, timeout=timeout)
        return self.made


def manager_of(network: Network | None = None) -> TransportManager:
    manager = TransportManager(network)
    manager.register(TCPTransport())
    return manager


@on_loops
async def test_a_users_transport_carries_a_connection() -> None:
    async with LoopbackNetwork() as network:
        metered = MeteredTransport(TCPTransport())
        manager = manager_of(network)
        manager.register(metered)
        listener = await manager.listen("metered+tcp://127.0.0.1:0?priority=3")
        assert listener.url.scheme == "metered+tcp"
        assert listener.url.options.priority == 3
        assert listener.url.location == listener.address
        client = await manager.dial(f"metered+tcp://{listener.address}")
        server, remote = await listener.accept()
        assert remote == f"127.0.0.1:{client.get_extra_info('sockname')[1]}"
        reader = asyncio.StreamReader()
        take_over(server, asyncio.StreamReaderProtocol(reader))
        client.write(b"hello\n")
        assert await reader.readline() == b"hello\n"
        assert (metered.dials, metered.listens) == (1, 1)


@on_loops
async def test_schemes() -> None:
    manager = manager_of(LoopbackNetwork())
    assert manager.schemes == ("tcp",)
    with pytest.raises(ValueError, match="has a transport already"):
        manager.register(TCPTransport())
    with pytest.raises(UnknownSchemeError, match=r"^link schema unknown: 'gopher' is none of those known \(tcp\)$"):
        await manager.dial("gopher://h:1")
    with pytest.raises(URLError):
        await manager.dial("nonsense")
    with pytest.raises(URLError, match="missing port in address"):
        await manager.dial("tcp://127.0.0.1")
    manager.unregister("TCP")
    with pytest.raises(UnknownSchemeError):
        await manager.listen("tcp://127.0.0.1:0")
    with pytest.raises(UnknownSchemeError):
        manager.unregister("tcp")


@on_loops
async def test_a_transport_without_a_listener_says_so() -> None:
    class DialOnly(Transport):
        schemes = ("once",)

        async def dial(self, network: Network, url: PeerURL, options: DialOptions) -> asyncio.Transport:
            raise ConnectionResetError(104, "as raised by plain sockets")

    manager = TransportManager(LoopbackNetwork())
    manager.register(DialOnly())
    with pytest.raises(OperationNotSupported):
        await manager.listen("once://127.0.0.1:0")
    with pytest.raises(YggError, match="as raised by plain sockets") as caught:
        await manager.dial("once://127.0.0.1:1")
    assert isinstance(caught.value, ConnectionResetError)


@on_loops
async def test_the_most_specific_pattern_wins_and_none_blocks() -> None:
    wide, narrow, exact, default = (LoopbackNetwork() for _ in range(4))
    manager = TransportManager()
    with pytest.raises(UnmappedHostError):
        manager.network_for("a.b.example")
    manager.default_network = default
    manager.map_network("*.example", wide)
    manager.map_network("*.b.example", narrow)
    manager.map_network("a.b.example", exact)
    manager.map_network("10.0.0.0/8", None)
    manager.map_network("10.1.0.0/16", wide)
    assert manager.network_for("A.b.example.") is exact
    assert manager.network_for("c.b.example") is narrow
    assert manager.network_for("c.example") is wide
    assert manager.network_for("elsewhere") is default
    assert manager.network_for("10.1.2.3") is wide
    with pytest.raises(BlockedHostError, match=r"^host 10\.2\.0\.1 is blocked$"):
        manager.network_for("10.2.0.1")
    manager.unmap_network("a.b.example")
    assert manager.network_for("a.b.example") is narrow
    manager.map_network("*.B.example", None)
    with pytest.raises(BlockedHostError):
        manager.network_for("a.b.example")
    with pytest.raises(KeyError):
        manager.unmap_network("a.b.example")


@pytest.mark.parametrize("change", ["map", "block", "unmap", "default"])
@on_loops
async def test_a_change_breaks_listeners_children_and_dialed_connections(change: str) -> None:
    async with NativeNetwork() as old, LoopbackNetwork() as other:
        manager = manager_of(old if change == "default" else None)
        if change == "unmap":
            manager.map_network("127.0.0.1", old)
        elif change != "default":
            manager.map_network("127.0.0.0/8", old)
        listener = await manager.listen("tcp://127.0.0.1:0")
        client = await manager.dial(listener.url)
        child, _ = await listener.accept()
        accept = asyncio.ensure_future(listener.accept())
        await settle()
        if change == "unmap":
            manager.unmap_network("127.0.0.1")
        elif change == "default":
            manager.default_network = None
        else:
            manager.map_network("127.0.0.1", other if change == "map" else None)
        assert listener.is_closing()
        assert client.is_closing()
        assert child.is_closing()
        await listener.wait_closed()
        with pytest.raises(ListenerClosed):
            await accept
        with pytest.raises(ConnectionRefused if change == "map" else (BlockedHostError, UnmappedHostError)):
            await manager.dial(listener.url)


@on_loops
async def test_a_change_leaves_alone_what_it_does_not_touch() -> None:
    async with LoopbackNetwork() as network, LoopbackNetwork() as other:
        manager = manager_of(network)
        manager.map_network("127.0.0.1", network)
        listener = await manager.listen("tcp://127.0.0.1:0")
        client = await manager.dial(listener.url)
        child, _ = await listener.accept()
        manager.default_network = other
        manager.map_network("127.0.0.0/8", other)
        manager.map_network("*", None)
        manager.map_network("127.0.0.1", network)
        manager.default_network = network
        manager.unmap_network("*")
        manager.unmap_network("127.0.0.0/8")
        manager.unmap_network("127.0.0.1")  # the default is the same network: nothing changes for it
        assert not any(item.is_closing() for item in (listener, client, child))


@on_loops
async def test_children_outlive_a_closed_listener_but_not_a_change() -> None:
    async with LoopbackNetwork() as network:
        manager = manager_of(network)
        listener = await manager.listen("tcp://127.0.0.1:0")
        client = await manager.dial(listener.url)
        child, _ = await listener.accept()
        listener.close()
        await listener.wait_closed()
        assert not child.is_closing()
        manager.default_network = None
        assert child.is_closing()
        assert client.is_closing()


@on_loops
async def test_a_dial_under_way_starts_over_on_the_new_mapping() -> None:
    async with SlowNetwork() as slow, LoopbackNetwork() as fast:
        manager = manager_of(fast)
        listener = await manager.listen("tcp://127.0.0.1:0")
        manager.map_network("127.0.0.2", slow)
        dial = asyncio.ensure_future(manager.dial(listener.url.with_host("127.0.0.2")))
        await settle()
        assert slow.waiting == 1
        manager.map_network("127.0.0.2", fast)
        with pytest.raises(ConnectionRefused):  # it is the fast network that refuses
            await dial
        bind = asyncio.ensure_future(manager_of(slow).listen("tcp://127.0.0.1:0"))
        await settle()
        slow.gate.set()
        assert not (await bind).is_closing()


@on_loops
async def test_a_listen_under_way_starts_over_too() -> None:
    async with SlowNetwork() as slow, LoopbackNetwork() as fast:
        manager = manager_of(slow)
        bind = asyncio.ensure_future(manager.listen("tcp://127.0.0.1:0"))
        await settle()
        manager.default_network = fast
        listener = await bind
        client = await fast.connect_stream("127.0.0.1", listener.url.require_port())
        assert not client.is_closing()


@on_loops
async def test_a_dial_under_way_fails_when_its_host_is_blocked() -> None:
    async with SlowNetwork() as slow:
        manager = manager_of(slow)
        dial = asyncio.ensure_future(manager.dial("tcp://127.0.0.1:1"))
        await settle()
        manager.map_network("127.0.0.1", None)
        with pytest.raises(BlockedHostError):
            await dial


@on_loops
async def test_a_connection_made_on_the_old_network_all_the_same_is_broken() -> None:
    async with StubbornNetwork() as stubborn, LoopbackNetwork() as fast:
        inner = await LoopbackNetwork.listen_stream(stubborn, "127.0.0.1", 7)
        outer = await fast.listen_stream("127.0.0.1", 7)
        manager = manager_of(stubborn)
        dial = asyncio.ensure_future(manager.dial("tcp://127.0.0.1:7"))
        await settle()
        manager.default_network = fast
        client = await dial
        assert stubborn.made.is_closing()
        assert not client.is_closing()
        await outer.accept()
        inner.close()


@on_loops
async def test_a_cancelled_dial_leaves_nothing() -> None:
    async with SlowNetwork() as slow, StubbornNetwork() as stubborn:
        listener = await LoopbackNetwork.listen_stream(stubborn, "127.0.0.1", 7)
        for network in (slow, stubborn):
            manager = manager_of(network)
            dial = asyncio.ensure_future(manager.dial("tcp://127.0.0.1:7"))
            await settle()
            dial.cancel()
            with pytest.raises(asyncio.CancelledError):
                await dial
            assert manager.uses == 0
        assert stubborn.made.is_closing()
        listener.close()


@on_loops
async def test_closed_connections_are_forgotten() -> None:
    async with NativeNetwork() as network:
        manager = manager_of(network)
        listener = await manager.listen("tcp://127.0.0.1:0")
        for _ in range(3):
            client = await manager.dial(listener.url)
            child, _ = await listener.accept()
            client.abort()
            child.abort()
            await settle()
        del client, child
        gc.collect()
        assert manager.uses == 1  # the listener


class PlacedListener(Listener):
    """A user's listener, which says where it is in its own way: with a text, or an error that is raised."""

    def __init__(self, place: str | Exception) -> None:
        self.place, self.closed = place, False

    @property
    def address(self) -> str:
        if isinstance(self.place, Exception):
            raise self.place
        return self.place

    async def accept(self) -> tuple[asyncio.Transport, str]:
        raise ListenerClosed

    def close(self) -> None:
        self.closed = True

    async def wait_closed(self) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closed


class PlacedTransport(Transport):
    """Has one listener."""

    schemes = ("placed",)

    def __init__(self, place: str | Exception) -> None:
        self.listener = PlacedListener(place)

    async def dial(self, network: Network, url: PeerURL, options: DialOptions) -> asyncio.Transport:
        raise ConnectionRefused

    async def listen(self, network: Network, url: PeerURL, options: ListenOptions) -> Listener:
        return self.listener


@pytest.mark.parametrize(
    ("address", "location"),
    [
        ("10.0.0.1:7", "10.0.0.1:7"),
        ("[fe80::1%eth0]:7", "[fe80::1%eth0]:7"),
        ("/run/x.sock", "h:1"),
        ("/run/x:7", "h:1"),
        ("somewhere", "h:1"),
        ("here:there", "h:1"),
        ("", "h:1"),
    ],
)
@on_loops
async def test_the_url_of_a_listener_is_the_one_asked_for_where_its_address_is_no_host_and_port(
    address: str, location: str
) -> None:
    manager = TransportManager(LoopbackNetwork())
    manager.register(PlacedTransport(address))
    listener = await manager.listen("placed://h:1?priority=3")
    assert listener.address == address
    assert listener.url.location == location
    assert listener.url.options.priority == 3
    listener.close()
    assert manager.uses == 0


@on_loops
async def test_a_listener_that_fails_to_say_where_it_is_is_closed() -> None:
    manager = TransportManager(LoopbackNetwork())
    transport = PlacedTransport(RuntimeError("a fault of the user's"))
    manager.register(transport)
    with pytest.raises(RuntimeError, match="a fault of the user's"):
        await manager.listen("placed://h:1")
    assert transport.listener.closed
    assert manager.uses == 0


@on_loops
async def test_accepting_on_a_listener_that_was_remapped_meanwhile() -> None:
    """A connection that the old listener had in hand is not handed out."""

    class Late(TCPTransport):
        async def listen(self, network: Network, url: PeerURL, options: ListenOptions) -> Listener:
            return LateListener(await super().listen(network, url, options))

    class LateListener(Listener):
        def __init__(self, base: Listener) -> None:
            self.base = base
            self.gate = asyncio.Event()

        address = property(lambda self: self.base.address)

        async def accept(self) -> tuple[asyncio.Transport, str]:
            made = await self.base.accept()
            await self.gate.wait()
            return made

        def close(self) -> None:
            self.base.close()
            self.gate.set()

        async def wait_closed(self) -> None:
            await self.base.wait_closed()

        def is_closing(self) -> bool:
            return self.base.is_closing()

    async with LoopbackNetwork() as network:
        manager = TransportManager(network)
        manager.register(Late())
        listener = await manager.listen("tcp://127.0.0.1:0")
        client = await manager.dial(listener.url)
        accept = asyncio.ensure_future(listener.accept())
        await settle()
        manager.default_network = None
        with pytest.raises(ListenerClosed):
            await accept
        assert client.is_closing()
