"""What differs in a `socket.socket` of a program that stands for something on the overlay.

The socket stays the program's object, and becomes of a class of ours with the same layout. Bytes of streams are read
and written by the methods that it has, on its descriptor; ours tell the overlay's names, options and errors. Those of
datagram sockets also put the address before each datagram.

A duplicate, or an `ssl.SSLSocket` that has taken the descriptor over, is another object. `what()` finds by the names
of its descriptor what it stands for.
"""

import errno
import os
import socket
import weakref
from collections.abc import Callable
from typing import Any, cast

from ygg.sockets import calls, descriptors, names
from ygg.sockets.datagrams import HEADER, LARGEST, Datagrams, source
from ygg.sockets.listeners import Listening, listening_named
from ygg.sockets.streams import Connection, Elsewhere, connection_named
from ygg.vtun.addresses import failure

Standing = Connection | Listening | Datagrams | Elsewhere
"""What a socket stands for."""

_STANDING: weakref.WeakKeyDictionary[socket.socket, Standing] = weakref.WeakKeyDictionary()
_NATIVE_OPTIONS = frozenset(
    (socket.SOL_SOCKET, getattr(socket, name)) for name in ("SO_RCVTIMEO", "SO_SNDTIMEO") if hasattr(socket, name)
)
_SO_ERROR = (socket.SOL_SOCKET, socket.SO_ERROR)

PLAIN: Any = socket.SocketType
"""The class of sockets that is compiled: its methods are the system's calls, whatever was put before them."""


def standing(sock: socket.socket) -> Standing | None:
    """Return what this very socket stands for; None for any other."""
    return _STANDING.get(sock)


def stand(sock: socket.socket, what: Standing) -> None:
    """Have `sock` stand for something from now on."""
    _STANDING[sock] = what
    sock.__class__ = _class_for(type(sock))
    if isinstance(what, Listening):
        weakref.finalize(sock, _forgotten, what).atexit = False


def _forgotten(listening: Listening) -> None:
    """The object is gone, or closed: so is its descriptor, unless a duplicate or a child process has it."""
    if listening.alive():
        listening.watch()
    else:
        listening.release()


def ends(sock: socket.socket) -> names.Ends | None:
    """Return what the names of a descriptor say of a connection; None where it is no end of ours."""
    try:
        return names.ends_of(sock, PLAIN.getpeername(sock))
    except OSError:
        return None


def what(sock: socket.socket) -> Standing | None:
    """Return what a socket stands for, or another has that had its descriptor; None for any other socket."""
    found = _STANDING.get(sock)
    if found is not None:
        return found
    try:
        name = PLAIN.getsockname(sock)
    except OSError:
        return None
    if isinstance(name, tuple):
        return None     # the kernel's
    named = ends(sock)  # first: what was accepted has the listener's name for its own
    if named is None:
        return listening_named(names.full(sock, "getsockname"))
    return connection_named(named.token) or Elsewhere(named)


# Names and options


def getpeername(sock: socket.socket, otherwise: Callable[[socket.socket], Any]) -> Any:
    """Return the address of the peer; `otherwise` returns that of other sockets."""
    found = _STANDING.get(sock)
    if isinstance(found, Listening):
        raise failure(errno.ENOTCONN)
    if found is not None:
        if found.remote is None:
            raise failure(errno.ENOTCONN)
        return found.remote
    name = otherwise(sock)
    named = names.ends_of(sock, name)
    return name if named is None else named.remote


def getsockname(sock: socket.socket, otherwise: Callable[[socket.socket], Any]) -> Any:
    """Return the socket's own address; `otherwise` returns that of other sockets."""
    found = _STANDING.get(sock)
    if found is not None:
        return found.local or ("::", 0, 0, 0)
    name = otherwise(sock)
    if isinstance(name, tuple) or sock.family != socket.AF_INET6:
        return name
    named = ends(sock)
    if named is not None:
        return named.local
    listening = listening_named(names.full(sock, "getsockname"))
    return name if listening is None else listening.local


def setsockopt(sock: socket.socket, otherwise: Callable[..., Any], level: int, option: int, *value: Any) -> None:
    """Set an option of what a socket stands for; `otherwise` sets that of other sockets."""
    found = what(sock)
    if found is None or (level, option) in _NATIVE_OPTIONS:
        otherwise(sock, level, option, *value)
    elif not isinstance(found, Elsewhere) and found.view is not None:
        calls.call(found.vtun, found.view.setsockopt, level, option, *value)


def getsockopt(sock: socket.socket, otherwise: Callable[..., Any], level: int, option: int, *size: int) -> Any:
    """Return an option of what a socket stands for; `otherwise` returns that of other sockets."""
    found = what(sock)
    if found is None or isinstance(found, Elsewhere) or (level, option) in _NATIVE_OPTIONS:
        return otherwise(sock, level, option, *size)
    if (level, option) == _SO_ERROR and not isinstance(found, Listening):
        error = found.error_once()
        return 0 if error is None else error.errno or errno.EIO
    if found.view is None:
        raise failure(errno.ENOTCONN)
    return calls.call(found.vtun, found.view.getsockopt, level, option, *size)


# Errors


def _receiving(name: str) -> Callable[..., Any]:
    """Return a method that reads, and raises once what the connection was lost by, where a pair cannot tell."""

    def method(self: Any, *arguments: Any, **named: Any) -> Any:
        found = _STANDING.get(self)
        if isinstance(found, Datagrams):
            return getattr(_Messages, name)(self, found, *arguments, **named)
        try:
            result = getattr(super(Methods, self), name)(*arguments, **named)
        except ConnectionResetError:
            error = found.error_once() if isinstance(found, Connection) else None
            if error is None:
                raise
            raise error from None
        if isinstance(found, Connection) and not (result[0] if isinstance(result, tuple) else result):
            _raise_if_lost(found, arguments)
        return result

    method.__doc__ = f"As `{name}` of any socket."
    return method


def _raise_if_lost(connection: Connection, arguments: tuple[Any, ...]) -> None:
    """What has read nothing has come to the end, unless nothing was asked for."""
    if arguments and isinstance(arguments[0], int) and arguments[0] == 0:
        return
    error = connection.error_once()
    if error is not None:
        raise error


def _sending(name: str) -> Callable[..., Any]:
    """Return a method that writes, likewise."""

    def method(self: Any, *arguments: Any, **named: Any) -> Any:
        found = _STANDING.get(self)
        if isinstance(found, Datagrams):
            return getattr(_Messages, name)(self, found, *arguments, **named)
        if isinstance(found, Connection):
            _must_be_made(found)
        try:
            return getattr(super(Methods, self), name)(*arguments, **named)
        except BrokenPipeError:
            error = found.error_once() if isinstance(found, Connection) else None
            if error is None:
                raise
            raise error from None

    method.__doc__ = f"As `{name}` of any socket."
    return method


def _must_be_made(connection: Connection) -> None:
    if connection.pending:
        raise BlockingIOError(errno.EAGAIN, "the connection is in the making")
    if connection.failed:
        raise failure(errno.ENOTCONN)


class Methods:
    """What a socket that stands for something has in the place of its own methods."""

    __slots__ = ()

    recv = _receiving("recv")
    """As of any socket."""
    recv_into = _receiving("recv_into")
    """As of any socket."""
    recvfrom = _receiving("recvfrom")
    """As of any socket."""
    recvfrom_into = _receiving("recvfrom_into")
    """As of any socket."""
    recvmsg = _receiving("recvmsg")
    """As of any socket."""
    recvmsg_into = _receiving("recvmsg_into")
    """As of any socket."""
    send = _sending("send")
    """As of any socket."""
    sendall = _sending("sendall")
    """As of any socket."""
    sendto = _sending("sendto")
    """As of any socket."""
    sendmsg = _sending("sendmsg")
    """As of any socket."""

    def getpeername(self) -> Any:
        """Return the address of the peer."""
        return getpeername(self, PLAIN.getpeername)  # type: ignore[arg-type]

    def getsockname(self) -> Any:
        """Return its own address."""
        return getsockname(self, PLAIN.getsockname)  # type: ignore[arg-type]

    def setsockopt(self, level: int, option: int, *value: Any) -> None:
        """Set an option of the connection's."""
        setsockopt(self, PLAIN.setsockopt, level, option, *value)  # type: ignore[arg-type]

    def getsockopt(self, level: int, option: int, *size: int) -> Any:
        """Return an option of the connection's."""
        return getsockopt(self, PLAIN.getsockopt, level, option, *size)  # type: ignore[arg-type]

    def listen(self, backlog: int = 128) -> None:
        """Listen, where it is bound."""
        found = _STANDING.get(self)  # type: ignore[call-overload]
        if not isinstance(found, Listening):
            raise failure(errno.EINVAL)
        found.listen(self, backlog)  # type: ignore[arg-type]

    def accept(self) -> Any:
        """Return the next connection and its address, as a socket does."""
        sock, name = super().accept()  # type: ignore[misc]
        return sock, known(sock, name)

    def __repr__(self) -> str:
        found = _STANDING.get(self)  # type: ignore[call-overload]
        if found is None:
            return super().__repr__()
        raddr = f", raddr={found.remote}" if not isinstance(found, Listening) and found.remote else ""
        return f"<{type(self).__name__} fd={socket.socket.fileno(self)}, laddr={found.local}{raddr}>"  # type: ignore[arg-type]

    def _real_close(self, *arguments: Any) -> None:
        found = _STANDING.get(self)  # type: ignore[call-overload]
        super()._real_close(*arguments)  # type: ignore[misc]
        if isinstance(found, Listening):
            _forgotten(found)
        elif isinstance(found, Connection) and found.dialing is not None:
            found.dialing.cancel()


def known(sock: socket.socket, name: Any) -> Any:
    """Have a connection that was accepted stand for what it is; return its address, `name` for any other."""
    named = names.ends_of(sock, name)
    if named is None:
        return name
    descriptors.enlarge(sock)
    connection = connection_named(named.token)
    stand(sock, connection or Elsewhere(named))
    if connection is not None and connection.bridge is not None:
        number = socket.socket.fileno(sock)
        connection.bridge.tell_by(number, os.fstat(number).st_ino)
    return named.remote


# Datagrams


class _Messages:
    """What reads and writes datagrams, with their addresses before them."""

    @staticmethod
    def recvmsg_into(
        sock: Any, datagrams: Datagrams, buffers: Any, ancbufsize: int = 0, flags: int = 0
    ) -> tuple[int, list[Any], int, Any]:
        error = datagrams.error_once()
        if error is not None:
            raise error
        header = bytearray(HEADER.size)
        count, _, flags, _ = cast(Any, super(Methods, sock)).recvmsg_into([header, *buffers], 0, flags)
        if count < HEADER.size:
            raise datagrams.error_once() or failure(errno.ENETDOWN)
        return count - HEADER.size, [], flags & ~socket.MSG_EOR, source(header)

    @classmethod
    def recvfrom_into(
        cls, sock: Any, datagrams: Datagrams, buffer: Any, nbytes: int = 0, flags: int = 0
    ) -> tuple[int, Any]:
        space = memoryview(buffer).cast("B")
        count, _, _, address = cls.recvmsg_into(sock, datagrams, [space[:nbytes] if nbytes else space], 0, flags)
        return count, address

    @classmethod
    def recv_into(cls, sock: Any, datagrams: Datagrams, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        return cls.recvfrom_into(sock, datagrams, buffer, nbytes, flags)[0]

    @classmethod
    def recvmsg(
        cls, sock: Any, datagrams: Datagrams, bufsize: int, ancbufsize: int = 0, flags: int = 0
    ) -> tuple[bytes, list[Any], int, Any]:
        space = bytearray(min(bufsize, LARGEST))
        count, ancillary, flags, address = cls.recvmsg_into(sock, datagrams, [space], 0, flags)
        return bytes(memoryview(space)[:count]), ancillary, flags, address

    @classmethod
    def recvfrom(cls, sock: Any, datagrams: Datagrams, bufsize: int, flags: int = 0) -> tuple[bytes, Any]:
        data, _, _, address = cls.recvmsg(sock, datagrams, bufsize, 0, flags)
        return data, address

    @classmethod
    def recv(cls, sock: Any, datagrams: Datagrams, bufsize: int, flags: int = 0) -> bytes:
        return cls.recvfrom(sock, datagrams, bufsize, flags)[0]

    @staticmethod
    def sendmsg(
        sock: Any, datagrams: Datagrams, buffers: Any, ancdata: Any = (), flags: int = 0, address: Any = None
    ) -> int:
        error = datagrams.error_once()
        if error is not None:
            raise error
        header = datagrams.to(address)
        parts = [memoryview(buffer).cast("B") for buffer in buffers]
        if sum(map(len, parts)) > LARGEST:
            raise failure(errno.EMSGSIZE)
        sent: int = cast(Any, super(Methods, sock)).sendmsg([header, *parts], (), flags)
        return sent - HEADER.size

    @classmethod
    def sendto(cls, sock: Any, datagrams: Datagrams, data: Any, *flags_address: Any) -> int:
        *flags, address = flags_address
        return cls.sendmsg(sock, datagrams, [data], (), flags[0] if flags else 0, address)

    @classmethod
    def send(cls, sock: Any, datagrams: Datagrams, data: Any, flags: int = 0) -> int:
        return cls.sendmsg(sock, datagrams, [data], (), flags)

    @classmethod
    def sendall(cls, sock: Any, datagrams: Datagrams, data: Any, flags: int = 0) -> None:
        cls.sendmsg(sock, datagrams, [data], (), flags)


_classes: dict[type[socket.socket], type[socket.socket]] = {}


def _class_for(kind: type[socket.socket]) -> type[socket.socket]:
    """Return the class of sockets of a kind that stand for something; it has the kind's layout."""
    if issubclass(kind, Methods):
        return kind
    if kind not in _classes:
        _classes[kind] = type(kind.__name__, (Methods, kind), {"__slots__": (), "__module__": kind.__module__})
    return _classes[kind]
