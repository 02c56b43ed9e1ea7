"""Sockets of the system's for connections of the overlay: one call to dial, one to listen, one for datagrams."""

import errno
import socket
from typing import Any

from ygg.sockets.datagrams import Datagrams
from ygg.sockets.listeners import Listening, sweep
from ygg.sockets.standing import stand, standing, what
from ygg.sockets.streams import Connection, dial
from ygg.vtun import VTun
from ygg.vtun.addresses import Host, failure

_Unset: Any = object()


def create_connection(
    vtun: VTun,
    address: tuple[Host, int],
    timeout: float | None = _Unset,
    source_address: tuple[Host | None, int] | None = None,
) -> socket.socket:
    """Return a socket that is connected to an address of the overlay, as `socket.create_connection` does.

    `timeout` in seconds holds for the connection and is then the socket's, `socket.getdefaulttimeout()` unless given.
    It blocks: the loop of `vtun` runs in another thread. OSError as `VTun.create_connection` has them; RuntimeError in
    the loop's own thread.
    """
    sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    try:
        if timeout is not _Unset:
            sock.settimeout(timeout)
        connect(vtun, sock, address, local=source_address)
    except BaseException:
        sock.close()
        raise
    return sock


def create_server(
    vtun: VTun, address: tuple[Host | None, int], *, backlog: int | None = None
) -> socket.socket:
    """Return a socket that listens on an address of `vtun`, all of them with None, as `socket.create_server` does.

    Port 0 picks one. Where as many connections as `backlog` wait to be accepted, more wait in the stack.
    """
    sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    try:
        bind(vtun, sock, address)
        sock.listen() if backlog is None else sock.listen(backlog)
    except BaseException:
        sock.close()
        raise
    return sock


def create_datagram_socket(
    vtun: VTun, local_addr: tuple[Host | None, int] | None = None, remote_addr: tuple[Host, int] | None = None
) -> socket.socket:
    """Return a UDP socket of `vtun`, bound to an address of its or to all, and connected where `remote_addr` is given.

    It blocks, until it is told otherwise.
    """
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        _open(vtun, sock, local_addr, remote_addr)
    except BaseException:
        sock.close()
        raise
    return sock


def connect(
    vtun: VTun, sock: socket.socket, address: tuple[Host, int], *, local: tuple[Host | None, int] | None = None
) -> None:
    """Connect a socket of the program's to an address of the overlay, as `socket.connect` does."""
    if sock.type == socket.SOCK_DGRAM:
        before = standing(sock)
        if isinstance(before, Datagrams):
            local = before.unbind()
        _open(vtun, sock, local, address)
        return
    before = standing(sock)
    if isinstance(before, Connection) and not before.failed:
        raise failure(errno.EALREADY if before.pending else errno.EISCONN)
    if isinstance(before, Listening):
        local = before.unbind()
    if socket.socket.fileno(sock) < 0:
        raise failure(errno.EBADF)
    connection = Connection(vtun)
    timeout = sock.gettimeout()
    try:
        dial(connection, sock, address, local, timeout=timeout)
    except BlockingIOError:
        stand(sock, connection)
        raise
    stand(sock, connection)


def bind(vtun: VTun, sock: socket.socket, address: tuple[Host | None, int]) -> None:
    """Bind a socket of the program's to an address of `vtun`, as `socket.bind` does."""
    if standing(sock) is not None:
        raise failure(errno.EINVAL)
    if sock.type == socket.SOCK_DGRAM:
        _open(vtun, sock, address, None)
        return
    listening = Listening(vtun)
    try:
        listening.bind(sock, *address)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sweep()
        listening.bind(sock, *address)
    stand(sock, listening)


def _open(
    vtun: VTun, sock: socket.socket, local: tuple[Host | None, int] | None, remote: tuple[Host, int] | None
) -> None:
    datagrams = Datagrams(vtun)
    datagrams.open(sock, local, remote)
    stand(sock, datagrams)


def send_first(vtun: VTun, sock: socket.socket) -> None:
    """Have a datagram socket that sends to the overlay for the first time stand for one of `vtun`."""
    if standing(sock) is None:
        _open(vtun, sock, None, None)


def public_key(sock: socket.socket) -> bytes | None:
    """Return the 32-byte public key of the node at the other end of a socket's connection; None where none is known."""
    found = what(sock)
    return found.public_key if isinstance(found, Connection) else None

