"""AdminServer: serves commands at an endpoint, to clients that may be slow, rude or many."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hmac
import inspect
import logging
import os
import socket
import struct
from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

from ygg.admin.arguments import Arguments
from ygg.admin.commands import Commands, Stream
from ygg.admin.endpoint import Endpoint
from ygg.admin.envelope import Objects, encoded, pieces, reply, to_bytes
from ygg.admin.errors import AdminError, EnvelopeError
from ygg.admin.request import Request
from ygg.errors import YggError
from ygg.periodic import loop_time

READ_SIZE = 16384
"""Bytes that are read at once."""
BACKLOG = 1024
"""Connections that wait to be accepted: a crawler opens hundreds at a time."""
REST = 1.0
"""Seconds without accepting, when the system has no room for more."""
PIECES = 1024
"""Pieces of a reply that are made before others have their turn."""

log = logging.getLogger("ygg.admin")


@dataclass(frozen=True, slots=True)
class AdminLimits:
    """What clients may take."""

    connections: int = 512
    """At once; for one more the connection that has been idle the longest is closed, else the new one."""
    request: int = 65536
    """Bytes of a request."""
    request_time: float = 10.0
    """Seconds from the first byte of a request to its last."""
    idle: float = 600.0
    """Seconds between two requests."""
    write_time: float = 10.0
    """Seconds in which a client has to read a reply."""


DEFAULT_LIMITS = AdminLimits()
"""Those of a server that is given none."""


class AdminServer:
    """Serves commands at an endpoint as long as it is entered.

    Requests of one connection are served in order, connections at the same time. An endpoint with a token asks it of
    every client by TCP, and by UNIX socket of processes of other users. Raises `AddressInUse` where another process
    listens, `URLError` for an endpoint that is none, and `OSError`.
    """

    def __init__(self, commands: Commands, endpoint: Endpoint | str, *, limits: AdminLimits = DEFAULT_LIMITS) -> None:
        self.commands = commands
        """What clients can ask for."""
        self.endpoint = endpoint if isinstance(endpoint, Endpoint) else Endpoint.parse(endpoint)
        """Where it listens; once entered with the port that the system has chosen for port 0."""
        self._limits = limits
        self._sockets: list[socket.socket] = []
        self._resting: dict[socket.socket, asyncio.TimerHandle] = {}
        self._connections: dict[asyncio.Task[None], _Connection] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._counts: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Begin to listen."""
        place = self.endpoint
        if place.path:
            self._sockets = [place.bind()]
        else:
            self._sockets = await _tcp_sockets(place.host, place.port)
            port = self._sockets[0].getsockname()[1]
            self.endpoint = Endpoint(host=place.host, port=port, token=place.token)
        for listening in self._sockets:
            listening.listen(BACKLOG)
            self._listen(listening)

    async def close(self) -> None:
        """Stop, and close all connections. Idempotent."""
        if self._sockets:
            self.endpoint.remove()
        for listening in self._sockets:
            self._ignore(listening)
            listening.close()
        self._sockets = []
        tasks = [*self._connections, *self._leaving]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def counters(self) -> dict[str, int]:
        """Return how often each thing happened: `connections`, `requests`, and those refused, by reason."""
        names = ("connections", "requests", "errors", "failed", "garbage", "idle", "refused", "slow", "unauthorized")
        return {name: self._counts[name] for name in names} | {"open": len(self._connections)}

    def _listen(self, listening: socket.socket) -> None:
        # Neither by asyncio's server, which fails at a connection that is made while it closes, nor by sock_accept(),
        # which loses one when it is cancelled.
        asyncio.get_running_loop().add_reader(listening.fileno(), self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        try:
            taken, _ = listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:  # there are no descriptors left
            self._counts["refused"] += 1
            self._ignore(listening)
            self._resting[listening] = asyncio.get_running_loop().call_later(REST, self._listen, listening)
            return
        taken.setblocking(False)
        self._counts["connections"] += 1
        if not self._make_room():
            self._counts["refused"] += 1
            taken.close()
            return
        connection = _Connection(self, taken, self._limits, self._counts)
        task = asyncio.get_running_loop().create_task(connection.serve(), name="ygg admin connection")
        self._connections[task] = connection
        task.add_done_callback(functools.partial(self._ended, connection))

    def _ignore(self, listening: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(listening.fileno())
        if (timer := self._resting.pop(listening, None)) is not None:
            timer.cancel()

    def _make_room(self) -> bool:
        if len(self._connections) < self._limits.connections:
            return True
        idle = [(one.idle_since, task) for task, one in self._connections.items() if one.idle_since is not None]
        if not idle:
            return False
        _, task = min(idle, key=lambda pair: pair[0])
        self._counts["idle"] += 1
        del self._connections[task]
        self._leaving.add(task)
        task.cancel()
        return True

    def _ended(self, connection: _Connection, task: asyncio.Task[None]) -> None:
        self._connections.pop(task, None)
        self._leaving.discard(task)
        connection.end()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("An admin connection failed", exc_info=error)


class _Connection:
    """One client."""

    def __init__(
        self,
        server: AdminServer,
        taken: socket.socket,
        limits: AdminLimits,
        counts: Counter[str],
    ) -> None:
        self._server, self._socket = server, taken
        self._limits, self._counts = limits, counts
        self._objects = Objects(limits.request)
        self.idle_since: float | None = loop_time()
        """Since when it has been waiting for a request, in the loop's seconds; None while one is served."""
        self._begun = False
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

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
            self._counts["idle" if self.idle_since is not None else "slow"] += 1
        except OSError:
            pass  # it has hung up
        finally:
            await self._close()

    def end(self) -> None:
        """Close it where `serve` was cancelled before it began."""
        if not self._begun:
            self._socket.close()

    async def _close(self) -> None:
        self._writer.close()
        try:
            async with asyncio.timeout(self._limits.write_time):
                await self._writer.wait_closed()
        except (OSError, asyncio.CancelledError):
            self._writer.transport.abort()

    async def _serve_one(self) -> bool:
        """Serve a request; tell whether another may follow."""
        try:
            members = await self._next()
            self.idle_since = None
            request = Request.of(members)
        except EnvelopeError as error:
            self.idle_since = None
            self._counts["garbage"] += 1
            await self._write(encoded(reply({"request": ""}, error=str(error))))
            return False
        self._counts["requests"] += 1
        stream = await self._answer(request)
        if stream is not None:
            await self._follow(stream)
            return False
        self.idle_since = loop_time()
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

    async def _answer(self, request: Request) -> Stream | None:
        value, error = None, ""
        try:
            value = await self._run(request)
        except (YggError, OSError, ValueError) as problem:
            error = str(problem) or type(problem).__name__
        except Exception:
            log.exception("The admin command %r failed", request.name[:64])
            self._counts["failed"] += 1
            error = "the command has failed; the node's log says how"
        stream = value if isinstance(value, Stream) else None
        try:
            text = await self._encoded(reply(request.echo(), stream.first if stream else value, error))
        except (ValueError, RecursionError):  # what another node has told, such as NaN
            error = "the response is not JSON"
            text = encoded(reply(request.echo(), error=error))
        self._counts["errors"] += bool(error)
        await self._write(text)
        return stream

    async def _run(self, request: Request) -> Any:
        if not self._may_ask(request):
            self._counts["unauthorized"] += 1
            raise AdminError("a token is required")
        command = self._server.commands.find(request.name)
        arguments = {} if request.arguments is None else request.arguments
        if not isinstance(arguments, dict):
            raise AdminError("arguments must be an object")
        value = command.run(Arguments(arguments))
        return await value if inspect.isawaitable(value) else value

    def _may_ask(self, request: Request) -> bool:
        token = self._server.endpoint.token
        if not token or hmac.compare_digest(token.encode("utf-8", "replace"), request.token.encode("utf-8", "replace")):
            return True
        return bool(self._server.endpoint.path) and _peer_uid(self._writer) in (0, os.geteuid())

    async def _encoded(self, value: Any) -> bytes:
        # A tree of ten thousand nodes takes a while to be written; others have their turn meanwhile.
        found = []
        for number, piece in enumerate(pieces(value), 1):
            found.append(piece)
            if number % PIECES == 0:
                await asyncio.sleep(0)
        return to_bytes("".join(found))

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        try:
            async with asyncio.timeout(self._limits.write_time):
                await self._writer.drain()
        except TimeoutError:
            self._writer.transport.abort()
            raise

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


async def _streams(taken: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if taken.family == socket.AF_UNIX:
        return await asyncio.open_unix_connection(sock=taken)
    return await asyncio.open_connection(sock=taken)


async def _tcp_sockets(host: str, port: int) -> list[socket.socket]:
    """Return a socket bound to each address of a host."""
    loop = asyncio.get_running_loop()
    addresses = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    made: list[socket.socket] = []
    try:
        for family, address in dict.fromkeys((family, address) for family, _, _, _, address in addresses):
            made.append(socket.create_server(address, family=family))
            made[-1].setblocking(False)
    except OSError:
        for one in made:
            one.close()
        raise
    return made


def _peer_uid(writer: asyncio.StreamWriter) -> int:
    """Return the user of a client by UNIX socket; -1 where the system does not tell."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return -1
    credentials = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])
