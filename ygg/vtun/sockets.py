"""What `get_extra_info("socket")` and `server.sockets` give: the part of a socket's face that libraries look at.

There is no file descriptor behind it (`fileno()` is -1). Options are the standard library's constants; the ones
that mean something to the stack are set in the stack, the harmless ones are accepted, others raise ENOPROTOOPT.
"""

import errno
import operator
import socket
import struct
from typing import Any

from ygg.vtun.addresses import SocketAddress, failure
from ygg.vtun.linuxinfo import listening, pack
from ygg.vtun.options import BY_SOCKET_OPTION, ConnectionOptions, Option, Target, c_int
from ygg.vtun.tcpinfo import TcpInfo
from ygg_c.socket.endpoint import Endpoint
from ygg_c.stack.udp import UdpSocket
from ygg_c.tcp.connection import TcpConnection
from ygg_c.tcp.listener import TcpListener

_Option = tuple[int, int]
_SO_ERROR = (socket.SOL_SOCKET, socket.SO_ERROR)
_SO_TYPE = (socket.SOL_SOCKET, socket.SO_TYPE)
_SO_RCVBUF = (socket.SOL_SOCKET, socket.SO_RCVBUF)
# Where a platform lacks a constant the option cannot be named, so a value that no caller passes stands in.
_TCP_INFO = (socket.IPPROTO_TCP, getattr(socket, "TCP_INFO", -1))
_DONTFRAG = (socket.IPPROTO_IPV6, getattr(socket, "IPV6_DONTFRAG", -2))
_ACCEPTED = {
    (socket.SOL_SOCKET, socket.SO_REUSEADDR),
    (socket.SOL_SOCKET, getattr(socket, "SO_REUSEPORT", -3)),
    (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY),
}
# Options of a kernel's TCP that there are not here, and why.
_REFUSED = {
    "TCP_FASTOPEN": "peers of this network do not have Fast Open",
    "TCP_FASTOPEN_CONNECT": "peers of this network do not have Fast Open",
    "TCP_FASTOPEN_NO_COOKIE": "peers of this network do not have Fast Open",
    "TCP_DEFER_ACCEPT": "a connection is accepted when its handshake is done",
    "TCP_LINGER2": "FIN-WAIT-2 ends after `vtun.stack.fin_wait`",
    "TCP_MD5SIG": "packets are authenticated and encrypted below",
    "TCP_SYNCNT": "the SYN is repeated `vtun.stack.syn_retries` times",
    "TCP_WINDOW_CLAMP": "SO_RCVBUF limits the window",
}
_REASONS = {
    (socket.IPPROTO_TCP, getattr(socket, name)): f"{name}: {reason}"
    for name, reason in _REFUSED.items()
    if hasattr(socket, name)
}


class OverlaySocket:
    """A socket-like view of an endpoint of the stack."""

    family = socket.AF_INET6
    """As of a kernel's IPv6 socket."""

    def __init__(self, endpoint: Endpoint, local: SocketAddress, remote: SocketAddress | None = None) -> None:
        self._endpoint: Endpoint | None = endpoint
        self._local, self._remote = local, remote
        datagram = isinstance(endpoint, UdpSocket)
        self.type = socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM
        """As of a kernel's socket."""
        self.proto = socket.IPPROTO_UDP if datagram else socket.IPPROTO_TCP
        """As of a kernel's socket."""
        self._accepted: dict[_Option, int] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} type={self.type!s} laddr={self._local} raddr={self._remote}>"

    def fileno(self) -> int:
        """Return -1: there is no file descriptor."""
        return -1

    def getsockname(self) -> SocketAddress:
        """Return our address."""
        return self._local

    def getpeername(self) -> SocketAddress:
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
        """Return an option as an int, or as `buflen` bytes; ENOPROTOOPT for one that there is not."""
        value = self._get((level, optname))
        if isinstance(value, bytes):
            return value[: buflen or None]
        return struct.pack("i", value)[:buflen] if buflen else value

    def setsockopt(
        self, level: int, optname: int, value: int | bytes | bytearray | memoryview | None, optlen: int = 0, /
    ) -> None:
        """Set an option from an int or from the bytes of a C int (SO_LINGER: of two; TCP_CONGESTION: a name).

        EINVAL, with a text that names the option and its range, for a value that is none; ENOPROTOOPT where it cannot
        be set. On a listener it holds for the connections that are made from then on.
        """
        option = (level, optname)
        endpoint = self._live()
        raw = bytes(value) if isinstance(value, bytes | bytearray | memoryview) else operator.index(value or 0)
        if option in _ACCEPTED:
            self._accepted[option] = c_int(raw)
        elif isinstance(endpoint, UdpSocket):
            _set_datagram(endpoint, option, raw)
        elif option in BY_SOCKET_OPTION:
            _set_stream(endpoint, BY_SOCKET_OPTION[option], raw)
        else:
            raise _unknown(option)

    def _get(self, option: _Option) -> int | bytes:
        endpoint = self._live()
        if option == _SO_ERROR:
            return endpoint.error
        if option == _SO_TYPE:
            return self.type
        if option in _ACCEPTED:
            return self._accepted.get(option, 0)
        if isinstance(endpoint, UdpSocket):
            return _get_datagram(endpoint, option)
        if option == _TCP_INFO:
            return _info(endpoint)
        if option in BY_SOCKET_OPTION:
            return BY_SOCKET_OPTION[option].shown(_target(endpoint))
        raise _unknown(option)

    def _live(self) -> Endpoint:
        if self._endpoint is None:
            raise failure(errno.EBADF)
        return self._endpoint


def _target(endpoint: Endpoint) -> Target:
    """Return where an endpoint's options are: of a listener, those of the connections that it accepts."""
    return endpoint.options if isinstance(endpoint, TcpListener) else _open(endpoint)


def _open(endpoint: Endpoint) -> TcpConnection:
    assert isinstance(endpoint, TcpConnection)
    return endpoint


def _info(endpoint: Endpoint) -> bytes:
    if isinstance(endpoint, TcpListener):
        return listening(endpoint.backlog)
    return pack(TcpInfo.of(_open(endpoint)))


def _set_stream(endpoint: Endpoint, option: Option[Any], raw: int | bytes) -> None:
    value = option.meant(raw)
    try:
        setattr(ConnectionOptions(_target(endpoint)), option.name, value)
    except ValueError as error:
        raise failure(errno.EINVAL, str(error)) from None


def _get_datagram(endpoint: UdpSocket, option: _Option) -> int:
    if option == _SO_RCVBUF:
        return endpoint.queue_limit
    if option == _DONTFRAG:
        return int(endpoint.dont_fragment)
    raise _unknown(option)


def _set_datagram(endpoint: UdpSocket, option: _Option, raw: int | bytes) -> None:
    if option == _SO_RCVBUF:
        size = c_int(raw)
        if size < 0:
            raise failure(errno.EINVAL, f"SO_RCVBUF is no negative number, as {size} is")
        endpoint.queue_limit = size
    elif option == _DONTFRAG:
        endpoint.dont_fragment = bool(c_int(raw))
    else:
        raise _unknown(option)


def _unknown(option: _Option) -> OSError:
    return failure(errno.ENOPROTOOPT, _REASONS.get(option, ""))
