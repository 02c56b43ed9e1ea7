"""Pairs of the system's sockets, one end of which takes the place of a program's descriptor."""

import os
import socket

from ygg.sockets import epolls

BUFFER = 1 << 20
"""Bytes that each end of a pair may hold, where the system allows as much (net.core.wmem_max)."""

_GATE_BUFFER, _GATE = 1, bytes(2000)


def pair(kind: int = socket.SOCK_STREAM) -> tuple[socket.socket, socket.socket]:
    """Return the end for a program and the near end, which does not block, both with large buffers."""
    there, near = socket.socketpair(socket.AF_UNIX, kind)
    enlarge(there)
    enlarge(near)
    near.setblocking(False)
    return there, near


def enlarge(sock: socket.socket) -> None:
    """Have a socket of the system's hold more."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)


def replace(sock: socket.socket, there: socket.socket) -> None:
    """Have the descriptor of `sock` be `there`, which is closed; it blocks, or not, as it did, and epolls watch it."""
    number, timeout = socket.socket.fileno(sock), socket.socket.gettimeout(sock)
    watched = epolls.registrations(number)
    os.dup2(there.fileno(), number, inheritable=os.get_inheritable(number))
    there.close()
    epolls.ask_again(number, watched)
    socket.socket.settimeout(sock, timeout)


def shut_gate(there: socket.socket) -> socket.socket:
    """Have a program's end be unfit for writing until `open_gate`; return what that wants."""
    there.setblocking(False)
    there.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _GATE_BUFFER)
    there.send(_GATE)
    return there.dup()


def open_gate(gate: socket.socket, near: socket.socket) -> None:
    """Have a program's end be fit for writing."""
    with gate:
        near.recv(len(_GATE), socket.MSG_WAITALL)
        enlarge(gate)
