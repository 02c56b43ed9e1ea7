"""AdminServer: serves commands at an endpoint, to clients that may be slow, rude or many."""

from __future__ import annotations

import asyncio
import functools
import logging
import socket
from collections import Counter
from typing import Self

from ygg.admin.commands import Commands
from ygg.admin.connection import AdminLimits, Connection, Service
from ygg.admin.endpoint import Endpoint
from ygg.admin.sources import Sources

BACKLOG = 1024
"""Connections that wait to be accepted: a crawler opens hundreds at a time."""
REST = 1.0
"""Seconds without accepting, when the system has no room for more."""

log = logging.getLogger("ygg.admin")

_COUNTS = (
    "connections", "requests", "displaced", "errors", "failed", "garbage", "idle", "refused", "slow", "unauthorized"
)  # fmt: skip
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
        self._tasks: dict[Connection, asyncio.Task[None]] = {}
        self._sources: Sources[Connection] = Sources(limits.connections, limits.replies)
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
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def counters(self) -> dict[str, int]:
        """Return how often each thing happened: `connections`, `requests`, and what was refused or given up."""
        return {name: self._counts[name] for name in _COUNTS} | {"open": len(self._sources)}

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
        connection = Connection(self._service, taken)
        if connection.displaced is not None:
            self._counts["displaced"] += 1
            connection.displaced.give_up()
            self._tasks[connection.displaced].cancel()
        task = asyncio.get_running_loop().create_task(connection.serve(), name="ygg admin connection")
        self._tasks[connection] = task
        task.add_done_callback(functools.partial(self._ended, connection))

    def _ignore(self, listening: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(listening.fileno())
        if (timer := self._resting.pop(listening, None)) is not None:
            timer.cancel()

    @property
    def _service(self) -> Service:
        return Service(self.commands, self.endpoint.token, self._limits, self._sources, self._counts)

    def _ended(self, connection: Connection, task: asyncio.Task[None]) -> None:
        del self._tasks[connection]
        connection.end()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("An admin connection failed", exc_info=error)


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

