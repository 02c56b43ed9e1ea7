"""The operating system's network."""

import asyncio
import contextlib
import errno
import os
import socket
import stat
import sys
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any, TypeVar

from ygg.errors import (
    ListenerClosed,
    NoSuitableAddress,
    PathTooLong,
    ResolveError,
    from_os_error,
)
from ygg.network.base import Admit, Listener, Network, dial_addresses, is_suitable
from ygg.network.congestion import use_congestion
from ygg.network.inherited import keep_from_children
from ygg.network.interface import Address, bind_to_device, choose_source, spell, with_zone
from ygg.network.native_datagram import ConvertedErrors
from ygg.network.ports import common_family, unspecified
from ygg.network.resolver import resolve
from ygg.stream.held import HoldingProtocol
from ygg_c.base import forks

D = TypeVar("D", bound=asyncio.DatagramProtocol)

ACCEPT_RETRY = 0.1
"""Seconds to wait before accepting again when the process or the system is out of descriptors or memory."""
PATH_RETRY = 0.02
"""Seconds to wait before dialing a UNIX socket again whose backlog is full: the system tells nobody of room in it."""
MOST_PATH = 107 if sys.platform == "linux" else 103
"""Bytes of a UNIX socket's path: `sun_path` without its last NUL (unix(7))."""

_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_TRANSIENT = {errno.EAGAIN, errno.EINTR, errno.ECONNABORTED, errno.EPROTO}


class NativeNetwork(Network):
    """TCP, UDP and UNIX sockets of the operating system.

    Dials skip the addresses no peer can have: unspecified, multicast, and the overlay's own 200::/7. TCP keepalive
    probes are off: links have their own.

    `source_interface` is the interface dialed from where a dial names none. `source_addresses` are addresses of this
    machine to dial from, the first that has the destination's family and scope; where none has, the system chooses.
    With an interface too, only those that are its own count. `congestion` names the congestion control of its TCP
    connections (Linux), such as `bbr`.
    """

    def __init__(
        self,
        *,
        source_interface: str | None = None,
        source_addresses: Iterable[str] = (),
        address_filter: Callable[[str], bool] = is_suitable,
        congestion: str = "",
    ) -> None:
        super().__init__()
        self._congestion = congestion
        self._interface = source_interface
        self._hints = [ip_address(address) for address in source_addresses]
        self._filter = address_filter

    async def _resolve(self, host: str) -> list[str]:
        addresses = await resolve(host)
        if suitable := [address for address in addresses if self._filter(address)]:
            return suitable
        raise NoSuitableAddress

    async def _connect_stream(
        self, host: str, port: int, source_interface: str | None, timeout: float
    ) -> asyncio.Transport:

        async def attempt(address: str) -> asyncio.Transport:
            sock, sockaddr = _dialing_socket(address, port, source_interface or self._interface, self._hints)
            self._prepare(sock)
            return await _connect(sock, sockaddr, timeout)

        return await dial_addresses(self, host, timeout, attempt)

    def _prepare(self, sock: socket.socket) -> None:
        if not self._congestion:
            return
        try:
            use_congestion(sock, self._congestion)
        except OSError:
            sock.close()
            raise

    async def _listen_stream(
        self, host: str, port: int, source_interface: str | None, backlog: int, admit: Admit
    ) -> Listener:
        address = (await resolve(host))[0] if host else _wildcard()
        try:
            sock = _listening_socket(address, port, source_interface, backlog)
            self._prepare(sock)
            listener = NativeListener(sock, admit)
        except OSError as error:
            raise from_os_error(error) from None
        return listener

    async def _create_datagram_endpoint(
        self,
        protocol_factory: Callable[[], D],
        local_addr: tuple[str, int] | None,
        remote_addr: tuple[str, int] | None,
        source_interface: str | None,
        admit: Admit,
    ) -> tuple[asyncio.DatagramTransport, D]:
        remotes = await self.resolve(remote_addr[0]) if remote_addr else []
        locals_ = await resolve(local_addr[0]) if local_addr and local_addr[0] else []
        source, target = common_family(locals_, remotes)
        # As for streams, the network's own interface is for dialing.
        interface = source_interface or (self._interface if remote_addr else None)
        try:
            if local_addr is None and target is not None:
                source = choose_source(interface, self._hints, target)
            elif source is None:
                source = _wildcard() if target is None else str(unspecified(target))
            sock = _datagram_socket(
                None if source is None else (source, local_addr[1] if local_addr else 0),
                None if target is None or remote_addr is None else (target, remote_addr[1]),
                interface,
            )
        except OSError as error:
            raise from_os_error(error) from None
        try:
            protocol = protocol_factory()
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(lambda: ConvertedErrors(protocol), sock=sock)
        except BaseException:
            sock.close()
            raise
        admit(transport)
        return transport, protocol

    async def _connect_path(self, path: str, timeout: float) -> asyncio.Transport:
        _check_path(path)
        return await _connect(_socket(socket.AF_UNIX, socket.SOCK_STREAM), path, timeout)

    async def _listen_path(self, path: str, backlog: int, admit: Admit) -> Listener:
        _check_path(path)
        sock = _socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            _bind_path(sock, path)
            sock.listen(backlog)
            listener = UnixListener(sock, admit, path)
        except OSError as error:
            sock.close()
            raise from_os_error(error) from None
        return listener


class NativeListener(Listener):
    """Accepts only when asked: connections wait in the kernel's backlog, which is the bound."""

    def __init__(self, sock: socket.socket, admit: Admit) -> None:
        self._sock, self._admit = sock, admit
        self._address = spell(sock.getsockname())
        self._waiters: set[asyncio.Future[None]] = set()
        self._closed = asyncio.Event()
        self._made_in = forks.current()

    @property
    def address(self) -> str:
        return self._address

    def is_closing(self) -> bool:
        return self._closed.is_set()

    async def accept(self) -> tuple[asyncio.Transport, str]:
        while True:
            if self.is_closing():
                raise ListenerClosed
            # No await from here to the adoption: a cancelled call has taken no connection.
            try:
                sock, peer = self._sock.accept()
            except BlockingIOError:
                await self._readable()
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    await asyncio.sleep(ACCEPT_RETRY)
                elif error.errno not in _TRANSIENT:
                    raise from_os_error(error) from None
            else:
                keep_from_children(sock)
                remote = self._remote(peer)
                try:
                    transport = await _adopt(sock)
                except OSError:
                    continue  # gone before it was ours
                self._admit(transport)
                return transport, remote

    def close(self) -> None:
        if self.is_closing():
            return
        if self._waiters and self._made_in == forks.current():
            asyncio.get_running_loop().remove_reader(self._sock)
        self._release()
        self._sock.close()
        self._closed.set()

    async def wait_closed(self) -> None:
        await self._closed.wait()

    def _remote(self, peer: Any) -> str:
        return spell(peer)

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        if not self._waiters:
            loop.add_reader(self._sock, self._on_readable)
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)
            if not waiter.done() or waiter.cancelled():
                self._forget_reader(loop)

    def _on_readable(self) -> None:
        asyncio.get_running_loop().remove_reader(self._sock)
        self._release()

    def _forget_reader(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._waiters and not self.is_closing():
            loop.remove_reader(self._sock)

    def _release(self) -> None:
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


class UnixListener(NativeListener):
    """A listener on a path. Clients have no address, so each gets a number of its own; closing removes the path."""

    def __init__(self, sock: socket.socket, admit: Admit, path: str) -> None:
        super().__init__(sock, admit)
        self._address = path
        self._inode = os.stat(path).st_ino
        self._count = 0

    def close(self) -> None:
        if not self.is_closing():
            with contextlib.suppress(OSError):
                if self._made_in == forks.current() and os.stat(self._address).st_ino == self._inode:
                    os.unlink(self._address)
        super().close()

    def _remote(self, peer: Any) -> str:
        self._count += 1
        return f"{self._address}#{self._count}"


def _sockaddr(address: str, port: int, interface: str | None) -> tuple[socket.AddressFamily, Any]:
    """Return the family and the kernel's form of a numeric address, its zone resolved."""
    address = with_zone(address, interface)
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError as error:
        raise ResolveError(f"{address}: {error.strerror}") from None
    return found[0][0], found[0][4]


def _dialing_socket(
    address: str, port: int, interface: str | None, hints: Iterable[Address]
) -> tuple[socket.socket, Any]:
    family, sockaddr = _sockaddr(address, port, interface)
    source = choose_source(interface, hints, address)
    sock = _socket(family, socket.SOCK_STREAM)
    try:
        if interface:
            bind_to_device(sock, interface)
        if source:
            sock.bind(_sockaddr(source, 0, None)[1])
    except OSError:
        sock.close()
        raise
    return sock, sockaddr


def _listening_socket(address: str, port: int, interface: str | None, backlog: int) -> socket.socket:
    family, sockaddr = _sockaddr(address, port, interface)
    sock = _socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if interface:
            bind_to_device(sock, interface)
        _serve_both_families(sock, address)
        sock.bind(sockaddr)
        sock.listen(backlog)
    except OSError:
        sock.close()
        raise
    return sock


def _datagram_socket(
    local: tuple[str, int] | None, remote: tuple[str, int] | None, interface: str | None
) -> socket.socket:
    """Return a bound and connected socket; `local` and `remote` are numeric."""
    ends = [_sockaddr(*end, interface) if end else None for end in (local, remote)]
    family = next(end[0] for end in ends if end)
    sock = _socket(family, socket.SOCK_DGRAM)
    try:
        if interface:
            bind_to_device(sock, interface)
        if local and ends[0]:
            _serve_both_families(sock, local[0])
            sock.bind(ends[0][1])
        if ends[1]:
            sock.connect(ends[1][1])
    except OSError:
        sock.close()
        raise
    return sock


def _socket(family: int, kind: int) -> socket.socket:
    sock = keep_from_children(socket.socket(family, kind))
    sock.setblocking(False)
    return sock


def _serve_both_families(sock: socket.socket, address: str) -> None:
    """Let a socket bound to `::` serve IPv4 too, whatever the system's default."""
    if sock.family == socket.AF_INET6 and ip_address(address).is_unspecified:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)


async def _connect(sock: socket.socket, sockaddr: Any, seconds: float) -> asyncio.Transport:
    """Connect `sock`, which is the transport's afterwards or closed."""
    try:
        async with asyncio.timeout(seconds):
            if sock.family == socket.AF_UNIX:
                await _connect_path(sock, sockaddr)
            else:
                await asyncio.get_running_loop().sock_connect(sock, sockaddr)
    except BaseException as error:
        sock.close()
        if isinstance(error, OSError):
            raise _at(spell(sockaddr), error) from None
        raise
    return await _adopt(sock)


def _at(address: str, error: OSError) -> OSError:
    """Return the ygg error for what failed at an address, which its text names."""
    # asyncio's own timeout has no errno; what else has none says in words what it is.
    code = errno.ETIMEDOUT if isinstance(error, TimeoutError) else error.errno
    if code is None:
        return from_os_error(type(error)(f"{address}: {error}"))
    return from_os_error(OSError(code, f"{address}: {os.strerror(code).lower()}"))


async def _connect_path(sock: socket.socket, path: str) -> None:
    # Not by sock_connect(), which takes EAGAIN, a full backlog, for a connection under way.
    while True:
        try:
            sock.connect(path)
        except BlockingIOError:
            await asyncio.sleep(PATH_RETRY)
        else:
            return


async def _adopt(sock: socket.socket) -> asyncio.Transport:
    """Make a held transport of a connected socket, closing it on failure."""
    try:
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop = asyncio.get_running_loop()
        if sock.family == socket.AF_UNIX:
            transport, _ = await loop.create_unix_connection(HoldingProtocol, sock=sock)
        else:
            transport, _ = await loop.create_connection(HoldingProtocol, sock=sock)
    except BaseException:
        sock.close()
        raise
    return transport


def _check_path(path: str) -> None:
    """Raise `PathTooLong` for a path that has no room in the system's socket addresses."""
    size = len(os.fsencode(path))
    if size > MOST_PATH:
        raise PathTooLong(f"{path[:80]}…: {size} bytes, where a UNIX socket's path has at most {MOST_PATH}")


def _bind_path(sock: socket.socket, path: str) -> None:
    """Bind to `path`, replacing a socket nobody serves any more."""
    try:
        sock.bind(path)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or not stat.S_ISSOCK(os.stat(path).st_mode):
            raise
        with _socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            if probe.connect_ex(path) != errno.ECONNREFUSED:
                raise
        os.unlink(path)
        sock.bind(path)


def _wildcard() -> str:
    return "::" if socket.has_ipv6 else "0.0.0.0"
