"""Event loops whose TCP and UDP on loopback addresses go over two nodes: servers on the one, dials from the other.

CPython's tests name 127.0.0.1, ::1 and localhost. A loop made after `install()` starts two nodes, linked in memory, the
first time it dials or listens on one of these, and stops them when it is closed. Its servers are on the first, under
the port that the test asks for, and its connections begin at the second; `routed()` does the rest.

Tests have blocking sockets of the kernel as well, in threads. For them each server on the overlay has an entrance, a
listening socket of the kernel at the same port, whose connections go on from the second node; and a dial to a port at
which a kernel's socket listens goes over the overlay to an exit on the first node, and from there to that socket. So
whatever the event loop itself has is a connection of the overlay. A socket that is handed to `create_connection` or
`create_server` is such an exit or entrance.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from ygg import Certificate, Core, LoopbackNetwork, TCPTransport, TransportManager
from ygg.integrations.routed import routed
from ygg.testing import private_key
from ygg.vtun import VTun
from ygg.vtun.datagram import DatagramTransport
from ygg.vtun.sockets import OverlaySocket
from ygg.vtun.stream import StreamTransport

LOCAL = {"127.0.0.1", "::1", "localhost", "0.0.0.0"}
LINGER = 0.01
"""Seconds that the nodes go on each time that a test leaves the loop."""
INET = (socket.AF_INET, socket.AF_INET6)

Factory = Callable[[], asyncio.BaseProtocol]

uses = 0
"""Servers, connections and datagram endpoints that were made on the overlay."""
shown: dict[tuple[str, int], str] = {}
"""The host that a test has asked for, of an address and a port of the overlay."""


def _is_local(host: Any) -> bool:
    return (host.decode() if isinstance(host, bytes) else host) in LOCAL


class Half(asyncio.Protocol):
    """One half of a way between the kernel and the overlay: it writes to the other half what it reads."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: Half | None = None
        self.on_made: Callable[[], object] = lambda: None
        self._early: list[bytes] = []
        self._ended = self._lost = False
        self._error: Exception | None = None

    def meet(self, other: "Half") -> None:
        """Have the two write to each other from now on."""
        self.other, other.other = other, self
        self._flush()
        other._flush()

    def _flush(self) -> None:
        assert self.other is not None
        for data in self._early:
            self.other.write(data)
        self._early.clear()
        if self._ended:
            self.other.end()
        if self._lost:
            self.other.lose(self._error)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.on_made()

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self._early.append(bytes(data))
        else:
            self.other.write(data)

    def eof_received(self) -> bool:
        self._ended = True
        if self.other is not None:
            self.other.end()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport, self._lost, self._error = None, True, exc
        if self.other is not None:
            self.other.lose(exc)

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()

    def write(self, data: bytes) -> None:
        if self.transport is not None:
            self.transport.write(data)

    def end(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            with contextlib.suppress(OSError):
                self.transport.write_eof()

    def lose(self, error: Exception | None) -> None:
        """The other half is gone; a reset goes on as a reset."""
        if self.transport is None:
            return
        if isinstance(error, ConnectionError):
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.transport.abort()
        else:
            self.transport.close()


class Overlay:
    """Two nodes below one event loop, and the loop's methods that use them."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._own = {name: getattr(loop, name) for name in (
            "create_connection", "create_server", "create_datagram_endpoint", "close")}
        self._stack = contextlib.AsyncExitStack()
        self._starting: asyncio.Lock | None = None
        self._started = False
        self._ports: dict[int, Any] = {}        # of servers on the overlay
        self._udp_ports: set[int] = set()
        self._left_out: set[int] = set()        # ports from which connections at entrances are no one's
        self._kept: list[socket.socket] = []
        self._tasks: list[asyncio.Task[None]] = []
        for name in self._own:
            setattr(loop, name, getattr(self, name))

    # The nodes

    @property
    def started(self) -> bool:
        """Whether the nodes run."""
        return self._started

    async def start(self) -> None:
        """Have the two nodes run."""
        self._starting = self._starting or asyncio.Lock()
        async with self._starting:
            if not self._started:
                await self._start()
                self._started = True

    async def _start(self) -> None:
        mine = {name: vars(self._loop).pop(name) for name in self._own}     # the nodes' own loop is as it was
        try:
            network = await self._stack.enter_async_context(LoopbackNetwork())
            nodes = []
            for number in (1, 2):
                transports = TransportManager(network)
                transports.register(TCPTransport())
                core = Core(Certificate(private_key(number)), transports)
                nodes.append(await self._stack.enter_async_context(core))
            listener = await nodes[0].listen("tcp://127.0.0.1:0")
            nodes[1].add_peer(f"tcp://{listener.address}")
            for node in nodes:
                await node.connected(10)
            # Less than the files that the tests send, as with the buffers that they ask of the kernel.
            self.there, self.here = (VTun.over(node, send_buffer=1 << 14, receive_buffer=1 << 14) for node in nodes)
            for vtun in (self.there, self.here):
                self._stack.push_async_callback(vtun.close, grace=0.2)
            self.address = str(nodes[0].address)
            for vtun in (self.there, self.here):      # dials take the last one
                self._stack.enter_context(routed(vtun))
            self._routed = {name: vars(self._loop)[name] for name in self._own if name in vars(self._loop)}
        finally:
            for name, method in mine.items():
                setattr(self._loop, name, method)

    def close(self) -> None:
        """As the loop's, after the nodes have stopped."""
        if self._started and not self._loop.is_closed() and not self._loop.is_running():
            self._started = False
            closing = self._loop.create_task(self._stack.aclose())
            while not closing.done():       # a thread of the test may stop the loop
                with contextlib.suppress(RuntimeError):
                    self._loop.run_until_complete(closing)
            for sock in self._kept:
                sock.close()
        self._own["close"]()

    # Streams

    async def create_connection(self, factory: Factory, host: Any = None, port: Any = None, **options: Any) -> Any:
        """As the loop's."""
        sock = options.get("sock")
        kernel = None
        if sock is not None:
            if not isinstance(sock, socket.socket) or sock.family not in INET or sock.type != socket.SOCK_STREAM:
                return await self._own["create_connection"](factory, host, port, **options)
            await self.start()
            del options["sock"]
            port = sock.getpeername()[1]
            if port in self._ports:     # all of it is between this loop's ends: the kernel's is left out
                self._left_out.add(sock.getsockname()[1])
                self._kept.append(sock)
            else:
                sock.setblocking(False)
                kernel = sock
            options.setdefault("server_hostname", None)
            if options.get("ssl") and options["server_hostname"] is None:
                raise ValueError("You must set server_hostname when using ssl without a host")
        elif not _is_local(host):
            return await self._own["create_connection"](factory, host, port, **options)
        else:
            await self.start()
            if options.get("ssl") and options.get("server_hostname") is None:
                options["server_hostname"] = host
            if port not in self._ports:
                kernel = await self._kernel(int(port))
        if options.get("server_hostname") is None:
            options.pop("server_hostname", None)
        if options.get("local_addr"):
            options["local_addr"] = (None, options["local_addr"][1])
        global uses
        uses += 1
        if kernel is None:
            return await self._routed["create_connection"](factory, self.address, port, **options)
        return await self._by_exit(kernel, factory, options)

    async def _kernel(self, port: int) -> socket.socket | None:
        # A dial that the kernel refuses is refused by the node, which listens at this port neither.
        sock = socket.socket()
        sock.setblocking(False)
        try:
            await self._loop.sock_connect(sock, ("127.0.0.1", port))
        except OSError:
            sock.close()
            return None
        except BaseException:
            sock.close()
            raise
        return sock

    async def _by_exit(self, kernel: socket.socket, factory: Factory, options: dict[str, Any]) -> Any:
        near, far = Half(), Half()
        server = await self.there.create_server(lambda: far, self.address, 0)
        port = server.sockets[0].getsockname()[1]
        try:
            await self._own["create_connection"](lambda: near, sock=kernel)
            near.meet(far)
            return await self._routed["create_connection"](factory, self.address, port, **options)
        finally:
            server.close()

    async def create_server(self, factory: Factory, host: Any = None, port: Any = None, **options: Any) -> Any:
        """As the loop's."""
        sock = options.get("sock")
        if sock is not None:
            if not isinstance(sock, socket.socket) or sock.family not in INET or sock.type != socket.SOCK_STREAM:
                return await self._own["create_server"](factory, host, port, **options)
            del options["sock"]
            entrance = sock
        else:
            hosts = [host] if isinstance(host, str | bytes) or not isinstance(host, Iterable) else list(host)
            if not hosts or not all(_is_local(one) for one in hosts):
                return await self._own["create_server"](factory, host, port, **options)
            entrance = socket.create_server(("127.0.0.1", port or 0))
        await self.start()
        number = entrance.getsockname()[1]
        try:
            server = await self._routed["create_server"](factory, self.address, number, **options)
        except BaseException:
            entrance.close()
            raise
        global uses
        uses += 1
        self._ports[number] = server
        entering = await self._own["create_server"](partial(self._enter, number), sock=entrance, backlog=100)
        shown[self.address, number] = host if isinstance(host, str) else "127.0.0.1"
        close = server.close

        def closing() -> None:
            self._ports.pop(number, None)
            entering.close()
            close()

        server.close = closing
        return server

    def _enter(self, port: int) -> Half:
        near, far = Half(), Half()

        async def go_on() -> None:
            assert near.transport is not None
            if near.transport.get_extra_info("peername")[1] in self._left_out:
                return
            try:
                await self.here.create_connection(lambda: far, self.address, port)
            except OSError as error:
                near.lose(error)
            else:
                near.meet(far)

        near.on_made = lambda: self._tasks.append(self._loop.create_task(go_on()))
        return near

    # Datagrams

    async def create_datagram_endpoint(
        self, factory: Factory, local_addr: Any = None, remote_addr: Any = None, **options: Any
    ) -> Any:
        """As the loop's."""
        local = isinstance(local_addr, tuple) and _is_local(local_addr[0])
        remote = isinstance(remote_addr, tuple) and _is_local(remote_addr[0]) and int(remote_addr[1]) in self._udp_ports
        if options.get("sock") is not None or not (local or remote) or (remote_addr and not remote):
            return await self._own["create_datagram_endpoint"](factory, local_addr, remote_addr, **options)
        await self.start()
        global uses
        uses += 1
        for name in ("family", "proto", "flags"):
            options.pop(name, None)
        if remote:
            own = None if local_addr is None else (None, local_addr[1])
            target = (self.address, int(remote_addr[1]))
            return await self.here.create_datagram_endpoint(factory, own, target, **options)
        made = await self.there.create_datagram_endpoint(factory, (self.address, local_addr[1]), **options)
        self._udp_ports.add(made[0].get_extra_info("sockname")[1])
        return made


def show_loopback() -> None:
    """Have connections of the overlay show names of 127.0.0.1, as the tests that ask have it."""

    def named(name: Any) -> Any:
        return (shown.get(name[:2], "127.0.0.1"), name[1]) if isinstance(name, tuple) else name

    for kind in (StreamTransport, DatagramTransport):
        def get_extra_info(self: Any, name: str, default: Any = None, before: Any = kind.get_extra_info) -> Any:
            value = before(self, name, default)
            return named(value) if name in ("sockname", "peername") else value

        kind.get_extra_info = get_extra_info  # type: ignore[method-assign]
    for method in (OverlaySocket.getsockname, OverlaySocket.getpeername):
        def get_name(self: Any, before: Any = method) -> Any:
            return named(before(self))

        setattr(OverlaySocket, method.__name__, get_name)
    OverlaySocket.family = socket.AF_INET


def install(kind: str) -> None:
    """Have all event loops that are made from now on be such ones; `kind` is "asyncio" or "uvloop"."""
    show_loopback()
    if kind == "uvloop":
        import uvloop

        base: Any = uvloop.Loop
    else:
        base = asyncio.SelectorEventLoop

    class Loop(base):
        __module__ = base.__module__
        _default_executor: Any = None       # what helpers of the tests look at, and uvloop has not

        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.overlay = Overlay(self)

        def run_until_complete(self, future: Any) -> Any:
            try:
                return super().run_until_complete(future)
            finally:
                # A kernel goes on when the event loop does not. What has been closed is to leave the nodes.
                if self.overlay.started and asyncio.iscoroutine(future) and not self.is_running():
                    super().run_until_complete(asyncio.sleep(LINGER))

    Loop.__name__, Loop.__qualname__ = base.__name__, base.__qualname__
    setattr(asyncio, "SelectorEventLoop", Loop)     # noqa: B010 - it is a class to those who check types
    setattr(asyncio.DefaultEventLoopPolicy, "_loop_factory", Loop)      # noqa: B010
