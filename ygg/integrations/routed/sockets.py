"""Sockets of a program that stand for something on the overlay.

Libraries make a `socket.socket`, have the event loop connect it, and hand it on: `loop.sock_connect(sock, address)`,
then `loop.create_connection(factory, sock=sock)`. A socket that was connected to an address of the overlay stays the
program's object. It becomes of a class of ours with the same layout, which tells the overlay's names and options, and
its connection is held still until one of two things happens:

- `create_connection(sock=...)` takes the connection over, and the socket's descriptor is closed: no byte ever passed
  through it.
- Something else is done with the socket (it is read, written or polled). Then one end of a pair of sockets takes the
  place of its descriptor, and a `Bridge` carries the bytes from there on. What `create_connection` takes over after
  that has lost nothing.

A datagram socket stands for a UDP socket of the VTun in the event loop's `sock_` methods, and a socket of
`listening_socket()` for an address to listen on.
"""

import asyncio
import contextlib
import errno
import os
import socket
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ygg.sockets import descriptors
from ygg.sockets.bridge import Bridge
from ygg.stream.held import HoldingProtocol, take_over
from ygg.vtun import Server, VTun
from ygg.vtun.addresses import Host, check_port, failure
from ygg.vtun.datagram import UdpSocket


@dataclass(eq=False)
class Stream:
    """A connection that a socket stands for."""

    transport: asyncio.Transport | None
    """The connection, held still, or with a `Bridge` for its protocol; None once `create_connection` has it."""
    bridge: Bridge | None = None
    """What carries its bytes through the socket's descriptor, if that is used."""
    view: Any = field(init=False)
    """Names and options, as `get_extra_info("socket")` has them."""

    def __post_init__(self) -> None:
        assert self.transport is not None
        self.view = self.transport.get_extra_info("socket")

    def release(self) -> None:
        """The socket is closed."""
        if self.transport is not None and self.bridge is None:
            self.transport.close()


@dataclass(eq=False)
class Datagrams:
    """A UDP socket of a VTun that a socket stands for."""

    vtun: VTun
    """Whose it is."""
    view: UdpSocket
    """It tells the names."""

    def release(self) -> None:
        """The socket is closed."""
        self.view.close()


@dataclass(eq=False)
class Listening:
    """An address to listen on that a socket stands for."""

    vtun: VTun | None
    """Whose address it is; None once a server listens there."""
    host: Host | None
    """One of its addresses, None for all."""
    port: int
    """The port; 0 until one is picked."""
    on_opened: Callable[[Server], None] | None = None
    """Called with what listens there, once it does."""

    @property
    def view(self) -> "Listening":
        """It tells the name."""
        return self

    def getsockname(self) -> tuple[str, int, int, int]:
        """Return the address as a socket does."""
        return (str(self.host or "::"), self.port, 0, 0)

    def getpeername(self) -> Any:
        """Raise ENOTCONN."""
        raise failure(errno.ENOTCONN)

    def release(self) -> None:
        """The socket is closed."""


_Standing = Stream | Datagrams | Listening
_STANDING: weakref.WeakKeyDictionary[socket.socket, _Standing] = weakref.WeakKeyDictionary()


def standing(sock: Any) -> _Standing | None:
    """Return what a socket stands for on the overlay; None for any other."""
    return _STANDING.get(sock) if isinstance(sock, socket.socket) else None


def stand(sock: socket.socket, what: _Standing) -> None:
    """Have `sock` stand for `what` from now on."""
    before, _STANDING[sock] = _STANDING.get(sock), what
    if before is not None:  # a datagram socket that is connected once more
        before.release()
    sock.__class__ = _class_for(type(sock))
    weakref.finalize(sock, what.release).atexit = False


def listening_socket(vtun: VTun, host: Host | None = None, port: int = 0) -> socket.socket:
    """Return a socket to hand to a server that takes one (`sock=`, `sockets=`): it listens on this address of `vtun`.

    `host` is one address of the VTun, None for all. The server listens by `loop.create_server(sock=...)` inside
    `routed()`. Closing the server closes it.
    """
    listening = Listening(vtun, host, check_port(port))
    sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    sock.setblocking(False)
    stand(sock, listening)
    return sock


def take(sock: socket.socket, stream: Stream) -> asyncio.Transport:
    """Return the connection of a socket, held still, with all that was on its way through it; the socket is closed."""
    # The socket knows its names yet, but must not keep the connection, whose protocol may keep the socket.
    transport, stream.transport = stream.transport, None
    if transport is None:
        raise failure(errno.EBADF, "the connection of this socket is another transport's")
    if stream.bridge is not None:
        _take_back(sock, transport, stream.bridge)
    socket.socket.close(sock)
    return transport


def _take_back(sock: socket.socket, transport: asyncio.Transport, bridge: Bridge) -> None:
    held = HoldingProtocol()
    waiting, ended = bridge.give_back()
    with contextlib.suppress(OSError):
        while data := socket.socket.recv(sock, 1 << 18):
            held.held += data
    held.held += waiting
    held.eof = ended
    # Raised, it has the frames that it has passed, which may have the socket: what stands for that must not keep them.
    held.lost, held.error, bridge.error = bridge.transport is None, bridge.error, None
    transport.set_protocol(held)
    held.connection_made(transport)


def _use(sock: socket.socket) -> None:
    """Have the descriptor of a socket carry bytes: the program is about to use it."""
    stream = _STANDING.get(sock)
    if not isinstance(stream, Stream) or stream.transport is None or stream.bridge is not None:
        return
    here, near = descriptors.pair()
    descriptors.replace(sock, here)
    stream.bridge = Bridge(near)
    number = socket.socket.fileno(sock)
    stream.bridge.tell_by(number, os.fstat(number).st_ino)
    take_over(stream.transport, stream.bridge)


def _used(name: str) -> Callable[..., Any]:
    """Return a method that has the socket's descriptor carry bytes, and then does what the socket's own does."""

    def method(self: Any, *arguments: Any, **named: Any) -> Any:
        _use(self)
        return getattr(super(_Methods, self), name)(*arguments, **named)

    return method


def _received(name: str) -> Callable[..., Any]:
    """Return a method that reads, and raises what the connection was lost by in the place of an end, once."""
    read = _used(name)

    def method(self: Any, *arguments: Any, **named: Any) -> Any:
        stream = _STANDING.get(self)
        try:
            result = read(self, *arguments, **named)
        except ConnectionResetError:    # all that a descriptor can tell
            if not isinstance(stream, Stream) or stream.bridge is None or stream.bridge.error is None:
                raise
            lost, stream.bridge.error = stream.bridge.error, None
            raise lost from None
        if not (result[0] if isinstance(result, tuple) else result) and isinstance(stream, Stream) and stream.bridge:
            error, stream.bridge.error = stream.bridge.error, None
            if error is not None:
                raise error
        return result

    return method


def _viewed(name: str) -> Callable[..., Any]:
    """Return a method that asks what the socket stands for."""

    def method(self: Any, *arguments: Any) -> Any:
        what = _STANDING.get(self)
        view = None if what is None else getattr(what.view, name, None)
        return getattr(super(_Methods, self), name)(*arguments) if view is None else view(*arguments)

    return method


class _Methods:
    """What differs in a socket that stands for something on the overlay."""

    __slots__ = ()

    getpeername = _viewed("getpeername")
    getsockname = _viewed("getsockname")
    getsockopt = _viewed("getsockopt")
    setsockopt = _viewed("setsockopt")

    fileno = _used("fileno")
    detach = _used("detach")
    dup = _used("dup")
    recv = _received("recv")
    recv_into = _received("recv_into")
    recvfrom = _received("recvfrom")
    recvfrom_into = _received("recvfrom_into")
    recvmsg = _received("recvmsg")
    send = _used("send")
    sendall = _used("sendall")
    sendmsg = _used("sendmsg")
    shutdown = _used("shutdown")

    def __repr__(self) -> str:
        what = _STANDING.get(self)  # type: ignore[call-overload]
        return super().__repr__() if what is None else f"<{type(self).__name__} for {what!r}>"

    def close(self) -> None:
        """Close the socket, and what it stands for with it."""
        what = _STANDING.pop(self, None)  # type: ignore[call-overload]
        super().close()  # type: ignore[misc]
        if what is not None:
            what.release()


_classes: dict[type[socket.socket], type[socket.socket]] = {}


def _class_for(kind: type[socket.socket]) -> type[socket.socket]:
    """Return the class of sockets of a kind that stand for something; it has the kind's layout."""
    if issubclass(kind, _Methods):
        return kind
    if kind not in _classes:
        _classes[kind] = type(kind.__name__, (_Methods, kind), {"__slots__": (), "__module__": kind.__module__})
    return _classes[kind]
