"""Sending a file over a transport block by block, as asyncio does where there is no system call for it."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import IO, Any

BLOCK = 1 << 18
"""Bytes that are read at once; the file is read in another thread."""


class _Pacing(asyncio.Protocol):
    """Stands in for the protocol while the file is sent: it alone hears when there is room."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._protocol = transport.get_protocol()
        self._reading = transport.is_reading()
        self._room: asyncio.Future[None] | None = None
        self._lost: Exception | None = None
        transport.pause_reading()
        transport.set_protocol(self)
        if transport.get_write_buffer_size() > transport.get_write_buffer_limits()[1]:
            self.pause_writing()
        self._paused_before = self._room is not None

    async def room(self) -> None:
        """Wait until the transport takes more; ConnectionError when it is lost."""
        if self._lost is not None:
            raise self._lost
        if self._transport.is_closing():
            raise ConnectionError("the connection was closed while a file was sent")
        if self._room is not None:
            await self._room

    def restore(self) -> None:
        """Give the transport its protocol again."""
        if self._lost is not None:
            return
        self._transport.set_protocol(self._protocol)
        if self._reading and not self._transport.is_closing():
            self._transport.resume_reading()
        if self._room is not None:
            if not self._room.done():
                self._room.cancel()
            if not self._paused_before:
                self._protocol.pause_writing()
        elif self._paused_before:
            self._protocol.resume_writing()

    def pause_writing(self) -> None:
        if self._room is None:
            self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._room = None

    def data_received(self, data: bytes) -> None:
        raise RuntimeError("reading is paused while a file is sent")

    def eof_received(self) -> bool:
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = exc if isinstance(exc, ConnectionError) else ConnectionError("the connection was closed")
        if self._room is not None and not self._room.done():
            self._room.set_exception(self._lost)
            self._room.exception()
        self._protocol.connection_lost(exc)


async def sendfile(transport: asyncio.Transport, file: IO[bytes], offset: int = 0, count: int | None = None) -> int:
    """Send `count` bytes of `file` from `offset` on, all that it has without a count; return how many were sent.

    The file's position is behind them then. Reading from the connection is paused meanwhile, and `transport.write()` is
    a RuntimeError. ConnectionError when the connection ends before; RuntimeError when it is closing already.
    """
    if transport.is_closing():
        raise RuntimeError("Transport is closing")
    _check(file, offset, count)
    with _alone(transport) as write:
        return await _send(transport, write, file, offset, count)


async def _send(
    transport: asyncio.Transport, write: Callable[[bytes], None], file: IO[bytes], offset: int, count: int | None
) -> int:
    loop = asyncio.get_running_loop()
    pacing = _Pacing(transport)
    sent = 0
    try:
        if hasattr(file, "seek"):
            file.seek(offset)
        while size := BLOCK if count is None else min(count - sent, BLOCK):
            data = await loop.run_in_executor(None, file.read, size)
            if not data:
                break
            await pacing.room()
            write(data)
            sent += len(data)
        return sent
    finally:
        if sent and hasattr(file, "seek"):
            file.seek(offset + sent)
        pacing.restore()


@contextlib.contextmanager
def _alone(transport: asyncio.Transport) -> Iterator[Callable[[bytes], None]]:
    """Yield the transport's `write`, which others find refused meanwhile: it would come in the middle of the file."""
    names, mine = ("write", "writelines"), vars(transport)
    if any(name in mine for name in names):
        raise RuntimeError("unable to send a file; sendfile is in progress")
    write = transport.write

    def refuse(_: object) -> None:
        raise RuntimeError("unable to write; sendfile is in progress")

    mine.update(dict.fromkeys(names, refuse))
    try:
        yield write
    finally:
        for name in names:
            del mine[name]


def _check(file: Any, offset: Any, count: Any) -> None:
    if "b" not in getattr(file, "mode", "b"):
        raise ValueError("file should be opened in binary mode")
    if not isinstance(offset, int) or (count is not None and not isinstance(count, int)):
        raise TypeError(f"offset and count must be non-negative integers (got {offset!r}, {count!r})")
    if offset < 0 or (count is not None and count <= 0):
        raise ValueError(f"offset must be non-negative and count positive (got {offset!r}, {count!r})")
