"""Sockets that connect, and the held transports made of them once they have."""

import asyncio
import errno
import os
import socket
from typing import Any

from ygg.errors import from_os_error
from ygg.network.addresses import spell
from ygg.stream.held import HoldingProtocol

PATH_RETRY = 0.02
"""Seconds to wait before dialing a UNIX socket again whose backlog is full: the system does not tell of room in it."""


async def connect(sock: socket.socket, sockaddr: Any, seconds: float) -> asyncio.Transport:
    """Connect `sock`, which is the transport's afterwards or closed."""
    try:
        async with asyncio.timeout(seconds):
            if sock.family == socket.AF_UNIX:
                await _connect_path(sock, sockaddr)
            else:
                await asyncio.get_running_loop().sock_connect(sock, sockaddr)
    except BaseException as error:
        sock.close()
        if isinstance(error, OSError):
            raise error_at(spell(sockaddr), error) from None
        raise
    return await adopt(sock)


def error_at(address: str, error: OSError) -> OSError:
    """Return the ygg error for what failed at an address, which its text names."""
    # asyncio's own timeout has no errno; what else has none says in words what it is.
    code = errno.ETIMEDOUT if isinstance(error, TimeoutError) else error.errno
    if code is None:
        return from_os_error(type(error)(f"{address}: {error}"))
    return from_os_error(OSError(code, f"{address}: {os.strerror(code).lower()}"))


async def _connect_path(sock: socket.socket, path: str) -> None:
    # Not by sock_connect(), which takes EAGAIN, a full backlog, for a connection under way.
    while True:
        try:
            sock.connect(path)
        except BlockingIOError:
            await asyncio.sleep(PATH_RETRY)
        else:
            return


async def adopt(sock: socket.socket) -> asyncio.Transport:
    """Make a held transport of a connected socket, closing it on failure."""
    try:
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop = asyncio.get_running_loop()
        if sock.family == socket.AF_UNIX:
            transport, _ = await loop.create_unix_connection(HoldingProtocol, sock=sock)
        else:
            transport, _ = await loop.create_connection(HoldingProtocol, sock=sock)
    except BaseException:
        sock.close()
        raise
    return transport
