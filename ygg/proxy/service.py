"""What all services share: they listen, admit connections, watch them, and end with all that is theirs.

Theory of operation. An accepted connection is held still (`Arrival`) until a task of its own, `_serve()` of the
subclass, has found out where it leads and has connected there; then the two are a `Pair`, which needs no task. One
timer for all looks at their byte counts now and then, so that nothing asks for the time where bytes pass.
"""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Self, cast

from ygg.errors import ConnectTimeout, forget_frames
from ygg.proxy.admission import Admission
from ygg.proxy.allow import Allowed
from ygg.proxy.endpoints import Endpoint, Listening
from ygg.proxy.limits import Limits
from ygg.proxy.pair import Pair, Space
from ygg.proxy.sockets import keep_alive, reset, resume, source_of, told_by
from ygg.stream.held import HoldingProtocol

log = logging.getLogger("ygg.proxy")

LOOKS = 4
"""How often a connection is looked at in the time that it may be idle."""
PARTING = 5.0
"""Seconds for a client to take the last that it is told."""
SELDOM = 30.0
"""Seconds between two looks at most."""


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """A connection of a service, as it is at the moment."""

    peer: Any
    """The client's address, as `get_extra_info("peername")` of its transport has it."""
    public_key: bytes | None
    """Of the client's node, where it comes by the overlay and is known."""
    target: str
    """Where it leads, as far as that is known."""
    connected: bool
    """Whether the far end has been reached."""
    since: float
    """Seconds for which it has been open."""
    received: int
    """Bytes that came from the client and were passed on."""
    sent: int
    """Bytes that came from the far end and were passed on."""


class Connection:
    """A connection that a service has accepted, until both of its ends are gone."""

    def __init__(self, service: Service, transport: asyncio.Transport, now: float) -> None:
        self._service = service
        self.transport = transport
        """The client's."""
        self.peer: Any = told_by(transport, "peername")
        """The client's address."""
        self.public_key: bytes | None = told_by(transport, "public_key")
        """The key of the client's node, where it is known."""
        self.source: Hashable | None = source_of(transport)
        """Who it counts for."""
        self.active_at = self.since = now
        """When it was last seen to pass bytes, and when it began, in the loop's time."""
        self.target = ""
        """Where it leads."""
        self.task: asyncio.Task[None] | None = None
        """What serves it, until it is paired."""
        self.pair: Pair | None = None
        """The two ends, once there are two."""
        self.lost = False
        """Whether the client has gone before it was paired."""
        self.passed = 0
        """Bytes that were passed on before it was paired."""
        self._seen = 0

    def info(self, now: float) -> ConnectionInfo:
        """Return what is known of it."""
        pair = self.pair
        return ConnectionInfo(
            self.peer,
            self.public_key,
            self.target,
            pair is not None,
            now - self.since,
            0 if pair is None else pair.near.count,
            0 if pair is None else pair.far.count,
        )

    def pass_on(self, count: int) -> None:
        """Count bytes of the client's that are passed on while there is no pair."""
        self.passed += count

    def join(self, far: asyncio.Transport) -> None:
        """Make a pair of it and `far`; both are held still."""
        self.pair = Pair(self.transport, far, self._service.space, self._over)
        self.pair.start()

    def _over(self) -> None:
        self._service.forget(self)

    def look(self, now: float) -> float:
        """Return for how long nothing has passed."""
        count = self.passed + (0 if self.pair is None else self.pair.count)
        if count != self._seen:
            self._seen = count
            self.active_at = now
        return now - self.active_at

    def drop(self) -> None:
        """End it at once."""
        if self.pair is not None:
            self.pair.abort()
            return
        if self.task is not None:
            self.task.cancel()
        reset(self.transport)


class Arrival(HoldingProtocol):
    """The protocol of an accepted connection while it is held still; of one that is known already with `connection`."""

    def __init__(self, service: Service, connection: Connection | None = None) -> None:
        super().__init__()
        self._service = service
        self._connection = connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._connection is None:
            self._connection = self._service.arrived(cast(asyncio.Transport, transport))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._connection is not None:
            self._service.left(self._connection)


class Leaving(Arrival):
    """The protocol of a connection that is over but for its end: what still comes is dropped, until that comes."""

    def data_received(self, data: bytes) -> None:
        pass

    def eof_received(self) -> bool:
        return False


class Service:
    """Something that listens at an endpoint and serves what connects. `async with` starts it, and ends it."""

    def __init__(
        self, entrance: Endpoint, limits: Limits | None = None, *, allow: Iterable[str] | None = None
    ) -> None:
        self.entrance = entrance
        """Where it listens."""
        self.limits = limits or Limits()
        """Its bounds."""
        self.space = Space()
        """The buffer of its pairs."""
        self._allowed = None if allow is None else Allowed(allow)
        self._admission = Admission(self.limits.connections, self.limits.per_source)
        self._connections: dict[Connection, None] = {}
        self._counters: Counter[str] = Counter()
        self._past = [0, 0]
        self._listening: Listening | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._empty: asyncio.Event = asyncio.Event()
        self._empty.set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
        await self.wait_closed()

    def __repr__(self) -> str:
        state = ", ".join(self.addresses) or "not listening"
        return f"<{type(self).__name__} {state}, {len(self._connections)} connections>"

    @property
    def addresses(self) -> list[str]:
        """Where it listens: `host:port`, or a path. Empty when it does not."""
        return [] if self._listening is None else list(self._listening.addresses)

    @property
    def port(self) -> int:
        """The port it listens at; of several addresses, that of the first. ValueError where there is none."""
        if not self.addresses:
            raise ValueError("not listening")
        return int(self.addresses[0].rpartition(":")[2])

    def connections(self) -> list[ConnectionInfo]:
        """Return the connections there are, as they are now, the oldest first."""
        now = asyncio.get_running_loop().time()
        return [connection.info(now) for connection in self._connections]

    def counters(self) -> dict[str, int]:
        """Return how often each thing has happened, by name.

        `accepted`, `refused` (over a limit), `forbidden` (not of those that are allowed, or reset before that could be
        told), `evicted` (made room for another), `connected` (to the far end), `failed` (to connect, or by an error of
        the protocol), `idle` (ended for that), `received` and `sent` (bytes from clients and to them); services have
        others of their own.
        """
        found = dict.fromkeys(("accepted", "refused", "forbidden", "evicted", "connected", "failed", "idle"), 0)
        found |= self._counters
        pairs = [connection.pair for connection in self._connections if connection.pair is not None]
        found["received"] = self._past[0] + sum(pair.near.count for pair in pairs)
        found["sent"] = self._past[1] + sum(pair.far.count for pair in pairs)
        return found

    def count(self, name: str) -> None:
        """Count something that has happened."""
        self._counters[name] += 1

    # The life of a service

    async def start(self) -> None:
        """Listen from now on. Does nothing where it does already. Raises an OSError."""
        if self._listening is None:
            self._listening = await self.entrance.listen(lambda: Arrival(self))

    def close(self) -> None:
        """Stop listening, and reset all connections. May be called twice."""
        self.stop_listening()
        for connection in list(self._connections):
            connection.drop()

    def stop_listening(self) -> None:
        """Accept no more; what there is goes on."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    async def wait_closed(self) -> None:
        """Return when there is no connection any more."""
        await self._empty.wait()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def shut_down(self, grace: float) -> None:
        """Accept no more, give the connections `grace` seconds to end by themselves, then reset them."""
        self.stop_listening()
        try:
            async with asyncio.timeout(grace):
                await self._empty.wait()
        except TimeoutError:
            pass
        finally:
            self.close()
        await self.wait_closed()

    # The life of a connection

    def arrived(self, transport: asyncio.Transport) -> Connection | None:
        """Take an accepted connection, held still, or refuse it."""
        loop = asyncio.get_running_loop()
        self.count("accepted")
        connection = Connection(self, transport, loop.time())
        if not self._admits(connection):
            self.count("forbidden")
            reset(transport)
            return None
        taken, evicted = self._admission.admit(connection)
        if not taken:
            self.count("refused")
            reset(transport)
            return None
        if evicted is not None:
            self.count("evicted")
            evicted.drop()
        keep_alive(transport, self.limits.keepalive)
        self._connections[connection] = None
        self._empty.clear()
        self._look_later()
        connection.task = loop.create_task(self._run(connection), name="ygg proxy connection")
        # Not in the task itself: one that is cancelled before its first step runs none of its own code.
        connection.task.add_done_callback(lambda _: self._served(connection))
        return connection

    def _admits(self, connection: Connection) -> bool:
        if connection.peer is None:
            return False    # it was reset: uvloop tells no address then, but would still read what had been sent
        return self._allowed is None or self._allowed.admits(connection.peer, connection.public_key)

    def left(self, connection: Connection) -> None:
        """The client has gone before the connection was paired."""
        connection.lost = True
        if connection.task is not None:
            connection.task.cancel()

    def forget(self, connection: Connection) -> None:
        """Both ends of a connection are gone."""
        if connection not in self._connections:
            return
        del self._connections[connection]
        self._admission.discard(connection)
        if (pair := connection.pair) is not None:
            self._past[0] += pair.near.count
            self._past[1] += pair.far.count
        if not self._connections:
            self._empty.set()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    async def _run(self, connection: Connection) -> None:
        try:
            await self._serve(connection)
        except OSError as error:
            self.count("failed")
            log.debug("%s: connection from %s: %s", self, connection.peer, error)
            forget_frames(error)
        except Exception:
            self.count("errors")
            log.exception("a connection to %s ended by an error", connection.target or "nowhere yet")

    def _served(self, connection: Connection) -> None:
        connection.task = None
        if connection.pair is None:
            reset(connection.transport)
            self.forget(connection)

    @abstractmethod
    async def _serve(self, connection: Connection) -> None:
        """Find out where a connection leads and join it with that; or serve it, and return when it is over.

        It is cancelled when the client goes, or the service ends. What has not been joined is reset then.
        """

    async def _connect(self, connection: Connection, endpoint: Endpoint) -> asyncio.Transport:
        """Return a held connection to the far end. Raises an OSError, `ConnectTimeout` among them."""
        seconds = self.limits.connect_timeout
        connection.target = str(endpoint)
        try:
            async with asyncio.timeout(seconds) as limit:
                transport = await endpoint.connect(HoldingProtocol)
        except TimeoutError:
            if not limit.expired():
                raise
            raise ConnectTimeout(f"{endpoint} was not reached within {seconds:g} s") from None
        self.count("connected")
        keep_alive(transport, self.limits.keepalive)
        return transport

    async def _part(self, connection: Connection, answer: bytes = b"", *, ended: bool = False) -> None:
        """Tell the client something last, and end its connection; it has `PARTING` seconds to take it and end its side.

        What it still sends until then is read and dropped, unless its stream has `ended`: a connection that is closed
        with bytes unread is reset, and a reset can take the answer away from the client.
        """
        transport = connection.transport
        transport.set_protocol(Leaving(self, connection))
        if not transport.is_closing():
            if answer:
                transport.write(answer)
            if ended or not transport.can_write_eof():
                transport.close()
            else:
                transport.write_eof()
                resume(transport)
        if not connection.lost:
            await asyncio.sleep(PARTING)  # its loss cancels this

    # Idle connections

    def _look_later(self) -> None:
        times = [seconds for seconds in (self.limits.idle, self.limits.half_closed) if seconds is not None]
        if self._timer is None and times:
            self._timer = asyncio.get_running_loop().call_later(min(SELDOM, min(times) / LOOKS), self._look)

    def _look(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for connection in list(self._connections):
            silent = connection.look(now)
            if self._is_idle(connection, silent):
                self.count("idle")
                connection.drop()
        if self._connections:
            self._look_later()

    def _is_idle(self, connection: Connection, seconds: float) -> bool:
        limits, pair = self.limits, connection.pair
        if pair is not None and pair.half_closed and limits.half_closed is not None and seconds > limits.half_closed:
            return True
        return limits.idle is not None and seconds > limits.idle
