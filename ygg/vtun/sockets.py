"""What `get_extra_info("socket")` and `server.sockets` give: the part of a socket's face that libraries look at.

There is no file descriptor behind it (`fileno()` is -1). Options are the standard library's constants; the ones
that mean something to the stack are set in the stack, the harmless ones are accepted, others raise ENOPROTOOPT.
"""

import errno
import socket
import struct
from collections.abc import Callable

from ygg.vtun.names import Address, failure
from ygg_c.endpoint import Endpoint
from ygg_c.tcp.connection import TcpConnection
from ygg_c.udp import UdpSocket

_SECOND = 10**9
_LEAST_BUFFER = 4096
_MILLISECOND = 10**6
_KEEPALIVE = (7200 * _SECOND, 75 * _SECOND, 9)  # Linux's defaults (RFC 9293, 3.8.4)

_Option = tuple[int, int]
_NODELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY)
_SO_KEEPALIVE = (socket.SOL_SOCKET, socket.SO_KEEPALIVE)
_SO_LINGER = (socket.SOL_SOCKET, socket.SO_LINGER)
_SO_ERROR = (socket.SOL_SOCKET, socket.SO_ERROR)
_SO_TYPE = (socket.SOL_SOCKET, socket.SO_TYPE)
_SO_SNDBUF = (socket.SOL_SOCKET, socket.SO_SNDBUF)
_SO_RCVBUF = (socket.SOL_SOCKET, socket.SO_RCVBUF)
# Where a platform lacks a constant the option cannot be named, so a value nobody passes stands in.
_CORK = (socket.IPPROTO_TCP, getattr(socket, "TCP_CORK", -1))
_USER_TIMEOUT = (socket.IPPROTO_TCP, getattr(socket, "TCP_USER_TIMEOUT", -2))
_KEEP = {
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", -3)): (0, _SECOND),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPINTVL", -4)): (1, _SECOND),
    (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPCNT", -5)): (2, 1),
}
_QUICKACK = (socket.IPPROTO_TCP, getattr(socket, "TCP_QUICKACK", -7))
_MAXSEG = (socket.IPPROTO_TCP, getattr(socket, "TCP_MAXSEG", -10))
_CONGESTION = (socket.IPPROTO_TCP, getattr(socket, "TCP_CONGESTION", -9))
_DONTFRAG = (socket.IPPROTO_IPV6, getattr(socket, "IPV6_DONTFRAG", -8))
_ACCEPTED = {
    (socket.SOL_SOCKET, socket.SO_REUSEADDR),
    (socket.SOL_SOCKET, getattr(socket, "SO_REUSEPORT", -6)),
    (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY),
}


class OverlaySocket:
    """A socket-like view of an endpoint of the stack."""

    family = socket.AF_INET6
    """As of a kernel's IPv6 socket."""

    def __init__(self, endpoint: Endpoint, local: Address, remote: Address | None = None) -> None:
        self._endpoint: Endpoint | None = endpoint
        self._local, self._remote = local, remote
        datagram = isinstance(endpoint, UdpSocket)
        self.type = socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM
        """As of a kernel's socket."""
        self.proto = socket.IPPROTO_UDP if datagram else socket.IPPROTO_TCP
        """As of a kernel's socket."""
        self.linger: int | None = None
        """Seconds of SO_LINGER, None while it is off."""
        self._keepalive = _KEEPALIVE
        self._accepted: dict[_Option, int] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} type={self.type!s} laddr={self._local} raddr={self._remote}>"

    def fileno(self) -> int:
        """Return -1: there is no file descriptor."""
        return -1

    def getsockname(self) -> Address:
        """Return our address."""
        return self._local

    def getpeername(self) -> Address:
        """Return the peer's address; ENOTCONN without one."""
        if self._remote is None:
            raise failure(errno.ENOTCONN)
        return self._remote

    def gettimeout(self) -> float:
        """Return 0.0: nothing blocks."""
        return 0.0

    def setblocking(self, flag: bool) -> None:
        """Accept False only."""
        if flag:
            raise ValueError("an overlay socket cannot block")

    def forget(self) -> None:
        """Let go of the endpoint, which has ended."""
        self._endpoint = None

    def getsockopt(self, level: int, optname: int, buflen: int = 0, /) -> int | bytes:
        """Return an option as an int, or as `buflen` bytes."""
        option = (level, optname)
        if option == _SO_LINGER:
            return struct.pack("ii", self.linger is not None, self.linger or 0)[: buflen or None]
        if option == _CONGESTION:
            return self._stream().congestion_control.encode()[:buflen]
        value = self._get(option)
        return struct.pack("i", value)[:buflen] if buflen else value

    def setsockopt(self, level: int, optname: int, value: int | bytes | None, optlen: int = 0, /) -> None:
        """Set an option from an int or from the bytes of a C int (SO_LINGER: of two; TCP_CONGESTION: a name)."""
        option = (level, optname)
        if option == _SO_LINGER:
            assert isinstance(value, bytes)
            on, seconds = struct.unpack("ii", value)
            self.linger = seconds if on else None
            if isinstance(self._endpoint, TcpConnection):
                self._endpoint.linger = seconds * _SECOND if on and seconds >= 0 else None
        elif option == _CONGESTION:
            self._set_congestion(value)
        else:
            self._set(option, struct.unpack("i", value)[0] if isinstance(value, bytes) else int(value or 0))

    def _get(self, option: _Option) -> int:
        endpoint = self._live()
        if option == _SO_ERROR:
            return endpoint.error
        if option == _SO_TYPE:
            return self.type
        if option in _ACCEPTED:
            return self._accepted.get(option, 0)
        if isinstance(endpoint, UdpSocket) and option == _SO_RCVBUF:
            return endpoint.queue_limit
        if isinstance(endpoint, UdpSocket) and option == _DONTFRAG:
            return int(endpoint.dont_fragment)
        if isinstance(endpoint, TcpConnection):
            if option in _KEEP:
                index, unit = _KEEP[option]
                return self._keepalive[index] // unit
            if option in _READ:
                return _READ[option](endpoint)
        raise failure(errno.ENOPROTOOPT)

    def _set(self, option: _Option, value: int) -> None:
        endpoint = self._live()
        if option in _ACCEPTED:
            self._accepted[option] = value
        elif isinstance(endpoint, UdpSocket) and option == _SO_RCVBUF:
            endpoint.queue_limit = value
        elif isinstance(endpoint, UdpSocket) and option == _DONTFRAG:
            endpoint.dont_fragment = bool(value)
        elif not isinstance(endpoint, TcpConnection):
            raise failure(errno.ENOPROTOOPT)
        elif option == _SO_KEEPALIVE:
            endpoint.keepalive = self._keepalive if value else None
        elif option in _KEEP:
            self._set_keepalive(endpoint, option, value)
        elif option in _WRITE:
            _WRITE[option](endpoint, value)
        else:
            raise failure(errno.ENOPROTOOPT)

    def _set_keepalive(self, connection: TcpConnection, option: _Option, value: int) -> None:
        if not 0 < value < 32768:
            raise failure(errno.EINVAL)
        index, unit = _KEEP[option]
        idle, interval, count = (value * unit if place == index else old for place, old in enumerate(self._keepalive))
        self._keepalive = (idle, interval, count)
        if connection.keepalive is not None:
            connection.keepalive = self._keepalive

    def _set_congestion(self, value: int | bytes | None) -> None:
        if not isinstance(value, bytes):
            raise TypeError("congestion control is named by bytes")
        try:
            self._stream().congestion_control = value.rstrip(b"\0").decode("ascii", "replace")
        except ValueError:
            raise failure(errno.ENOENT) from None

    def _stream(self) -> TcpConnection:
        endpoint = self._live()
        if not isinstance(endpoint, TcpConnection):
            raise failure(errno.ENOPROTOOPT)
        return endpoint

    def _live(self) -> Endpoint:
        if self._endpoint is None:
            raise failure(errno.EBADF)
        return self._endpoint


def _set_nodelay(connection: TcpConnection, value: int) -> None:
    connection.nodelay = bool(value)


def _set_corked(connection: TcpConnection, value: int) -> None:
    connection.corked = bool(value)


def _set_user_timeout(connection: TcpConnection, value: int) -> None:
    connection.user_timeout = value * _MILLISECOND


def _set_send_limit(connection: TcpConnection, value: int) -> None:
    connection.send_limit = max(value, _LEAST_BUFFER)


def _set_receive_limit(connection: TcpConnection, value: int) -> None:
    connection.receive_limit = max(value, _LEAST_BUFFER)


def _set_quick_ack(connection: TcpConnection, value: int) -> None:
    connection.quick_ack = bool(value)


def _set_mss_limit(connection: TcpConnection, value: int) -> None:
    try:
        connection.mss_limit = value or None
    except ValueError:
        raise failure(errno.EINVAL) from None


_WRITE: dict[_Option, Callable[[TcpConnection, int], None]] = {
    _NODELAY: _set_nodelay,
    _CORK: _set_corked,
    _USER_TIMEOUT: _set_user_timeout,
    _SO_SNDBUF: _set_send_limit,
    _SO_RCVBUF: _set_receive_limit,
    _QUICKACK: _set_quick_ack,
    _MAXSEG: _set_mss_limit,
}
_READ: dict[_Option, Callable[[TcpConnection], int]] = {
    _NODELAY: lambda connection: int(connection.nodelay),
    _CORK: lambda connection: int(connection.corked),
    _USER_TIMEOUT: lambda connection: connection.user_timeout // _MILLISECOND,
    _SO_KEEPALIVE: lambda connection: int(connection.keepalive is not None),
    _SO_SNDBUF: lambda connection: connection.send_limit,
    _SO_RCVBUF: lambda connection: connection.receive_limit,
    _QUICKACK: lambda connection: int(connection.quick_ack),
    _MAXSEG: lambda connection: int(connection.info()["mss"]),
}
