"""Listening sockets: connections are accepted only when asked for."""

import asyncio
import contextlib
import errno
import os
import socket
from typing import Any

from ygg.errors import ListenerClosed, from_os_error
from ygg.network.addresses import spell
from ygg.network.base import Admit, Listener
from ygg.network.native.connections import adopt
from ygg.network.native.inherited import keep_from_children
from ygg_c.base import forks

ACCEPT_RETRY = 0.1
"""Seconds to wait before accepting again when the process or the system is out of descriptors or memory."""

_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_TRANSIENT = {errno.EAGAIN, errno.EINTR, errno.ECONNABORTED, errno.EPROTO}


class NativeListener(Listener):
    """Accepts only when asked: connections wait in the kernel's backlog, which is the bound."""

    def __init__(self, sock: socket.socket, admit: Admit) -> None:
        self._sock, self._admit = sock, admit
        self._address = spell(sock.getsockname())
        self._waiters: set[asyncio.Future[None]] = set()
        self._closed = asyncio.Event()
        self._made_in = forks.current()

    @property
    def address(self) -> str:
        return self._address

    def is_closing(self) -> bool:
        return self._closed.is_set()

    async def accept(self) -> tuple[asyncio.Transport, str]:
        while True:
            if self.is_closing():
                raise ListenerClosed
            # No await from here to the adoption: a cancelled call has taken no connection.
            try:
                sock, peer = self._sock.accept()
            except BlockingIOError:
                await self._readable()
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    await asyncio.sleep(ACCEPT_RETRY)
                elif error.errno not in _TRANSIENT:
                    raise from_os_error(error) from None
            else:
                keep_from_children(sock)
                remote = self._remote(peer)
                try:
                    transport = await adopt(sock)
                except OSError:
                    continue  # gone before it was ours
                self._admit(transport)
                return transport, remote

    def close(self) -> None:
        if self.is_closing():
            return
        if self._waiters and self._made_in == forks.current():
            asyncio.get_running_loop().remove_reader(self._sock)
        self._release()
        self._sock.close()
        self._closed.set()

    async def wait_closed(self) -> None:
        await self._closed.wait()

    def _remote(self, peer: Any) -> str:
        return spell(peer)

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        if not self._waiters:
            loop.add_reader(self._sock, self._on_readable)
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)
            if not waiter.done() or waiter.cancelled():
                self._forget_reader(loop)

    def _on_readable(self) -> None:
        asyncio.get_running_loop().remove_reader(self._sock)
        self._release()

    def _forget_reader(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._waiters and not self.is_closing():
            loop.remove_reader(self._sock)

    def _release(self) -> None:
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


class UnixListener(NativeListener):
    """A listener on a path. Clients have no address, so each gets a number of its own; closing removes the path."""

    def __init__(self, sock: socket.socket, admit: Admit, path: str) -> None:
        super().__init__(sock, admit)
        self._address = path
        self._inode = os.stat(path).st_ino
        self._count = 0

    def close(self) -> None:
        if not self.is_closing():
            with contextlib.suppress(OSError):
                if self._made_in == forks.current() and os.stat(self._address).st_ino == self._inode:
                    os.unlink(self._address)
        super().close()

    def _remote(self, peer: Any) -> str:
        self._count += 1
        return f"{self._address}#{self._count}"
