"""The congestion control of TCP connections below links, where the system lets it be chosen."""

import errno
import os
import socket

from ygg.errors import from_os_error


def use_congestion(sock: socket.socket | None, name: str) -> None:
    """Choose a socket's congestion control (Linux: TCP_CONGESTION). A listening socket passes it on to what it accepts.

    Raises `NetworkError` where there is no TCP socket, where the system does not know the name (ENOENT), or where it
    keeps it for the privileged (EPERM).
    """
    try:
        if sock is None or not hasattr(socket, "TCP_CONGESTION"):
            raise OSError(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())
    except OSError as error:
        text = f"congestion control {name}: {error.strerror}"
        raise from_os_error(OSError(error.errno, text)) from None
