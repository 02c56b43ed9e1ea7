"""Connection: one client of an admin server, whose requests are served in order."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import inspect
import logging
import os
import socket
from collections import Counter
from dataclasses import dataclass
from typing import Any

from ygg.admin.arguments import Arguments
from ygg.admin.commands import Commands, Stream
from ygg.admin.envelope import Objects, encoded, pieces, reply, to_bytes
from ygg.admin.errors import AdminError, EnvelopeError
from ygg.admin.request import Request
from ygg.admin.sources import Sources, credentials, source_of
from ygg.errors import YggError
from ygg.periodic import loop_time

READ_SIZE = 16384
"""Bytes that are read at once."""
PIECES = 1024
"""Pieces of a reply that are made before others have their turn."""

log = logging.getLogger("ygg.admin")


@dataclass(frozen=True, slots=True)
class AdminLimits:
    """What clients may take."""

    connections: int = 512
    """At once, at least one. For one more another is closed, of the source that has the most (`ygg.admin.sources`)."""
    replies: int = 64 << 20
    """Bytes of replies that clients have not read, over all; a reply that is longer goes alone."""
    request: int = 65536
    """Bytes of a request."""
    request_time: float = 10.0
    """Seconds from the first byte of a request to its last."""
    idle: float = 600.0
    """Seconds between two requests."""
    write_time: float = 10.0
    """Seconds in which a client has to read a reply."""


@dataclass(frozen=True, slots=True)
class Service:
    """What the connections of a server share."""

    commands: Commands
    """What clients can ask for."""
    token: str
    """What they show; empty: all may ask."""
    limits: AdminLimits
    """What they may take."""
    sources: Sources[Connection]
    """Who they are."""
    counts: Counter[str]
    """How often each thing happened."""


class Connection:
    """One client, from the moment that its socket was accepted."""

    def __init__(self, service: Service, taken: socket.socket) -> None:
        self._service, self._socket = service, taken
        self._limits, self._counts = service.limits, service.counts
        self._objects = Objects(service.limits.request)
        self._since = loop_time()
        self._rank = 0
        self._begun = self._unwanted = False
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self.source, self.displaced = service.sources.enter(source_of(taken), self)
        """Who it is, and the connection that has to be closed for it."""

    def standing(self) -> tuple[int, float]:
        """Return which goes first when there are too many: idle ones, those that wait for a reply, streams; by age."""
        return self._rank, self._since

    async def serve(self) -> None:
        """Serve its requests, and close it."""
        self._begun = True
        try:
            self._reader, self._writer = await _streams(self._socket)
        except BaseException:
            self._socket.close()
            raise
        # drain() then waits until all is with the system: one reply at most is held here.
        self._writer.transport.set_write_buffer_limits(0)
        try:
            while await self._serve_one():
                pass
        except TimeoutError:
            self._counts["slow" if self._rank else "idle"] += 1
        except OSError:
            pass  # it has hung up
        finally:
            await self._close()

    def end(self) -> None:
        """Forget it, and close it where `serve` was cancelled before it began."""
        self._service.sources.leave(self.source, self)
        if not self._begun:
            self._socket.close()

    def give_up(self) -> None:
        """Have it closed without waiting for the client: before its task is cancelled, or while it reads a reply."""
        self._unwanted = True
        if self._begun and self._rank:
            with contextlib.suppress(AttributeError):  # its streams are being made
                self._writer.transport.abort()

    async def _close(self) -> None:
        if self._unwanted:
            self._writer.transport.abort()
            return
        self._writer.close()
        try:
            async with asyncio.timeout(self._limits.write_time):
                await self._writer.wait_closed()
        except (OSError, asyncio.CancelledError):
            self._writer.transport.abort()

    def _stands(self, rank: int) -> None:
        self._rank, self._since = rank, loop_time()

    async def _serve_one(self) -> bool:
        """Serve a request; tell whether another may follow."""
        try:
            members = await self._next()
            self._stands(1)
            request = Request.of(members)
        except EnvelopeError as error:
            self._stands(1)
            self._counts["garbage"] += 1
            await self._write(encoded(reply({"request": ""}, error=str(error))))
            return False
        self._counts["requests"] += 1
        await asyncio.sleep(0)  # a client may send many requests at once: others have their turn between them
        text, stream = await self._answer(request)
        await self._write(text)
        if stream is not None:
            self._stands(2)
            await self._follow(stream)
            return False
        self._stands(0)
        return request.keepalive

    async def _next(self) -> dict[str, Any]:
        """Return the next request; `EnvelopeError` at the end of the stream too."""
        begun: float | None = None
        while (members := self._objects.next()) is None:
            if self._objects.pending and begun is None:
                begun = loop_time()
            until = loop_time() + self._limits.idle if begun is None else begun + self._limits.request_time
            async with asyncio.timeout_at(until):
                data = await self._reader.read(READ_SIZE)
            if not data:
                raise EnvelopeError
            self._objects.feed(data)
        return members

    async def _answer(self, request: Request) -> tuple[bytes, Stream | None]:
        """Return the reply to a request, and what follows it. What waits for other nodes holds nothing meanwhile."""
        try:
            async with self.source.encoding:
                value = self._run(request)
                if not inspect.isawaitable(value):
                    return await self._success(request, value)
            value = await value
        except (YggError, OSError, ValueError) as problem:
            return self._failure(request, str(problem) or type(problem).__name__)
        except Exception:
            log.exception("The admin command %r failed", request.name[:64])
            self._counts["failed"] += 1
            return self._failure(request, "the command has failed; the node's log says how")
        async with self.source.encoding:
            return await self._success(request, value)

    async def _success(self, request: Request, value: Any) -> tuple[bytes, Stream | None]:
        stream = value if isinstance(value, Stream) else None
        try:
            return await _encoded(reply(request.echo(), stream.first if stream else value)), stream
        except (ValueError, RecursionError):  # what another node has told, such as NaN
            return self._failure(request, "the response is not JSON")

    def _failure(self, request: Request, error: str) -> tuple[bytes, None]:
        self._counts["errors"] += 1
        try:
            return encoded(reply(request.echo(), error=error)), None
        except (ValueError, RecursionError):  # what the client itself has sent, such as 1e999
            return encoded(reply({"request": request.name}, error=error)), None

    def _run(self, request: Request) -> Any:
        if not self._may_ask(request):
            self._counts["unauthorized"] += 1
            raise AdminError("a token is required")
        command = self._service.commands.find(request.name)
        arguments = {} if request.arguments is None else request.arguments
        if not isinstance(arguments, dict):
            raise AdminError("arguments must be an object")
        return command.run(Arguments(arguments))

    def _may_ask(self, request: Request) -> bool:
        token = self._service.token
        if not token or hmac.compare_digest(token.encode("utf-8", "replace"), request.token.encode("utf-8", "replace")):
            return True
        taken = self._writer.get_extra_info("socket")
        return taken.family == socket.AF_UNIX and credentials(taken)[1] in (0, os.geteuid())

    async def _write(self, data: bytes) -> None:
        for slow in self._service.sources.sends(self.source, self, len(data)):
            self._counts["slow"] += 1
            slow.give_up()
        self._writer.write(data)
        try:
            async with asyncio.timeout(self._limits.write_time):
                await self._writer.drain()
        except TimeoutError:
            self._writer.transport.abort()
            raise
        finally:
            self._service.sources.has_read(self.source, self)

    async def _follow(self, stream: Stream) -> None:
        """Write the lines of a stream until it ends or the client hangs up."""
        hung_up = asyncio.ensure_future(self._until_hung_up())
        try:
            while True:
                line = asyncio.ensure_future(anext(stream.lines, None))
                try:
                    await asyncio.wait((line, hung_up), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not line.done():
                        line.cancel()
                        await asyncio.wait([line])
                if line.cancelled() or (value := line.result()) is None:
                    return
                await self._write(encoded(value, indent=None))
        finally:
            hung_up.cancel()
            await asyncio.wait([hung_up])
            with contextlib.suppress(AttributeError):
                await stream.lines.aclose()  # type: ignore[attr-defined]

    async def _until_hung_up(self) -> None:
        with contextlib.suppress(OSError):
            while await self._reader.read(READ_SIZE):
                pass  # a client that listens has nothing more to say


async def _encoded(value: Any) -> bytes:
    # A tree of ten thousand nodes takes a while to be written; others have their turn meanwhile.
    found = []
    for number, piece in enumerate(pieces(value), 1):
        found.append(piece)
        if number % PIECES == 0:
            await asyncio.sleep(0)
    return to_bytes("".join(found))


async def _streams(taken: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if taken.family == socket.AF_UNIX:
        return await asyncio.open_unix_connection(sock=taken, limit=READ_SIZE)
    return await asyncio.open_connection(sock=taken, limit=READ_SIZE)
