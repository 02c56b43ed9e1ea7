"""VTun: overlay addresses as a network, with the asyncio calls a program already knows."""

import asyncio
import errno
import ipaddress
import ssl as ssl_module
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, Unpack

from ygg.errors import ConnectTimeout, from_os_error
from ygg.node.driver import Driver
from ygg.node.gateway import Gateway
from ygg.stream.held import HoldingProtocol, take_over
from ygg.stream.tls.handshake import start_tls
from ygg.stream.tls.streams import loop_for_streams
from ygg.tun import TunAdapter
from ygg.vtun.addresses import (
    Host,
    Resolver,
    bindable,
    check_port,
    destination,
    endpoint,
    failure,
    found,
    key_in,
    packed,
    remote_end,
    split,
)
from ygg.vtun.capture import Capture
from ygg.vtun.datagram import DatagramTransport, UdpSocket
from ygg.vtun.dial import Dial
from ygg.vtun.options import ConnectionOptions, OptionArguments, begin_with
from ygg.vtun.ping import Ping
from ygg.vtun.reach import Reach
from ygg.vtun.recording import Recording, Target
from ygg.vtun.registry import Registry
from ygg.vtun.server import Server, TLSOptions
from ygg.vtun.stream import StreamTransport
from ygg.vtun.tcpinfo import TcpInfo
from ygg.vtun.trace import Trace
from ygg_c.base import forks
from ygg_c.base.clock import Clock
from ygg_c.base.sodium import Random
from ygg_c.ip.layer import Layer
from ygg_c.socket.endpoint import CLOSED, DRAINED
from ygg_c.stack.netstack import NetStack
from ygg_c.stack.udp import UdpSocket as StackSocket
from ygg_c.tcp.connection import TcpConnection
from ygg_c.tcp.listener import TcpListener
from ygg_c.tcp.options import TcpOptions

if TYPE_CHECKING:
    from ygg.node.core import Core

DEFAULT_MTU = 65535
"""Bytes of the largest packet, unless told otherwise."""
GRACE = 2.0
"""Seconds that `VTun.close` waits for what was written to be acknowledged."""
KEEPALIVE_IDLE = 300.0
"""Seconds without a segment before an idle connection is probed, unless told otherwise."""
KEEPALIVE_INTERVAL = 30.0
"""Seconds between probes, unless told otherwise."""
KEEPALIVE_COUNT = 4
"""Probes without an answer that end a connection, unless told otherwise."""

_STREAM_LIMIT = 1 << 16  # asyncio's own default for StreamReader
_SETTLED = {"FIN-WAIT-2", "TIME-WAIT", "CLOSED"}

_P = TypeVar("_P", bound=asyncio.BaseProtocol)
_Recording = TypeVar("_Recording", bound=Recording)
_LocalAddress = tuple[Host | None, int]
_ClientConnected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None] | None]


class _Closable(Protocol):
    def close(self) -> object: ...


class VTun:
    """A network of its own for one or more overlay addresses: TCP, UDP and ping through asyncio's shapes.

    Arguments that only make sense for an operating system's sockets (`family`, `proto`, `flags`, `reuse_address`,
    `reuse_port`, `allow_broadcast`, `happy_eyeballs_delay`, `interleave`, `all_errors`) are accepted without effect.
    Hosts are numeric IPv6 addresses, or public keys in place of their nodes' addresses (`Host`), and what is connected
    to may be a name, where there are `names`. Errors are those of a socket, with its `errno`, and a `YggError` as well.

    A VTun sends and receives nothing until it is attached: `VTun.over(node)`, or `TunAdapter.attach`. While it is not,
    what is open waits, as with a cable unplugged, and may time out. When the node stops, all that is open ends with
    ENETDOWN, and so does every call until the VTun is attached to another node. It belongs to the event loop it is used
    from. `async with` closes it at the end.
    """

    def __init__(
        self,
        addresses: Iterable[Host | ipaddress.IPv6Network],
        mtu: int = DEFAULT_MTU,
        *,
        random: Random | None = None,
        clock: Clock | None = None,
        **options: Unpack[OptionArguments],
    ) -> None:
        """Serve `addresses` (a network: all of its addresses); the first is the default source.

        `mtu` is 1280 to 65535 bytes. `random` and `clock` are for simulations, as those of `Core`. `options` are those
        that TCP connections begin with, see `ConnectionOptions`.
        """
        self.made_in = forks.current()
        """The number of the process that it works in, see `ygg_c.base.forks`."""
        self.names: Resolver | None = None
        """What knows hosts by their names, as a `ygg.names.Names` does; None: a name is an error."""
        self._loop: asyncio.AbstractEventLoop | None = None
        with suppress(RuntimeError):
            self._loop = asyncio.get_running_loop()
        self._stack = NetStack([_served(address) for address in addresses], mtu, random, clock)
        # Like asyncio's own transports: a program that writes small pieces wants them sent.
        options.setdefault("nodelay", True)
        # A process that dies leaves no FIN here: its node dies with it, and nothing answers for it.
        if options.setdefault("keepalive", True):
            options.setdefault("keepalive_idle", KEEPALIVE_IDLE)
            options.setdefault("keepalive_interval", KEEPALIVE_INTERVAL)
            options.setdefault("keepalive_count", KEEPALIVE_COUNT)
        self.options.update(options)
        self._reach = Reach(self._stack)
        self._registry = Registry(self._reach)
        self._parts: list[_Closable] = []
        self._driver: Driver | None = None
        self._closed = False
        self._recordings: list[Recording] = []

    @classmethod
    def over(cls, node: "Core", mtu: int = DEFAULT_MTU, **options: Unpack[OptionArguments]) -> Self:
        """Return a VTun for the address of a running node, with the gateway and adapter, which close with it.

        `options` as for `VTun`.
        ValueError when something takes the node's IPv6 packets already.
        """
        gateway = Gateway(node)
        try:
            vtun = cls([node.address], mtu, random=node.random, clock=node.clock, **options)
            adapter = TunAdapter(gateway, mtu)
            adapter.attach(vtun)
        except BaseException:
            gateway.close()
            raise
        vtun._parts = [gateway, adapter]
        return vtun

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {', '.join(map(str, self.addresses))}{' closed' if self._closed else ''}>"

    @property
    def addresses(self) -> list[ipaddress.IPv6Address]:
        """The addresses served; of a network, the first."""
        return [ipaddress.IPv6Address(raw) for raw, _ in self._stack.addresses]

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop that it is used from, or was made in while it is not used yet; None for neither."""
        return self._loop if self._driver is None else self._driver.loop

    @property
    def mtu(self) -> int:
        """Bytes of the largest packet."""
        return self._stack.mtu

    @property
    def options(self) -> ConnectionOptions:
        """What TCP connections begin with, and listeners hand on, that are made from now on."""
        return ConnectionOptions(self._stack.options)

    @property
    def stack(self) -> NetStack:
        """The engine below, for its settings (timers, buffers, limits) and counters."""
        return self._stack

    def key_of(self, host: Host) -> bytes | None:
        """Return the public key of the node that `host`, or the /64 it is in, belongs to.

        None while it is not known; it is as long as packets come and go, and two minutes longer: that of a datagram's
        sender is known when the datagram is read. On connections `get_extra_info("public_key")` tells it.
        """
        return key_in(host) or self._reach.key_of(packed(host))

    def counters(self) -> dict[str, int]:
        """Return how often each thing happened in the stack, what was dropped above all, by name."""
        return self._stack.counters()

    def connections(self) -> list[TcpInfo]:
        """Return the figures of all TCP connections, as they are now, without half-open ones and TIME-WAIT."""
        return [TcpInfo.of(one) for one in self._stack.endpoints() if isinstance(one, TcpConnection)]

    @property
    def upper(self) -> NetStack:
        """What a TunAdapter attaches."""
        return self._stack

    # TCP

    async def create_connection(
        self,
        protocol_factory: Callable[[], _P],
        host: Host | None = None,
        port: int | None = None,
        *,
        ssl: ssl_module.SSLContext | bool | None = None,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        sock: None = None,
        local_addr: _LocalAddress | None = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        happy_eyeballs_delay: float | None = None,
        interleave: int | None = None,
        all_errors: bool = False,
        timeout: float | None = None,
        **options: Unpack[OptionArguments],
    ) -> tuple[asyncio.Transport, _P]:
        """Connect to (host, port) as `loop.create_connection` does; return (transport, protocol).

        `host` may be a public key, see `Host`, or a name, of which a certificate is to be with `ssl`. `timeout` is in
        seconds, for all of it, a TLS handshake too.

        `options` of the connection (`nodelay`, `keepalive`, `congestion` and others, see `ConnectionOptions`) hold from
        its first segment on, in place of the VTun's.

        Returns when the handshake is done; cancelling gives up and leaves nothing behind. Raises
        ConnectionRefusedError (also for an address of our own /64 that is not served), `NoPeerError` (ENETUNREACH) when
        no peer was up for three seconds, TimeoutError (ETIMEDOUT; the text says what is missing) after `timeout`, after
        20 seconds without an answer to the lookup (`KeyUnknownError`, `NoPathError`), or after about two minutes of
        silence, OSError with EHOSTUNREACH (a host outside 200::/7, or what a router on the way said), EADDRNOTAVAIL
        (also: port 0), EADDRINUSE; socket.gaierror for a name that nothing is known of.
        """
        _only_ours(sock)
        if host is None or port is None:
            raise ValueError("host and port must be given")
        if server_hostname is not None and not ssl:
            raise ValueError("server_hostname is only meaningful with ssl")
        local = (None, 0) if local_addr is None else split(local_addr, "local_addr")
        given = host
        host, timeout = await self._found(host, timeout)
        remote = remote_end(host, port)
        self._check()
        if (key := key_in(host)) is not None:
            self._reach.learn(key)
        tls = None
        if ssl:
            context = ssl if isinstance(ssl, ssl_module.SSLContext) else ssl_module.create_default_context()
            name = server_hostname
            if name is None:
                name = str(given) if host is not given else endpoint(*remote)[0]
            tls = TLSOptions(context, ssl_handshake_timeout, name)
        dial = Dial(self._stack, remote, (bindable(local[0]), local[1]), self._options(options), self._registry)
        if timeout is None:
            return await self._connect(dial, protocol_factory, tls)
        try:
            async with asyncio.timeout(timeout) as limit:
                return await self._connect(dial, protocol_factory, tls)
        except TimeoutError:
            if not limit.expired():
                raise
            raise self._reach.timed_out(remote[0], "connect to [{}]:{}".format(*endpoint(*remote))) from None

    async def _found(self, host: Host, timeout: float | None) -> tuple[Host, float | None]:
        """Return the host that a name is of, and how much of `timeout` is left; what is no name needs no time."""
        if self.names is None:
            return host, timeout
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with asyncio.timeout(timeout) as limit:
                host = await found(host, self.names)
        except TimeoutError:
            if not limit.expired():
                raise
            raise ConnectTimeout(f"{host!s}: the name was not resolved within {timeout:g} s") from None
        return host, None if timeout is None else timeout - (loop.time() - begun)

    async def _connect(
        self, dial: Dial, protocol_factory: Callable[[], _P], tls: TLSOptions | None
    ) -> tuple[asyncio.Transport, _P]:
        connection = await dial.run()
        try:
            protocol = protocol_factory()
            transport = StreamTransport(connection, protocol if tls is None else HoldingProtocol(), self._registry)
        except BaseException:
            connection.abort()
            raise
        transport.start()
        if tls is None:
            return transport, protocol
        secured = await start_tls(
            transport,
            HoldingProtocol(),
            tls.context,
            server_hostname=tls.server_hostname,
            ssl_handshake_timeout=tls.handshake_timeout,
        )
        take_over(secured, protocol)
        return secured, protocol

    async def create_server(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: Host | Sequence[Host] | None = None,
        port: int | None = None,
        *,
        family: int = 0,
        flags: int = 0,
        sock: None = None,
        backlog: int = 100,
        ssl: ssl_module.SSLContext | None = None,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
        keep_alive: bool | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        start_serving: bool = True,
        **options: Unpack[OptionArguments],
    ) -> Server:
        """Listen as `loop.create_server` does. `host` is one or several of our addresses, None for all of them.

        `options` are those that accepted connections begin with, in place of the VTun's, see `ConnectionOptions`; with
        `keep_alive` they begin with `keepalive`.

        Port 0 or None picks a port: see `server.sockets[0].getsockname()`. Without `start_serving` connections are
        refused until `server.start_serving()`. Raises OSError with EADDRINUSE or EADDRNOTAVAIL.
        """
        _only_ours(sock)
        if isinstance(ssl, bool):
            raise TypeError("ssl argument must be an SSLContext or None")
        self._check()
        hosts = [host] if host is None or isinstance(host, Host) else list(host)
        tls = None if ssl is None else TLSOptions(ssl, ssl_handshake_timeout)
        # As asyncio has it: a host named twice counts once, and any backlog will do.
        addresses = list(dict.fromkeys(bindable(one) for one in hosts))
        if keep_alive:
            options["keepalive"] = True
        listeners = self._listen(addresses, check_port(port), max(backlog, 1), self._options(options))
        server = Server(listeners, protocol_factory, self._registry, tls, bool(reuse_port))
        if start_serving:
            server.begin()
        return server

    def _options(self, values: OptionArguments) -> TcpOptions:
        return begin_with(self._stack.options, values) if values else self._stack.options

    def _listen(
        self, addresses: Sequence[bytes | None], port: int, backlog: int, options: TcpOptions
    ) -> list[TcpListener]:
        listeners: list[TcpListener] = []
        try:
            for address in addresses:
                listeners.append(self._stack.listen(address, port, backlog, options))
        except OSError as error:
            for listener in listeners:
                listener.close()
            raise from_os_error(error) from None
        return listeners

    async def open_connection(
        self, host: Host | None = None, port: int | None = None, *, limit: int = _STREAM_LIMIT, **options: Any
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect as `asyncio.open_connection` does; `options` as for `create_connection`."""
        loop = loop_for_streams()
        reader = asyncio.StreamReader(limit=limit, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport, _ = await self.create_connection(lambda: protocol, host, port, **options)
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    async def start_server(
        self,
        client_connected_cb: _ClientConnected,
        host: Host | Sequence[Host] | None = None,
        port: int | None = None,
        *,
        limit: int = _STREAM_LIMIT,
        **options: Any,
    ) -> Server:
        """Serve streams as `asyncio.start_server` does; `options` as for `create_server`."""
        loop = loop_for_streams()

        def factory() -> asyncio.StreamReaderProtocol:
            reader = asyncio.StreamReader(limit=limit, loop=loop)
            return asyncio.StreamReaderProtocol(reader, client_connected_cb, loop=loop)

        return await self.create_server(factory, host, port, **options)

    # UDP

    async def create_datagram_endpoint(
        self,
        protocol_factory: Callable[[], _P],
        local_addr: _LocalAddress | None = None,
        remote_addr: tuple[Host, int] | None = None,
        *,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        reuse_port: bool | None = None,
        allow_broadcast: bool | None = None,
        sock: None = None,
        dont_fragment: bool = False,
    ) -> tuple[DatagramTransport, _P]:
        """Open a UDP socket as `loop.create_datagram_endpoint` does; return (transport, protocol).

        Datagrams have up to 65,527 bytes. Those larger than the path takes leave in fragments (RFC 8200, 4.5); with
        `dont_fragment` they are errors with EMSGSIZE, as with a kernel's IPV6_DONTFRAG. With `remote_addr` the protocol
        hears of EMSGSIZE also when the path turns out to take less than was sent.
        """
        _only_ours(sock)
        socket = await self._udp(local_addr, remote_addr, dont_fragment)
        try:
            protocol = protocol_factory()
        except BaseException:
            socket.close()
            raise
        transport = DatagramTransport(socket, protocol, self._registry)
        transport.start()
        return transport, protocol

    async def open_datagram(
        self,
        local_host: Host | None = None,
        local_port: int = 0,
        *,
        remote_addr: tuple[Host, int] | None = None,
        dont_fragment: bool = False,
    ) -> UdpSocket:
        """Open a UDP socket to await: `sendto` and `recvfrom`, or with `remote_addr` also `send` and `recv`.

        `dont_fragment` as for `create_datagram_endpoint`.
        """
        return UdpSocket(await self._udp((local_host, local_port), remote_addr, dont_fragment), self._registry)

    async def _udp(
        self, local_addr: _LocalAddress | None, remote_addr: tuple[Host, int] | None, dont_fragment: bool
    ) -> StackSocket:
        self._check()
        host, port = (None, 0) if local_addr is None else split(local_addr, "local_addr")
        remote = None
        if remote_addr is not None:
            remote_host, remote_port = split(remote_addr, "remote_addr")
            remote_host, _ = await self._found(remote_host or "", None)
            remote = remote_end(remote_host, remote_port)
            if (key := key_in(remote_host)) is not None:
                self._reach.learn(key)
        try:
            socket = self._stack.udp(bindable(host), port, remote)
        except OSError as error:
            raise from_os_error(error) from None
        socket.dont_fragment = dont_fragment
        return socket

    # ICMPv6

    async def ping(
        self, host: Host, timeout: float | None = 2.0, *, size: int = 56, dont_fragment: bool = False
    ) -> float:
        """Return the round-trip time to `host` in seconds, with `size` bytes of payload, up to 65,527.

        A request without an answer is repeated every second. Raises TimeoutError (ETIMEDOUT) after `timeout` seconds,
        EHOSTUNREACH and the like when a router says so, and OSError with EMSGSIZE for a larger payload, or with
        `dont_fragment` for one that with its 48 bytes of headers is larger than the path takes.
        """
        host, timeout = await self._found(host, timeout)
        raw = destination(host)
        self._check()
        if (key := key_in(host)) is not None:
            self._reach.learn(key)
        return await Ping(self._stack, raw, size, self._registry, dont_fragment).run(timeout)

    # What passes

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers that packets pass between the node and this VTun, the lowest one first; detached, none."""
        gateway = self._reach.gateway
        return () if gateway is None else gateway.layers

    def insert(self, layer: Layer, position: int | None = None) -> None:
        """Have all packets pass `layer` from now on, at this index of `layers`; None: above the others.

        It is the node's gateway that has them (`Gateway.insert`): there they stay when the VTun is detached.
        What a VTun sends to its own addresses never leaves it. ValueError when the VTun is detached, or the layer is in
        a place already.
        """
        gateway = self._reach.gateway
        if gateway is None:
            raise ValueError("the VTun is attached to no node")
        gateway.insert(layer, position)

    def remove(self, layer: Layer) -> None:
        """Take a layer out, and have what it held back go at once. ValueError when it is not in `layers`."""
        gateway = self._reach.gateway
        if gateway is None:
            raise ValueError("the VTun is attached to no node")
        gateway.remove(layer)

    def capture(self, target: Target, *, snaplen: int = 262144) -> Capture:
        """Record every packet of this VTun, in the clear, in a pcapng file for Wireshark, until the result is closed.

        `target` is a path or a file open for writing bytes, a pipe say; writing is synchronous, so a reader that stops
        stops the event loop. `snaplen` bytes are kept of each packet. Packets that arrive are recorded before they are
        checked. Raises OSError when the file cannot be made, and ValueError while another capture runs.
        """
        self._check()
        return self._record(Capture(self._stack, target, snaplen))

    def trace(self, target: Target, *, interval: float = 0.05) -> Trace:
        """Write the figures of all TCP connections (`TcpConnection.info`) every `interval` seconds, as lines of JSON.

        It goes on until the result is closed. `tools/plot` draws it. Raises OSError when the file cannot be made.
        """
        self._check()
        return self._record(Trace(self._stack, target, interval))

    def _record(self, recording: _Recording) -> _Recording:
        self._recordings = [other for other in self._recordings if not other.closed] + [recording]
        return recording

    # The end

    def _check(self) -> None:
        if self._closed:
            raise failure(errno.ENETDOWN, "the VTun is closed")
        forks.check(self.made_in)
        loop = asyncio.get_running_loop()
        if self._driver is None or self._driver.loop is not loop:
            if self._driver is not None:
                self._driver.close()
            self._driver = Driver(self._stack, loop, self._stack.clock)
            self._driver.wake()  # a loop that has ended may owe a turn
        self._stack.set_clock(self._stack.clock.now())  # without a node, the last turn may have been long ago

    async def close(self, grace: float = GRACE) -> None:
        """Close everything on this VTun; connections get ConnectionAbortedError.

        What was written before is still delivered if the peers take it within `grace` seconds; then the rest is reset.
        """
        if self._closed:
            return
        self._closed = True
        try:
            self._registry.shut(failure(errno.ECONNABORTED, "the VTun was closed"))
            await self._drain(grace)
        finally:
            for recording in self._recordings:
                recording.close()
            self._stack.close()
            self._reach.close()
            for part in reversed(self._parts):
                part.close()
            if self._driver is not None:
                self._driver.close()

    async def _drain(self, grace: float) -> None:
        """Wait until no connection has anything unacknowledged."""
        drained: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        pending = {
            connection
            for connection in self._stack.endpoints()
            if isinstance(connection, TcpConnection) and connection.state not in _SETTLED
        }

        def told(connection: TcpConnection, events: int) -> None:
            if events & (DRAINED | CLOSED):
                pending.discard(connection)
                if not pending and not drained.done():
                    drained.set_result(None)

        for connection in list(pending):
            connection.on_event = partial(told, connection)
        # One turn of the loop at least: the protocols' connection_lost is due.
        await asyncio.sleep(0)
        with suppress(TimeoutError):
            if pending:
                async with asyncio.timeout(grace):
                    await drained
        for connection in pending:
            connection.on_event = None


def _served(address: Host | ipaddress.IPv6Network) -> bytes | tuple[bytes, int]:
    if isinstance(address, ipaddress.IPv6Network):
        return address.network_address.packed, address.prefixlen
    return packed(address)


def _only_ours(sock: None) -> None:
    if sock is not None:
        raise ValueError("sock must be None: an operating system's socket is no part of the overlay")
