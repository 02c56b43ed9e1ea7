"""Methods of an event loop that reach the overlay through VTuns.

Theory of operation. The running loop's own methods stay where they are, in its class; ours are put before them, as
attributes of the one loop object, and taken away again by the last `routed()` that ends. Loops of asyncio and of uvloop
take attributes alike: uvloop's are instances of a Python class too. What asyncio does inside its own methods goes
through ours where it calls the loop by name (`create_connection` does for a host that is a name whose address is one of
the overlay); what uvloop does inside is compiled, and sees none of it.

Several `routed()` may be entered, from one task or from several, and left in any order. An address is reached through
the innermost whose VTun suits: for something local the one that serves the address, for a destination the last one
entered.
"""

import asyncio
import contextlib
import errno
import socket
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal

from ygg.integrations.keepalive import probing
from ygg.integrations.routed import bound
from ygg.integrations.routed.sockets import Datagrams, Listening, Stream, stand, standing, take
from ygg.sockets import datagrams as bound_datagrams
from ygg.sockets import hosts, patches
from ygg.sockets import listeners as bound_listeners
from ygg.sockets.patches import SocketRoute
from ygg.sockets.routes import Route, at, toward
from ygg.stream.held import HoldingProtocol, take_over
from ygg.stream.sendfile import sendfile
from ygg.stream.tls.handshake import start_tls
from ygg.stream.transport import ByteStreamTransport
from ygg.vtun import VTun
from ygg.vtun.addresses import failure

REPLACED = (
    "create_connection",
    "create_server",
    "create_datagram_endpoint",
    "sock_connect",
    "sock_recv",
    "sock_recv_into",
    "sock_recvfrom",
    "sock_recvfrom_into",
    "sock_sendall",
    "sock_sendto",
    "getaddrinfo",
    "getnameinfo",
    "start_tls",
    "sendfile",
)
"""The methods of an event loop that `routed()` puts its own before."""

Factory = Callable[[], asyncio.BaseProtocol]
"""Makes the protocol of a connection."""


@dataclass(eq=False)
class LoopRoute(Route):
    """One `routed()` that is entered."""

    loop: asyncio.AbstractEventLoop
    """Whose calls it is for."""
    ended: bool = False
    """Whether the body is over: contexts that were copied in it have the route yet."""
    own: bool = False
    """Whether it is for tasks of its own alone."""
    calls: "SocketCalls" = field(init=False)
    """The same for calls of sockets."""

    def __post_init__(self) -> None:
        self.calls = SocketCalls(self.vtun, False, self)


@dataclass(eq=False)
class SocketCalls(SocketRoute):
    """Has methods of sockets that the event loop's thread calls follow a route, for addresses of the overlay alone:
    the VTun's own node may use sockets in this loop.
    """

    of: LoopRoute
    """The route."""

    def holds(self) -> bool:
        """Tell whether the loop runs what calls now, and that sees the route."""
        try:
            if asyncio.get_running_loop() is not self.of.loop:
                return False
        except RuntimeError:
            return False
        return not self.of.own or _own.get() is self.of


_own: ContextVar[LoopRoute | None] = ContextVar("ygg_route", default=None)
_routes: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, "Routes"] = weakref.WeakKeyDictionary()


@contextlib.contextmanager
def routed(
    vtun: VTun, *, tasks: Literal["all", "own"] = "all", hosts: Literal["overlay", "all"] = "overlay"
) -> Iterator[None]:
    """Have the running event loop reach addresses of the overlay through `vtun` while the body runs.

    Libraries that use the event loop work on the overlay without a change then: they dial and listen on its addresses
    (0200::/7, nodes and the /64s behind them). All other calls do what they did. What was opened goes on after the
    body. It may be nested, with the same or other VTuns.

    With `tasks="own"` it holds for the calling task alone, and for tasks and callbacks that it makes meanwhile. With
    `hosts="all"` every host is taken for the overlay's: a server without a host listens on all addresses of the VTun,
    and names, which the overlay has none of, are errors of name resolution instead of questions to the system.

    RuntimeError without a running loop; TypeError for one whose methods cannot be replaced.
    """
    loop = asyncio.get_running_loop()
    route = LoopRoute(vtun, hosts == "all", loop, own=tasks == "own")
    routes = _routes.get(loop)
    if routes is None:
        routes = _routes[loop] = Routes(loop)
    token = None
    routes.enter(route, shown=tasks == "all")
    try:
        if tasks == "own":
            token = _own.set(route)
        yield
    finally:
        if routes.leave(route):
            _routes.pop(loop, None)
        if token is not None:
            with contextlib.suppress(ValueError):  # an asynchronous generator that another task closes
                _own.reset(token)


class Routes:
    """What is routed in one event loop. The methods named in `REPLACED` have the loop's signatures."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        if not hasattr(loop, "__dict__"):
            raise TypeError(f"the methods of {loop!r} cannot be replaced: it takes no attributes")
        # Held by the loop, as long as its methods are.
        self._loop: asyncio.AbstractEventLoop = loop
        self._entered: list[LoopRoute] = []
        self._shown: list[LoopRoute] = []
        self._original: dict[str, Any] = {name: getattr(loop, name) for name in REPLACED}
        self._before = {name: value for name, value in vars(loop).items() if name in REPLACED}
        for name in REPLACED:
            setattr(loop, name, getattr(self, name))

    def enter(self, route: LoopRoute, shown: bool) -> None:
        """Begin with a route, which all tasks see if it is `shown`."""
        self._entered.append(route)
        if shown:
            self._shown.append(route)
        patches.enter(route.calls)

    def leave(self, route: LoopRoute) -> bool:
        """End a route; tell whether it was the last one, and the loop has its own methods again."""
        route.ended = True
        self._entered.remove(route)
        patches.leave(route.calls)
        if route in self._shown:
            self._shown.remove(route)
        if not self._entered:
            self._restore()
        return not self._entered

    def _restore(self) -> None:
        mine = vars(self._loop)
        for name in REPLACED:
            if mine.get(name) != getattr(self, name):
                continue  # replaced once more since: what did that has ours, which goes on to the loop's own
            if name in self._before:
                setattr(self._loop, name, self._before[name])
            else:
                delattr(self._loop, name)

    def _candidates(self) -> list[LoopRoute]:
        own = _own.get()
        shown = self._shown[::-1]
        return shown if own is None or own.ended or own.loop is not self._loop else [own, *shown]

    def _toward(self, host: Any, local: Any = None) -> VTun | None:
        return toward(self._candidates(), host, local)

    def _at(self, host: Any) -> VTun | None:
        return at(self._candidates(), host)

    # Streams

    async def create_connection(
        self, protocol_factory: Factory, host: Any = None, port: Any = None, **options: Any
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """As the loop's; `sock` may be one that was connected to the overlay."""
        sock = options.get("sock")
        if sock is not None:
            stream = standing(sock)
            if isinstance(stream, Stream) and host is None and port is None:
                del options["sock"]
                return await _take_over(protocol_factory, sock, stream, **options)
        elif host is not None or port is not None:
            local = options.get("local_addr")
            vtun = self._toward(host, None if local is None else local[0])
            if vtun is not None:
                return await vtun.create_connection(protocol_factory, hosts.text(host), _number(port), **options)
            if self._resolves_inside and (found := await self._resolved(host, port, socket.SOCK_STREAM, options)):
                return await self._dial(protocol_factory, host, found, options)
        made: tuple[asyncio.Transport, asyncio.BaseProtocol] = await self._original["create_connection"](
            protocol_factory, host, port, **options
        )
        return made

    # Names

    @property
    def _resolves_inside(self) -> bool:
        """Whether the loop's own methods ask for names where ours do not see it, as uvloop's do."""
        return not isinstance(self._loop, asyncio.BaseEventLoop)

    async def _resolved(self, host: Any, port: Any, kind: int, options: dict[str, Any]) -> list[Any]:
        """Return the addresses of a name, if one of them is the overlay's."""
        if not isinstance(host, str | bytes) or not host or ":" in hosts.text(host):
            return []
        asked = {name: options[name] for name in ("family", "proto", "flags") if options.get(name)}
        found = [entry[4] for entry in await self.getaddrinfo(host, port, type=kind, **asked)]
        return found if any(self._toward(address[0]) is not None for address in found) else []

    async def _named(self, address: Any) -> Any:
        """Return (host, port), with the address of a name that is the overlay's in its place."""
        if not address or not isinstance(address, tuple) or self._toward(address[0]) is not None:
            return address
        found = await self._resolved(address[0], address[1], socket.SOCK_DGRAM, {})
        return found[0][:2] if found and self._toward(found[0][0]) is not None else address

    async def _dial(
        self, protocol_factory: Factory, host: Any, addresses: list[Any], options: dict[str, Any]
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Connect to the first of a name's addresses that answers, in their order, as asyncio does."""
        if options.get("ssl") and options.get("server_hostname") is None:
            options["server_hostname"] = hosts.text(host)
        errors: list[OSError] = []
        for address in addresses:
            try:
                return await self.create_connection(protocol_factory, *address[:2], **options)
            except OSError as error:
                errors.append(error)
        texts = {str(error) for error in errors}
        raise errors[0] if len(texts) == 1 else OSError(f"Multiple exceptions: {', '.join(map(str, errors))}")

    async def create_server(
        self, protocol_factory: Factory, host: Any = None, port: Any = None, **options: Any
    ) -> asyncio.AbstractServer:
        """As the loop's; `sock` may be one of `listening_socket()`. Of several hosts all are one VTun's, or none is."""
        sock = options.get("sock")
        listening = standing(sock)
        if sock is not None and isinstance(listening, Listening) and host is None and port is None:
            return await _listen(protocol_factory, sock, listening, options)
        if sock is not None and (given := bound.give_up(sock, self._loop, bound_listeners.Listening)):
            owner, local, _ = given
            options = {**probing(owner), **options}
            del options["sock"]
            return await owner.create_server(protocol_factory, *local, **options)
        if sock is None:
            if isinstance(host, Iterator):
                host = list(host)  # it can be gone through once
            names = list(host) if isinstance(host, Iterable) and not isinstance(host, str | bytes) else [host]
            if self._resolves_inside and len(names) == 1:
                found = await self._resolved(names[0], port, socket.SOCK_STREAM, options)
                names = [address[0] for address in found] or names
            vtuns = {self._at(name) for name in names}
            if len(vtuns) > 1:
                raise ValueError("addresses of the overlay and others, or of two VTuns, need a server each")
            vtun = vtuns.pop() if vtuns else None
            if vtun is not None:
                taken: Any = [None if _unspecified(name) else hosts.text(name) for name in names]
                options = {**probing(vtun), **options}
                return await vtun.create_server(protocol_factory, taken, _number(port), **options)
        server: asyncio.AbstractServer = await self._original["create_server"](protocol_factory, host, port, **options)
        return server

    async def start_tls(
        self, transport: Any, protocol: asyncio.BaseProtocol, sslcontext: Any, **options: Any
    ) -> asyncio.Transport | None:
        """As the loop's; connections of the overlay are upgraded on uvloop too, and once more."""
        if isinstance(transport, ByteStreamTransport):
            return await start_tls(transport, protocol, sslcontext, **options)
        upgraded: asyncio.Transport | None = await self._original["start_tls"](
            transport, protocol, sslcontext, **options
        )
        return upgraded

    async def sendfile(
        self, transport: Any, file: Any, offset: int = 0, count: int | None = None, *, fallback: bool = True
    ) -> int:
        """As the loop's; on connections of the overlay it reads and writes block by block, on uvloop too."""
        if not isinstance(transport, ByteStreamTransport):
            sent: int = await self._original["sendfile"](transport, file, offset, count, fallback=fallback)
            return sent
        if not fallback:
            raise asyncio.SendfileNotAvailableError("sendfile syscall is not supported on the overlay")
        return await sendfile(transport, file, offset, count)

    # Datagrams

    async def create_datagram_endpoint(
        self, protocol_factory: Callable[[], Any], local_addr: Any = None, remote_addr: Any = None, **options: Any
    ) -> tuple[asyncio.DatagramTransport, asyncio.DatagramProtocol]:
        """As the loop's; `sock` may be one that was connected to the overlay, or has sent to it."""
        datagrams = standing(options.get("sock"))
        if isinstance(datagrams, Datagrams):
            return await _take_datagrams(protocol_factory, options["sock"], datagrams)
        if given := bound.give_up(options.get("sock"), self._loop, bound_datagrams.Datagrams):
            owner, own, peer = given
            return await owner.create_datagram_endpoint(protocol_factory, own, peer)
        if options.get("sock") is None:
            remote_addr = await self._named(remote_addr)
            vtun = self._endpoint(local_addr, remote_addr)
            if vtun is not None:
                local, remote = _address(local_addr), _address(remote_addr)
                return await vtun.create_datagram_endpoint(protocol_factory, local, remote, **options)
        made: tuple[asyncio.DatagramTransport, Any] = await self._original["create_datagram_endpoint"](
            protocol_factory, local_addr, remote_addr, **options
        )
        return made

    def _endpoint(self, local: Any, remote: Any) -> VTun | None:
        if remote and isinstance(remote, tuple):
            return self._toward(remote[0], local[0] if local and isinstance(local, tuple) else None)
        if local and isinstance(local, tuple):
            return self._at(local[0])
        return self._at(None) if local is None and remote is None else None  # str: the path of a UNIX socket

    # Sockets of a program

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """As the loop's; the socket stands for the connection then."""
        takes = bool(address) and isinstance(address, tuple) and sock.family == socket.AF_INET6
        vtun = self._toward(address[0]) if takes else None
        if vtun is None:
            await self._original["sock_connect"](sock, address)
            return
        self._require_nonblocking(sock)
        if socket.socket.fileno(sock) < 0:
            raise failure(errno.EBADF)
        if isinstance(standing(sock), Stream):
            raise failure(errno.EISCONN)
        target = (hosts.text(address[0]), address[1])
        if sock.type == socket.SOCK_DGRAM:
            stand(sock, Datagrams(vtun, await vtun.open_datagram(remote_addr=target)))
            return
        transport, _ = await vtun.create_connection(HoldingProtocol, *target, local_addr=bound.local_of(sock))
        if socket.socket.fileno(sock) < 0:
            transport.close()
            raise failure(errno.EBADF, "the socket was closed while it was connected")
        stand(sock, Stream(transport))

    def _require_nonblocking(self, sock: socket.socket) -> None:
        if self._loop.get_debug() and sock.gettimeout() != 0:
            raise ValueError("the socket must be non-blocking")

    async def _datagrams(self, sock: socket.socket, address: Any = None) -> Datagrams | None:
        """Return the UDP socket that `sock` stands for, or is to when it sends to `address` on the overlay."""
        known = standing(sock)
        if isinstance(known, Datagrams):
            return known
        if address is None or sock.type != socket.SOCK_DGRAM or sock.family != socket.AF_INET6:
            return None
        vtun = self._toward(address[0])
        if vtun is None:
            return None
        self._require_nonblocking(sock)
        made = Datagrams(vtun, await vtun.open_datagram())
        stand(sock, made)
        return made

    async def sock_sendto(self, sock: socket.socket, data: Any, address: Any) -> int:
        """As the loop's; what has sent to the overlay once is the overlay's."""
        datagrams = await self._datagrams(sock, address)
        if datagrams is None:
            sent: int = await self._original["sock_sendto"](sock, data, address)
            return sent
        if datagrams.view.getpeername() is not None:
            await datagrams.view.send(data)
        else:
            await datagrams.view.sendto(data, (hosts.text(address[0]), address[1]))
        return len(data)

    async def sock_sendall(self, sock: socket.socket, data: Any) -> None:
        """As the loop's."""
        datagrams = await self._datagrams(sock)
        if datagrams is None:
            await self._original["sock_sendall"](sock, data)
        else:
            await datagrams.view.send(data)

    async def sock_recvfrom(self, sock: socket.socket, bufsize: int) -> tuple[bytes, Any]:
        """As the loop's: what does not fit is cut off."""
        datagrams = await self._datagrams(sock)
        if datagrams is None:
            received: tuple[bytes, Any] = await self._original["sock_recvfrom"](sock, bufsize)
            return received
        data, source = await datagrams.view.recvfrom()
        return data[:bufsize], source

    async def sock_recvfrom_into(self, sock: socket.socket, buf: Any, nbytes: int = 0) -> tuple[int, Any]:
        """As the loop's: what does not fit is cut off."""
        datagrams = await self._datagrams(sock)
        if datagrams is None:
            received: tuple[int, Any] = await self._original["sock_recvfrom_into"](sock, buf, nbytes)
            return received
        data, source = await self.sock_recvfrom(sock, nbytes or len(buf))
        buf[: len(data)] = data
        return len(data), source

    async def sock_recv(self, sock: socket.socket, nbytes: int) -> bytes:
        """As the loop's."""
        if await self._datagrams(sock) is not None:
            return (await self.sock_recvfrom(sock, nbytes))[0]
        received: bytes = await self._original["sock_recv"](sock, nbytes)
        return received

    async def sock_recv_into(self, sock: socket.socket, buf: Any) -> int:
        """As the loop's."""
        if await self._datagrams(sock) is not None:
            return (await self.sock_recvfrom_into(sock, buf))[0]
        received: int = await self._original["sock_recv_into"](sock, buf)
        return received

    # Names

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> Any:
        """As the loop's; of addresses of the overlay nothing is asked."""
        if host is not None and self._toward(host) is not None:
            return hosts.addresses(host, port, family, type, proto, flags)
        return await self._original["getaddrinfo"](host, port, family=family, type=type, proto=proto, flags=flags)

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> Any:
        """As the loop's; addresses of the overlay have no names."""
        if sockaddr and self._toward(sockaddr[0]) is not None:
            return hosts.name_of(sockaddr, flags)
        return await self._original["getnameinfo"](sockaddr, flags)


async def _take_over(
    factory: Factory,
    sock: socket.socket,
    stream: Stream,
    *,
    ssl: Any = None,
    server_hostname: str | None = None,
    ssl_handshake_timeout: float | None = None,
    **_: Any,
) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
    """Return what `create_connection(sock=...)` does of a socket that stands for a connection."""
    if ssl and server_hostname is None:
        raise ValueError("You must set server_hostname when using ssl without a host")
    if server_hostname is not None and not ssl:
        raise ValueError("server_hostname is only meaningful with ssl")
    protocol = factory()
    transport = take(sock, stream)
    if ssl:
        context = _default_context() if ssl is True else ssl
        transport = await start_tls(
            transport,
            HoldingProtocol(),
            context,
            server_hostname=server_hostname,
            ssl_handshake_timeout=ssl_handshake_timeout,
        )
    take_over(transport, protocol)
    return transport, protocol


def _default_context() -> Any:
    import ssl

    return ssl.create_default_context()


async def _listen(
    factory: Factory, sock: socket.socket, listening: Listening, options: dict[str, Any]
) -> asyncio.AbstractServer:
    """Return what `create_server(sock=...)` does of a socket of `listening_socket()`."""
    del options["sock"]
    if listening.vtun is None:
        raise failure(errno.EINVAL, "a server listens by this socket already")
    options = {**probing(listening.vtun), **options}
    server = await listening.vtun.create_server(factory, listening.host, listening.port, **options)
    listening.port = server.sockets[0].getsockname()[1]
    if listening.on_opened is not None:
        listening.on_opened(server)
    # The socket knows its name yet, but must not keep the server, whose program may keep the socket.
    listening.vtun = listening.on_opened = None
    socket.socket.close(sock)
    return server


async def _take_datagrams(
    factory: Callable[[], Any], sock: socket.socket, datagrams: Datagrams
) -> tuple[asyncio.DatagramTransport, Any]:
    """Return an endpoint in the place of the UDP socket that `sock` stands for, with its names."""
    local, remote = datagrams.view.getsockname(), datagrams.view.getpeername()
    sock.close()
    return await datagrams.vtun.create_datagram_endpoint(
        factory, (local[0], local[1]), None if remote is None else (remote[0], remote[1])
    )


def _unspecified(host: Any) -> bool:
    return host is None or hosts.text(host) in ("", "::", "0.0.0.0")


def _number(port: Any) -> Any:
    """Return a port as a VTun takes it: services have names here too."""
    if port is None or isinstance(port, int):
        return port
    word = port.decode("ascii", "replace") if isinstance(port, bytes) else port
    if not isinstance(word, str) or word.isdigit():
        return word
    try:
        return socket.getservbyname(word, "tcp")
    except OSError:
        raise socket.gaierror(socket.EAI_SERVICE, f"no such service: {word!r}") from None


def _address(address: Any) -> Any:
    """Return (host, port) as a VTun takes it."""
    if address is None:
        return None
    host = None if _unspecified(address[0]) else hosts.text(address[0])
    return host, _number(address[1])
