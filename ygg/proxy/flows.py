"""Flows of datagrams: each client, or each destination, has a port of its own, for as long as it sends.

Theory of operation. A flow is made by the first datagram of a client, and has a connected port, so that it hears of the
one host that it was made for, and of the errors that this host's answers tell. Until the port is open what comes is
held, within bounds. From then on a datagram is one call here and one of `sendto`: nothing asks for the time, and one
timer for all flows looks now and then which of them have been silent. What a port has no room for is dropped and
counted, as a router does, for nothing slows down who sends datagrams. A port that could not be opened is not tried
again for a second, whatever comes meanwhile.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, cast

from ygg.errors import ConnectTimeout, from_os_error
from ygg.proxy.admission import Admission
from ygg.proxy.datagram_endpoints import Factory

log = logging.getLogger("ygg.proxy")

LOOKS = 4
"""How often a flow is looked at in the time that it may be idle."""
SELDOM = 30.0
"""Seconds between two looks at most."""
HELD_EACH, HELD = 16, 4 * 1024 * 1024
"""Datagrams of a flow that wait for its port to open, and bytes of all flows that do."""
PAUSE = 1.0
"""Seconds after which a port that could not be opened is tried again."""


@dataclass(frozen=True, slots=True)
class DatagramLimits:
    """The bounds of a service of datagrams. Sources are told as for `Limits`."""

    flows: int = 1024
    """Flows at once, each of which takes a port. When there are as many, one of the source that has most makes room."""
    per_source: int = 128
    """Flows at once of one source."""
    open_timeout: float = 30.0
    """Seconds to find out where a flow leads, such as by a name, and to open its port."""
    idle: float = 300.0
    """Seconds without a datagram of the client after which a flow ends (RFC 4787, 4.3: two minutes at least, five
    are recommended). What comes from the other side does not count: else that could keep a flow for ever."""


@dataclass(frozen=True, slots=True)
class FlowInfo:
    """A flow, as it is at the moment."""

    peer: Any
    """The client's address, as sockets have it."""
    target: str
    """Where it leads."""
    connected: bool
    """Whether its port is open."""
    since: float
    """Seconds for which there has been one."""
    received: int
    """Datagrams that came from the client."""
    sent: int
    """Datagrams that came from the far end."""


class Flow(asyncio.DatagramProtocol):
    """The datagrams between a client and a far end, and the protocol of its port."""

    def __init__(self, flows: Flows, key: Any, source: Hashable | None, target: str, now: float) -> None:
        self._flows = flows
        self.key = key
        """What it is found by: the client's address, or the destination."""
        self.source = source
        """Who it counts for."""
        self.target = target
        """Where it leads, in words."""
        self.active_at = self.since = now
        """When the client was last seen to send, and when it began, in the loop's time."""
        self.transport: asyncio.DatagramTransport | None = None
        """Its port, once open."""
        self.received = self.sent = 0
        """Datagrams from the client, and from the far end."""
        self.bytes_received = self.bytes_sent = 0
        """The bytes in them."""
        self.held: deque[bytes] = deque()
        """What came before the port was open."""
        self.task: asyncio.Task[None] | None = None
        """What opens the port."""
        self.over = False
        """Whether it has ended."""
        self._full = False
        self._seen = 0

    def send(self, data: bytes) -> None:
        """Pass on a datagram of the client's."""
        self.received += 1
        self.bytes_received += len(data)
        if self.transport is None:
            self._flows.hold(self, data)
        elif self._full:
            self._flows.counters["dropped"] += 1
        else:
            self.transport.sendto(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what was held, unless the flow has ended meanwhile."""
        self._flows.ports.add(self)
        if self.over:
            transport.close()
            return
        self.transport = cast(asyncio.DatagramTransport, transport)
        for data in self._flows.take_held(self):
            self.transport.sendto(data)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Pass on an answer."""
        self.sent += 1
        self.bytes_sent += len(data)
        self._flows.answer(data, self.key)

    def error_received(self, exc: Exception) -> None:
        """Count what a datagram came to: too long, or not taken there. The flow goes on, as a socket does."""
        self._flows.counters[what_failed(exc)] += 1
        log.debug("datagrams to %s: %s", self.target, exc)

    def pause_writing(self) -> None:
        """Drop what comes from now on."""
        self._full = True

    def resume_writing(self) -> None:
        """Take it again."""
        self._full = False

    def connection_lost(self, exc: Exception | None) -> None:
        """End with the port."""
        self._flows.ports.discard(self)
        self._flows.end(self)

    def drop(self) -> None:
        """End it at once."""
        self._flows.end(self)

    def silence(self, now: float) -> float:
        """Return for how many seconds the client has sent nothing."""
        if self.received != self._seen:
            self._seen = self.received
            self.active_at = now
        return now - self.active_at


def what_failed(error: Exception) -> str:
    """Return the counter of an error of a port."""
    number = getattr(error, "errno", None)
    if number == errno.EMSGSIZE:
        return "too_big"
    return "unreachable" if number in (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH) else "failed"


Reach = Callable[[Any, Factory], Awaitable[object]]
"""Opens the connected port of a key, with a protocol of that factory. Raises an OSError."""
Answer = Callable[[bytes, Any], object]
"""Passes what came for a key to the client."""


class Flows:
    """The flows of one port that clients send to. `admission` and `counters` may be shared with those of others."""

    def __init__(
        self, limits: DatagramLimits, reach: Reach, answer: Answer, admission: Admission, counters: Counter[str]
    ) -> None:
        self._limits, self._reach = limits, reach
        self.answer = answer
        """Passes an answer to the client of a key."""
        self._admission = admission
        self.counters = counters
        """What has happened, by name."""
        self.by_key: dict[Any, Flow] = {}
        """The flows there are, the oldest first."""
        self.ports: set[Flow] = set()
        """Flows whose ports are not gone yet."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._held = 0
        self._past: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()
        self._empty.set()

    def open(self, key: Any, source: Hashable | None, target: str) -> Flow | None:
        """Return a new flow for `key`, or None where there is no room for it."""
        loop = asyncio.get_running_loop()
        flow = Flow(self, key, source, target, loop.time())
        taken, evicted = self._admission.admit(flow)
        if not taken:
            self.counters["refused"] += 1
            return None
        if evicted is not None:
            self.counters["evicted"] += 1
            evicted.drop()
        self.counters["accepted"] += 1
        self.by_key[key] = flow
        self._empty.clear()
        flow.task = loop.create_task(self._open(flow), name="ygg proxy flow")
        self._tasks.add(flow.task)
        flow.task.add_done_callback(lambda task: self._opened(flow, task))
        self._look_later()
        return flow

    async def _open(self, flow: Flow) -> None:
        try:
            async with asyncio.timeout(self._limits.open_timeout) as limit:
                await self._reach(flow.key, lambda: flow)
        except OSError as error:
            told = ConnectTimeout("no port in time") if limit.expired() else from_os_error(error)
            self.counters["failed"] += 1
            log.debug("datagrams to %s: %s", flow.target, told)
            self.take_held(flow)
            await asyncio.sleep(PAUSE)
            self.end(flow)
        else:
            self.counters["connected"] += 1

    def _opened(self, flow: Flow, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.counters["errors"] += 1
            log.error("a flow of datagrams ended by an error", exc_info=error)
            self.end(flow)
        self._look_whether_empty()

    def hold(self, flow: Flow, data: bytes) -> None:
        """Keep a datagram until the port is open, or drop it."""
        if len(flow.held) >= HELD_EACH or self._held + len(data) > HELD or flow.task is None or flow.task.done():
            self.counters["dropped"] += 1
            return
        flow.held.append(data)
        self._held += len(data)

    def take_held(self, flow: Flow) -> list[bytes]:
        """Return what was kept, and keep it no longer."""
        found = list(flow.held)
        flow.held.clear()
        self._held -= sum(map(len, found))
        return found

    def end(self, flow: Flow) -> None:
        """Close a flow's port, and forget it. Does nothing for one that has ended."""
        if flow.over:
            self._look_whether_empty()
            return
        flow.over = True
        self.take_held(flow)
        if flow.task is not None and flow.task is not asyncio.current_task():
            flow.task.cancel()
        if flow.transport is not None:
            flow.transport.abort()
        if self.by_key.get(flow.key) is flow:
            del self.by_key[flow.key]
        self._admission.discard(flow)
        for name, count in _counts(flow).items():
            self._past[name] += count
        self._look_whether_empty()

    def end_all(self) -> None:
        """Close every flow."""
        for flow in list(self.by_key.values()):
            self.end(flow)

    async def wait_ended(self) -> None:
        """Return when there is no flow any more."""
        await self._empty.wait()

    def counts(self) -> Counter[str]:
        """Return the datagrams and bytes that have passed both ways, of flows that ended too."""
        found = self._past.copy()
        for flow in self.by_key.values():
            found.update(_counts(flow))
        return found

    def info(self, peer_of: Callable[[Any], Any]) -> list[FlowInfo]:
        """Return the flows there are; `peer_of` tells the client of a key."""
        now = asyncio.get_running_loop().time()
        return [
            FlowInfo(peer_of(flow.key), flow.target, flow.transport is not None, now - flow.since,
                     flow.received, flow.sent)
            for flow in self.by_key.values()
        ]

    def _look_whether_empty(self) -> None:
        if not self.by_key and not self._tasks and not self.ports:
            self._empty.set()
        if not self.by_key and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_later(self) -> None:
        if self._timer is None:
            after = min(SELDOM, self._limits.idle / LOOKS)
            self._timer = asyncio.get_running_loop().call_later(after, self._look)

    def _look(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for flow in list(self.by_key.values()):
            if flow.silence(now) > self._limits.idle:
                self.counters["idle"] += 1
                self.end(flow)
        if self.by_key:
            self._look_later()


def _counts(flow: Flow) -> dict[str, int]:
    return {"received": flow.bytes_received, "sent": flow.bytes_sent,
            "datagrams_received": flow.received, "datagrams_sent": flow.sent}
