"""Stream sockets of a program that are bound on the overlay, and listen there.

The descriptor of such a socket is a UNIX socket of the system's, which listens. For each connection that comes the
near end of a bridge is connected to it. So the descriptor is readable when a connection waits, whatever asks: select,
epoll, accept(2) of another library or of a child process. It has no name in the file system by the time it listens, and
is reached through a descriptor that this process has, so that nothing else of the system can connect to it.

When as many wait as the program's backlog allows, connections wait in the backlog of the stack, and after that in the
networks, as handshakes that are not answered yet.
"""

import asyncio
import contextlib
import errno
import os
import socket
import tempfile
import weakref
from typing import Any

from ygg.sockets import calls, descriptors
from ygg.sockets.bridge import Bridge
from ygg.sockets.streams import Connection, adopt, changed_options
from ygg.stream.held import HoldingProtocol, take_over
from ygg.vtun import Server, VTun
from ygg.vtun.addresses import Host, SocketAddress, failure
from ygg_c.base import forks

BACKLOG = 128
"""Connections that the stack keeps for a socket, beside those in the backlog of the program's."""
RETRY = 0.01
"""Seconds until it is looked again whether the program has accepted, when its backlog was full."""

LOOK = 1.0
"""Seconds between two looks whether a descriptor is open yet that another object has taken over."""


class Listening:
    """What a bound stream socket stands for."""

    def __init__(self, vtun: VTun) -> None:
        self.vtun = vtun
        """Whose address it is."""
        self.local: SocketAddress = ("::", 0, 0, 0)
        """The address."""
        self.remote = None
        """There is no peer."""
        self.server: Server | None = None
        """What listens there, until it is closed."""
        self.descriptor: tuple[int, int] | None = None
        """The number and the inode of the program's descriptor."""
        self._place = _Place()
        self._held: _Held | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._made_in = forks.current()

    @property
    def view(self) -> Any:
        """Options, as `server.sockets` have them."""
        sockets = () if self.server is None else self.server.sockets
        if not sockets:
            raise failure(errno.EBADF)
        return sockets[0]

    def bind(self, sock: socket.socket, host: Host | None, port: int) -> None:
        """Take an address and a port, of which connections are refused yet."""
        options = changed_options(sock)

        async def bound() -> Server:
            server = await self.vtun.create_server(
                lambda: _Held(self), host, port, backlog=BACKLOG, start_serving=False
            )
            for (level, name, _), value in options:
                with contextlib.suppress(OSError):
                    server.sockets[0].setsockopt(level, name, value)
            server.on_closed = self._close
            return server

        self.server = calls.run(self.vtun, bound())
        self.local = self.server.sockets[0].getsockname()
        there = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            inode = os.fstat(there.fileno()).st_ino
            name = self._place.bind(there)
            descriptors.replace(sock, there)
        except BaseException:
            there.close()
            self.release()
            raise
        self.descriptor = socket.socket.fileno(sock), inode
        _NAMED[name] = self

    def listen(self, sock: socket.socket, backlog: int) -> None:
        """Have connections come."""
        server = self.server
        if server is None:
            raise failure(errno.EINVAL)
        socket.socket.listen(sock, backlog)
        calls.call(self.vtun, server.begin)

    def alive(self) -> bool:
        """Tell whether the program, or a child of it, has the descriptor yet."""
        if self.descriptor is None:
            return False
        number, inode = self.descriptor
        with contextlib.suppress(OSError):
            if os.fstat(number).st_ino == inode:
                return True
        return _is_open(inode)

    def watch(self) -> None:
        """Look for the end of the descriptor: the object that had it is gone, and another has it."""
        if self._made_in == forks.current():
            calls.later(self.vtun, self._look)

    def release(self) -> None:
        """Stop listening; connections that were not accepted are reset."""
        if self._made_in == forks.current():
            calls.later(self.vtun, self._close)

    def unbind(self) -> tuple[Host | None, int]:
        """Give the address up for a connection from it; return it."""
        if self.server is not None:
            calls.call(self.vtun, self._close)
        host, port = self.local[:2]
        return None if host == "::" else host, port

    # In the event loop

    def _look(self) -> None:
        if self.server is None or not self.server.sockets:
            return
        if self.alive():
            self._looking = asyncio.get_running_loop().call_later(LOOK, self._look)
        else:
            self._close()

    def _close(self) -> None:
        server, self.server = self.server, None
        if server is not None:
            server.on_closed = None
        if self._looking is not None:
            self._looking.cancel()
        if server is not None:
            server.close()
        held, self._held = self._held, None
        if held is not None and held.transport is not None:
            held.transport.abort()
        self._place.close()

    def offer(self, held: "_Held") -> None:
        """Hand a connection to the program, now or once it takes more."""
        transport, server = held.connection, self.server
        if server is None:
            transport.abort()
            return
        connection = Connection(self.vtun)
        try:
            near = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        except OSError:     # there are as many descriptors as may be
            self._retry(held, server)
            return
        near.setblocking(False)
        descriptors.enlarge(near)
        bridge = adopt(connection, transport, near)
        try:
            connection.name(near)
            near.connect(self._place.path)
        except BlockingIOError:
            _drop(bridge, near)
            self._retry(held, server)
        except OSError:     # the program has closed its socket
            _drop(bridge, near)
            transport.abort()
            self._close()
        else:
            take_over(transport, bridge)

    def _retry(self, held: "_Held", server: Server) -> None:
        server.taking, self._held = False, held
        asyncio.get_running_loop().call_later(RETRY, self._again)

    def _again(self) -> None:
        held, self._held = self._held, None
        if held is None or self.server is None:
            return
        self.offer(held)
        if self._held is None and self.server is not None:
            self.server.taking = True


def _drop(bridge: Bridge, near: socket.socket) -> None:
    forks.unregister(near.fileno())
    near.close()
    bridge.error = None


class _Held(HoldingProtocol):
    """The protocol of a connection until the program's backlog has room for it."""

    def __init__(self, listening: Listening) -> None:
        super().__init__()
        self._listening = listening

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        assert self.transport is not None
        self.connection = self.transport
        self._listening.offer(self)


class _Place:
    """Where a UNIX socket of ours is connected to."""

    def __init__(self) -> None:
        self.path = ""
        self._descriptor = -1
        self._folder = ""

    def bind(self, sock: socket.socket) -> str:
        """Bind a socket to a name that is seen by no other user, or by nothing at all; return the name."""
        folder = tempfile.mkdtemp(prefix="ygg-")
        path = os.path.join(folder, "socket")
        try:
            sock.bind(path)
            if hasattr(os, "O_PATH") and os.path.isdir("/proc/self/fd"):
                self._descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
                self.path = f"/proc/self/fd/{self._descriptor}"
        finally:
            if self.path:
                _remove(path, folder)
        if not self.path:
            self.path, self._folder = path, folder
        return path

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        elif self._folder:
            _remove(self.path, self._folder)
            self._folder = ""


def _is_open(inode: int) -> bool:
    """Tell whether a UNIX socket is open, in whatever process."""
    try:
        with open("/proc/net/unix", encoding="ascii", errors="replace") as lines:
            return any(line.split(maxsplit=7)[6:7] == [str(inode)] for line in lines)
    except OSError:
        return False


def _remove(path: str, folder: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
    with contextlib.suppress(OSError):
        os.rmdir(folder)


_NAMED: weakref.WeakValueDictionary[str, Listening] = weakref.WeakValueDictionary()


def listening_named(name: object) -> Listening | None:
    """Return what the socket with this name in the system stands for; None for any other name."""
    return _NAMED.get(name) if isinstance(name, str) else None


def sweep() -> None:
    """Stop what listens for descriptors that were closed unseen, as where an `ssl.SSLSocket` had them."""
    for reference in _NAMED.valuerefs():    # a copy: threads may add to it meanwhile
        listening = reference()
        if listening is not None and listening.server is not None and not listening.alive():
            with contextlib.suppress(OSError, RuntimeError):
                calls.call(listening.vtun, listening._close)


