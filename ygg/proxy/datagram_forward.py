"""A forward of datagrams: what comes at one UDP port is sent to another, and the answers back, for each client."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable
from typing import Any, Self, cast

from ygg.proxy.admission import Admission
from ygg.proxy.allow import Allowed
from ygg.proxy.datagram_endpoints import DatagramEndpoint, Factory
from ygg.proxy.flows import DatagramLimits, FlowInfo, Flows, what_failed
from ygg.proxy.sockets import source_at
from ygg.url import host_port

log = logging.getLogger("ygg.proxy")


class DatagramForward(asyncio.DatagramProtocol):
    """Sends the datagrams that come at `entrance` to `target`, each client's from a port of its own, and answers back.

    `DatagramForward(udp("127.0.0.1", 5353), overlay_udp(vtun, address, 53))` leads from this machine into the overlay,
    and with the two exchanged the other way. A client is an address and a port; its flow begins with its first datagram
    and ends when it has sent nothing for `limits.idle` seconds. Datagrams keep their bounds and are never put together:
    one that is longer than the other side carries (65,507 bytes by IPv4, 65,527 by IPv6 and the overlay) is dropped and
    counted, as is what finds no room. With `allow`, addresses, subnets and keys, all other clients are dropped.
    `async with` starts it, and ends it.
    """

    def __init__(
        self,
        entrance: DatagramEndpoint,
        target: DatagramEndpoint,
        limits: DatagramLimits | None = None,
        *,
        allow: Iterable[str] | None = None,
    ) -> None:
        self.entrance = entrance
        """Where datagrams come in."""
        self.target = target
        """Where they lead."""
        self.limits = limits or DatagramLimits()
        """Its bounds."""
        self._allowed = None if allow is None else Allowed(allow)
        self._counters: Counter[str] = Counter()
        admission = Admission(self.limits.flows, self.limits.per_source)
        self._flows = Flows(self.limits, self._reach, self._answer, admission, self._counters)
        self._by_key = self._flows.by_key
        self._near: asyncio.DatagramTransport | None = None
        self._full = False
        self._closed: asyncio.Event = asyncio.Event()
        self._closed.set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
        await self.wait_closed()

    def __repr__(self) -> str:
        state = ", ".join(self.addresses) or "not listening"
        return f"<{type(self).__name__} {state}, {len(self._by_key)} flows>"

    async def start(self) -> None:
        """Take datagrams from now on. Does nothing where it does already. Raises an OSError."""
        if self._near is None:
            await self.entrance.bind(lambda: self)

    def close(self) -> None:
        """Take no more, and end all flows. May be called twice."""
        self._flows.end_all()
        if self._near is not None:
            self._near.abort()
            self._near = None

    async def wait_closed(self) -> None:
        """Return when all ports are closed."""
        await self._flows.wait_ended()
        await self._closed.wait()

    @property
    def addresses(self) -> list[str]:
        """Where it takes datagrams: `host:port`. Empty when it does not."""
        return [] if self._near is None else [host_port(*self._near.get_extra_info("sockname")[:2])]

    @property
    def port(self) -> int:
        """The port it takes datagrams at. ValueError where there is none."""
        if not self.addresses:
            raise ValueError("not listening")
        return int(self.addresses[0].rpartition(":")[2])

    def flows(self) -> list[FlowInfo]:
        """Return the flows there are, as they are now, the oldest first."""
        return self._flows.info(lambda key: key)

    def counters(self) -> dict[str, int]:
        """Return how often each thing has happened, by name.

        Of flows: `accepted`, `evicted` (made room for another source), `connected` (have a port), `idle` (ended for
        that). Of datagrams: `refused` (of a client beyond a limit), `forbidden` (of one that is not allowed), `dropped`
        (no room), `too_big`, `unreachable` (nothing takes them there), `failed` (other errors, of opening a port too),
        `datagrams_received` and `datagrams_sent` (from clients and to them). In bytes: `received` and `sent`.
        """
        names = ("accepted", "refused", "evicted", "connected", "idle", "forbidden", "dropped", "too_big",
                 "unreachable", "failed")
        return dict.fromkeys(names, 0) | self._counters | self._flows.counts()

    # The port at the entrance

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        self._near = cast(asyncio.DatagramTransport, transport)
        self._closed.clear()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Pass on a client's datagram."""
        flow = self._by_key.get(addr)
        if flow is None:
            if self._allowed is not None and not self._allowed.admits(addr):
                self._counters["forbidden"] += 1
                return
            flow = self._flows.open(addr, source_at(addr), str(self.target))
            if flow is None:
                return
        flow.send(data)

    def error_received(self, exc: Exception) -> None:
        """Count what an answer came to; which client it was for is not told."""
        self._counters[what_failed(exc)] += 1
        log.debug("%s: %s", self, exc)

    def pause_writing(self) -> None:
        """Drop answers."""
        self._full = True

    def resume_writing(self) -> None:
        """Pass answers on again."""
        self._full = False

    def connection_lost(self, exc: Exception | None) -> None:
        """End with it: a VTun that closes takes its ports along."""
        self._near = None
        self._closed.set()
        self._flows.end_all()

    async def _reach(self, _: Any, factory: Factory) -> object:
        return await self.target.connect(factory)

    def _answer(self, data: bytes, client: Any) -> None:
        if self._near is None or self._full:
            self._counters["dropped"] += 1
        else:
            self._near.sendto(data, client)
