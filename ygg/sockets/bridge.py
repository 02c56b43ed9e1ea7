"""Bytes between a connection of the overlay and a socket of the operating system's, one end of a pair.

What uses the other end of the pair has a socket with a descriptor, that can be read, polled and handed on. The bridge
is the connection's protocol. It holds no more than one read in either direction: when the pair takes no more, the
connection is paused, and when the connection takes no more, the pair is not read.

A connection that ends with an error must not look like one that ended well to what reads the descriptor by itself, as
OpenSSL does. An end of such a pair fails with ECONNRESET when the other is closed with bytes that were not read. So
before the near end is closed a byte is written to it, through a duplicate of the descriptor.
"""

import asyncio
import contextlib
import errno
import os
import select
import socket
from typing import cast

from ygg.vtun.addresses import failure
from ygg_c.base import forks

CHUNK = 1 << 18
"""Bytes read from the pair at once, at most."""

LOOK = 1.0
"""Seconds between two looks whether the other end is closed, while the pair is not read."""


class Bridge(asyncio.Protocol):
    """Carries bytes between the connection that it is the protocol of and `near`, which it closes at the end."""

    def __init__(self, near: socket.socket) -> None:
        self._near = near
        self._loop = asyncio.get_running_loop()
        self.transport: asyncio.Transport | None = None
        """The connection, until it is lost."""
        self.error: Exception | None = None
        """What it was lost by. A pair of sockets can tell of ECONNRESET alone, or not at all."""
        self.keeps: object = None
        """What is to live as long as the near end is open."""
        self._there: tuple[int, int] | None = None
        self._waiting = bytearray()
        self._looking: asyncio.TimerHandle | None = None
        self._flushed: asyncio.Future[None] | None = None
        self._last: asyncio.Task[None] | None = None
        self._ended = self._read_all = self._watching = self._writing = False
        forks.register(near.fileno())

    @property
    def is_closed(self) -> bool:
        """Whether the near end is closed, so that nothing is carried any more."""
        return self._near.fileno() < 0

    def tell_by(self, descriptor: int, inode: int) -> None:
        """Have the other end of the pair, which has this number and this inode, fail where the connection does."""
        self._there = descriptor, inode

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._watch()

    # From the overlay

    def data_received(self, data: bytes) -> None:
        sent = 0 if self._waiting else self._send(data)
        if sent < len(data):
            self._waiting += memoryview(data)[sent:]
            self._wait_for_room()

    def eof_received(self) -> bool:
        self._ended = True
        self._end_if_flushed()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport, self.error = None, exc
        self._ended = True
        self._unwatch()
        if self._waiting and isinstance(exc, ConnectionAbortedError):
            self._waiting.clear()   # by this side, whose loop may end next: a slow reader is told that it is not all
            self._stop_writing()
        if self._waiting:
            self._flushed = self._loop.create_future()
            self._last = self._loop.create_task(self._until_flushed(self._flushed))
        else:
            self._finish()

    async def _until_flushed(self, flushed: "asyncio.Future[None]") -> None:
        """Wait for a slow reader. Where the loop ends before, the reader is told that something is missing."""
        try:
            await flushed
        except asyncio.CancelledError:
            self.error = self.error or failure(errno.ECONNABORTED, "the event loop of the VTun has ended")
            self._waiting.clear()
            self._finish()
            raise

    def _send(self, data: bytes | bytearray) -> int:
        """Send what the pair takes; return how much is done with. Without a reader all of it is."""
        try:
            return self._near.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            if self._near.fileno() < 0 or _is_closed(self._near):
                self._hang_up()
            return len(data)  # the program may have said that it reads no more, and write on

    def _wait_for_room(self) -> None:
        if not self._writing and self._near.fileno() >= 0:
            self._writing = True
            self._loop.add_writer(self._near.fileno(), self._on_room)
        if self.transport is not None:
            self.transport.pause_reading()

    def _on_room(self) -> None:
        del self._waiting[: self._send(self._waiting)]
        if self._waiting:
            return
        self._stop_writing()
        if self.transport is None:
            self._finish()
            return
        self.transport.resume_reading()
        self._end_if_flushed()

    def _end_if_flushed(self) -> None:
        if not self._ended or self._waiting or self._near.fileno() < 0:
            return
        try:
            self._near.shutdown(socket.SHUT_WR)
        except OSError:
            self._hang_up()
            return
        if self._read_all:
            self._hang_up()

    # To the overlay

    def pause_writing(self) -> None:
        self._unwatch()
        self._look_later()

    def resume_writing(self) -> None:
        self._watch()

    def _watch(self) -> None:
        if not self._watching and not self._read_all and self._near.fileno() >= 0:
            self._watching = True
            self._loop.add_reader(self._near.fileno(), self._on_readable)

    def _unwatch(self) -> None:
        if self._watching:
            self._watching = False
            self._loop.remove_reader(self._near.fileno())

    def _on_readable(self) -> None:
        try:
            data = self._near.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:     # it was closed, and something was not read
            self.reset()
            return
        if self.transport is None:
            return
        if data:
            self.transport.write(data)
            return
        self._read_all = True
        self._unwatch()
        if _is_closed(self._near):
            self._hang_up()
        else:
            self.transport.write_eof()
            self._look_later()
            self._end_if_flushed()

    def _look_later(self) -> None:
        """Look for the other end's close, which nothing tells of while the pair is not read.

        A peer that takes nothing, or never ends its side, would else keep what the program has given up.
        """
        if self._looking is None and self._near.fileno() >= 0:
            self._looking = self._loop.call_later(LOOK, self._look)

    def _look(self) -> None:
        self._looking = None
        if self.transport is None or self._watching or self._near.fileno() < 0:
            return
        if _is_closed(self._near):
            self._take_rest()
        else:
            self._look_later()

    def _take_rest(self) -> None:
        """The other end is closed: give what it has written to the connection, which has limits for that."""
        while not self._read_all and self.transport is not None:
            try:
                data = self._near.recv(CHUNK)
            except BlockingIOError:
                break
            except OSError:
                self.reset()
                return
            if not data:
                break
            self.transport.write(data)
        self._hang_up()

    # The end

    def _hang_up(self) -> None:
        """Nothing passes in either direction any more: close the connection as a kernel closes a socket's."""
        self._waiting.clear()
        if self.transport is not None:
            self.transport.close()
        self._close()

    def reset(self) -> None:
        """Reset the connection, as a kernel does where the other end was closed with bytes unread."""
        transport = self.transport
        if transport is not None:
            options = transport.get_extra_info("options")
            if options is not None:
                options.linger = 0
            transport.abort()
        self._waiting.clear()
        self._close()

    def _stop_writing(self) -> None:
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._near.fileno())

    def _finish(self) -> None:
        """The connection is lost, and all that it has brought is in the pair."""
        if self.error is not None and self._there is not None and self._near.fileno() >= 0:
            _leave_unread(*self._there)
        self._close()

    def _close(self) -> None:
        if self._near.fileno() >= 0:
            self._unwatch()
            self._stop_writing()
            forks.unregister(self._near.fileno())
            self._near.close()
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        if self._flushed is not None and not self._flushed.done():
            self._flushed.set_result(None)
        self.keeps = None

    def give_back(self) -> tuple[bytes, bool]:
        """Stop; return what has come for the other end and is not in the pair yet, and whether nothing comes after it.

        What the other end has written goes to the connection first.
        """
        while not self._read_all and self._watching:
            try:
                data = self._near.recv(CHUNK)
            except OSError:
                break
            if not data or self.transport is None:
                break
            self.transport.write(data)
        left, self._waiting = bytes(self._waiting), bytearray()
        self._close()
        return left, self._ended


def _leave_unread(descriptor: int, inode: int) -> None:
    """Write a byte to the near end through the descriptor, if that is still the pair's."""
    with contextlib.suppress(OSError):
        duplicate = os.dup(descriptor)
        try:
            if os.fstat(duplicate).st_ino == inode:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=os.dup(duplicate)) as there:
                    there.send(b"\0", socket.MSG_DONTWAIT)
        finally:
            os.close(duplicate)


def _is_closed(near: socket.socket) -> bool:
    """Tell whether the other end of a pair is closed, and not only shut down for writing."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(near, 0)
    return any(events & select.POLLHUP for _, events in poll.poll(0))
