"""`subscribe`: what happens to a node, as a stream of JSON lines."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

from ygg.admin.arguments import Arguments
from ygg.admin.commands import Command, Stream
from ygg.admin.errors import AdminError
from ygg.node import events
from ygg.node.core import Core

KINDS: dict[str, tuple[type[events.Event], ...]] = {
    "peers": (events.PeerUp, events.PeerDown),
    "sessions": (events.SessionOpened, events.SessionClosed),
    "paths": (events.PathFound, events.PathLost),
    "root": (events.PlaceChanged,),
    "identity": (events.SameIdentity,),
}
"""What can be subscribed to, beside `log`."""

LEVELS = {"error": logging.ERROR, "warn": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG, "trace": 1}
"""Levels of the log."""

LIMIT = 1024
"""Lines that wait for a client; the oldest goes for one more, and `lost` says how many have."""

_NAMES = {
    events.PeerUp: "peer_up",
    events.PeerDown: "peer_down",
    events.SessionOpened: "session_opened",
    events.SessionClosed: "session_closed",
    events.PathFound: "path_found",
    events.PathLost: "path_lost",
    events.PlaceChanged: "root",
    events.SameIdentity: "same_identity",
}


class Lines:
    """JSON objects that wait for one client, bounded: what is too much is counted. Ends with `aclose()`."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._waiting: deque[dict[str, Any]] = deque()
        self._limit = limit
        self._lost = 0
        self._ready = asyncio.Event()
        self._ended = False
        self._loop = asyncio.get_running_loop()
        self.enders: list[Callable[[], object]] = []
        """Called when it ends."""

    def put(self, line: dict[str, Any]) -> None:
        """Have a line follow."""
        if len(self._waiting) >= self._limit:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append(line)
        self._ready.set()

    def end(self) -> None:
        """Take no more; what waits is still given."""
        self._ended = True
        self._ready.set()

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        return self

    async def __anext__(self) -> dict[str, Any]:
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        if self._lost:
            lost, self._lost = self._lost, 0
            return {"event": "lost", "count": lost}
        return self._waiting.popleft()

    async def aclose(self) -> None:
        """End it, and let go of what it listens to."""
        for ender in self.enders:
            ender()
        self.end()


class _LogLines(logging.Handler):
    """Puts what the library logs into `Lines`, from any thread."""

    def __init__(self, level: int, lines: Lines) -> None:
        super().__init__(level)
        self._lines = lines
        self._loop = asyncio.get_running_loop()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        line = {
            "event": "log",
            "time": record.created,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._lines.put, line)


def subscribe_command(core: Core) -> Command:
    """Return the command `subscribe` of a node."""

    def run(arguments: Arguments) -> Stream:
        wanted = arguments.names("events") or list(KINDS)
        level = arguments.text("level", "info").lower()
        if unknown := [name for name in wanted if name not in KINDS and name != "log"]:
            raise AdminError(f"there are no events {unknown[0]!r}: there are {', '.join(KINDS)}, log")
        if level not in LEVELS:
            raise AdminError(f"level must be one of {', '.join(LEVELS)}")
        return Stream({"events": wanted}, _lines(core, wanted, LEVELS[level]))

    text = "Stream what happens as lines of JSON, until the connection is closed"
    return Command("subscribe", text, run, ("events", "level"))


def _lines(core: Core, wanted: list[str], level: int) -> Lines:
    lines = Lines()
    kinds = tuple(kind for name in wanted for kind in KINDS.get(name, ()))
    if kinds:
        lines.enders.append(core.on_event(lambda event: lines.put(event_view(event, core.engine.wall)), *kinds))
    if "log" in wanted:
        handler = _LogLines(level, lines)
        library = logging.getLogger("ygg")
        library.addHandler(handler)
        lines.enders.append(lambda: library.removeHandler(handler))
    return lines


def event_view(event: events.Event, now: int) -> dict[str, Any]:
    """Return an event of the unix second `now` as a JSON object."""
    members: dict[str, Any] = {"event": _NAMES[type(event)], "time": now}
    if isinstance(event, events.PlaceChanged):
        return members | {"root": event.root.hex(), "coordinates": list(event.coordinates)}
    if isinstance(event, events.SameIdentity):
        return members | {"evidence": event.evidence}
    members |= {"key": event.key.hex(), "address": str(event.address)}  # type: ignore[attr-defined]
    if isinstance(event, (events.PeerUp, events.PeerDown)):
        members |= {"remote": event.redacted, "inbound": event.inbound}
    if isinstance(event, events.PeerDown):
        members["reason"] = event.reason
    return members
