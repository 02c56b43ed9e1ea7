"""The names that descriptors of the overlay's sockets have in the system, and what these say.

The near end of each pair is bound to a name that holds both addresses of the connection. So whatever has the other end,
an `ssl.SSLSocket`, a duplicate, a child process, can be told them: it is the name of its peer. There are such names on
Linux alone; elsewhere only the very socket that was connected knows its addresses.
"""

import os
import socket
import struct
import sys
from dataclasses import dataclass
from typing import Any

from ygg.vtun.addresses import SocketAddress

_PREFIX = b"\0ygg:"
_LAYOUT = struct.Struct("!8s16sH16sH")
_CREDENTIALS, _PEERCRED = struct.Struct("iII"), getattr(socket, "SO_PEERCRED", 17)


@dataclass(frozen=True, slots=True)
class Ends:
    """What a name says."""

    token: bytes
    """Tells this connection from all others of the system."""
    local: SocketAddress
    """The address of the socket that the program has."""
    remote: SocketAddress
    """The address of its peer."""


def bind(near: socket.socket, local: SocketAddress, remote: SocketAddress) -> bytes:
    """Give the near end of a pair its name; return the token."""
    token = os.fstat(near.fileno()).st_ino.to_bytes(8, "big")
    if sys.platform == "linux":
        near.bind(_PREFIX + _LAYOUT.pack(token, *_packed(local), *_packed(remote)).hex().encode("ascii"))
    return token


def full(sock: socket.socket, ask: str) -> Any:
    """Return what `getpeername` or `getsockname` says of a descriptor that is a UNIX socket's.

    A socket object of another family asks for as many bytes as an address of that family has.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, os.dup(socket.socket.fileno(sock))) as plain:
        return getattr(socket.SocketType, ask)(plain)


def ends_of(sock: socket.socket, name: Any) -> Ends | None:
    """Return what the name of a socket's peer says, of which `name` may be but the beginning; None for any other."""
    if not isinstance(name, bytes) or not name.startswith(_PREFIX):
        return None
    name = full(sock, "getpeername")
    if not _is_own(sock):
        return None
    try:
        raw = bytes.fromhex(name[len(_PREFIX) :].decode("ascii"))
        token, local, local_port, remote, remote_port = _LAYOUT.unpack(raw)
    except (ValueError, struct.error):
        return None
    return Ends(token, _address(local, local_port), _address(remote, remote_port))


def _is_own(sock: socket.socket) -> bool:
    """Tell whether this user, or root, has made the peer of a socket: any user may take such a name for a socket."""
    raw = socket.SocketType.getsockopt(sock, socket.SOL_SOCKET, _PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(raw)
    return user in (0, os.geteuid())


def _packed(address: SocketAddress) -> tuple[bytes, int]:
    return socket.inet_pton(socket.AF_INET6, address[0]), address[1]


def _address(raw: bytes, port: int) -> SocketAddress:
    return socket.inet_ntop(socket.AF_INET6, raw), port, 0, 0
