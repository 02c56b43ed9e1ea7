"""Stream sockets of a program that are connected on the overlay."""

import asyncio
import concurrent.futures
import contextlib
import errno
import os
import socket
import weakref
from functools import lru_cache
from typing import Any

from ygg.sockets import calls, descriptors, names
from ygg.sockets.bridge import Bridge
from ygg.vtun import VTun
from ygg.vtun.addresses import Host, SocketAddress, failure

_Option = tuple[int, int, int]


class Connection:
    """What a stream socket stands for: a connection of a VTun, made or in the making, and the bridge to it."""

    def __init__(self, vtun: VTun) -> None:
        self.vtun = vtun
        """Whose it is."""
        self.bridge: Bridge | None = None
        """What carries its bytes, once it is made."""
        self.local: SocketAddress | None = None
        """Its own address, once it is made."""
        self.remote: SocketAddress | None = None
        """Its peer's."""
        self.view: Any = None
        """Options, as `get_extra_info("socket")` has them."""
        self.public_key: bytes | None = None
        """The 32-byte key of the node at the other end."""
        self.pending = False
        """Whether it is in the making, for a socket that does not block."""
        self.failed = False
        """Whether it could not be made."""
        self.dialing: concurrent.futures.Future[None] | None = None
        """What makes it then."""
        self._failure: OSError | None = None

    def made(self, transport: asyncio.Transport, bridge: Bridge) -> None:
        """The connection is there: note what it is."""
        self.bridge = bridge
        bridge.keeps = self     # the object that stands for it may go, and another have the descriptor
        self.local, self.remote = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        self.view = transport.get_extra_info("socket")
        self.public_key = transport.get_extra_info("public_key")
        self.pending, self.dialing = False, None

    def fail(self, error: BaseException) -> None:
        """It could not be made."""
        self.pending, self.failed, self.dialing = False, True, None
        # Without the frames that it has passed, which have the VTun.
        self._failure = error.with_traceback(None) if isinstance(error, OSError) else failure(errno.ECONNABORTED)

    def name(self, near: socket.socket) -> None:
        """Give the near end the connection's name, by which `connection_named` finds it."""
        assert self.local is not None
        assert self.remote is not None
        _NAMED[names.bind(near, self.local, self.remote)] = self

    def error_once(self) -> OSError | None:
        """Return why it was not made, or what it was lost by, if that was not told before.

        Raised, it has the frames that it has passed, which have the socket: what stands for that must not keep them.
        """
        error, self._failure = self._failure, None
        if error is None and self.bridge is not None:
            lost, self.bridge.error = self.bridge.error, None
            error = lost if isinstance(lost, OSError) else None
        return error


class Elsewhere:
    """What a stream socket stands for that was accepted in a child process: there are the names alone."""

    view = None
    """There are no options."""

    def __init__(self, ends: names.Ends) -> None:
        self.local = ends.local
        """Its own address."""
        self.remote = ends.remote
        """Its peer's."""


_NAMED: weakref.WeakValueDictionary[bytes, Connection] = weakref.WeakValueDictionary()


def connection_named(token: bytes) -> Connection | None:
    """Return the connection whose near end has a name with this token; None in another process, and when it is over."""
    return _NAMED.get(token)


def dial(
    connection: Connection,
    sock: socket.socket,
    target: tuple[Host, int],
    local: tuple[Host | None, int] | None,
    *,
    timeout: float | None,
) -> None:
    """Connect `sock`, whose `connection` this is, and have its descriptor carry the bytes.

    As `socket.connect` with a timeout in seconds, None for none; 0 begins, and raises EINPROGRESS.
    """
    options = changed_options(sock)
    there, near = descriptors.pair()
    inode = os.fstat(there.fileno()).st_ino
    gate = None
    try:
        if timeout == 0:
            gate = descriptors.shut_gate(there)
            descriptors.replace(sock, there)
        place = (there.fileno() if gate is None else socket.socket.fileno(sock)), inode
        connection.pending = gate is not None
        work = _dialed(connection, near, gate, place, target, local, timeout or None, options)
        try:
            future = calls.submit(connection.vtun, work)
        except BaseException:
            _give_up(connection, near, gate)
            raise
        future.add_done_callback(lambda future: _over(future, connection, near, gate))
        if gate is not None:
            connection.dialing = future if connection.pending else None
            raise BlockingIOError(errno.EINPROGRESS, "the connection is in the making")
        if calls.here(calls.loop_of(connection.vtun)):
            future.cancel()
            raise RuntimeError("a blocking connect() in the thread of the VTun's event loop would wait for itself")
        calls.wait(connection.vtun, future)
        descriptors.replace(sock, there)
        assert connection.bridge is not None
        connection.bridge.tell_by(socket.socket.fileno(sock), inode)
    except BlockingIOError:
        raise
    except BaseException:
        there.close()
        raise


async def _dialed(
    connection: Connection,
    near: socket.socket,
    gate: socket.socket | None,
    place: tuple[int, int],
    target: tuple[Host, int],
    local: tuple[Host | None, int] | None,
    timeout: float | None,
    options: list[tuple[_Option, bytes]],
) -> None:
    try:
        transport, bridge = await connection.vtun.create_connection(
            lambda: _Late(near), *target, local_addr=local, timeout=timeout
        )
        connection.made(transport, bridge)
        connection.name(near)
        for (level, name, _), value in options:
            with contextlib.suppress(OSError):
                connection.view.setsockopt(level, name, value)
        bridge.tell_by(*place)
        if gate is not None:
            descriptors.open_gate(gate, near)
        bridge.begin()
    except BaseException as error:
        if gate is not None:
            connection.fail(error)  # which is told by the socket, and not here
        if connection.bridge is not None:
            connection.bridge.reset()
        near.close()
        raise
    finally:
        if gate is not None:
            gate.close()


def _over(
    future: "concurrent.futures.Future[None]",
    connection: Connection,
    near: socket.socket,
    gate: socket.socket | None,
) -> None:
    """Where it was not made, close what it would have had, in the loop: work may be cancelled before it has begun."""
    if not future.cancelled() and future.exception() is None:
        return

    def give_up() -> None:
        _give_up(connection, near, gate)

    if not calls.later(connection.vtun, give_up):
        give_up()


def _give_up(connection: Connection, near: socket.socket, gate: socket.socket | None) -> None:
    if connection.bridge is None:
        near.close()
    if gate is not None:
        gate.close()


class _Late(Bridge):
    """A bridge that reads what the program has written once it is told to."""

    _begun = False

    def begin(self) -> None:
        self._begun = True
        self._watch()

    def _watch(self) -> None:
        if self._begun:
            super()._watch()


def adopt(connection: Connection, transport: asyncio.Transport, near: socket.socket) -> Bridge:
    """Note a connection that was accepted; return the bridge that is to take it over."""
    bridge = Bridge(near)
    connection.made(transport, bridge)
    return bridge


# Options that a program has set before it connected

_CARRIED: tuple[_Option, ...] = tuple(
    (level, getattr(socket, name), size)
    for level, name, size in (
        (socket.SOL_SOCKET, "SO_KEEPALIVE", 4),
        (socket.SOL_SOCKET, "SO_LINGER", 8),
        (socket.IPPROTO_TCP, "TCP_NODELAY", 4),
        (socket.IPPROTO_TCP, "TCP_KEEPIDLE", 4),
        (socket.IPPROTO_TCP, "TCP_KEEPINTVL", 4),
        (socket.IPPROTO_TCP, "TCP_KEEPCNT", 4),
        (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", 4),
    )
    if hasattr(socket, name)
)


def _options(sock: socket.socket) -> list[tuple[_Option, bytes]]:
    return [(option, socket.socket.getsockopt(sock, *option)) for option in _CARRIED]


@lru_cache(1)
def _fresh() -> list[tuple[_Option, bytes]]:
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
        return _options(sock)


def changed_options(sock: socket.socket) -> list[tuple[_Option, bytes]]:
    """Return the options of a socket of the kernel's that are not as they were at first."""
    try:
        return [one for one, fresh in zip(_options(sock), _fresh(), strict=True) if one != fresh]
    except OSError:
        return []
