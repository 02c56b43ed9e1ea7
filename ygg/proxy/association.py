"""Datagrams by a SOCKS proxy: the port of one client, and its flows to the hosts that it names (RFC 1928, section 7).

Theory of operation. The port takes datagrams of the host alone that the client's TCP connection comes from, and of the
first of its ports that sends, or of the one that it has told: nothing can be had sent to a third host. A host that the
client sends to has a flow, whose port hears of that host alone, and what it answers goes to the client with the address
as the client has written it, a name among them. It all ends with the TCP connection.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any, cast

from ygg.network.socks.wire import MalformedHeader, datagram_header, destination
from ygg.proxy.admission import Admission
from ygg.proxy.datagram_endpoints import Factory
from ygg.proxy.flows import DatagramLimits, Flows, what_failed
from ygg.proxy.routes import Route
from ygg.url import host_port

log = logging.getLogger("ygg.proxy")

Passed = Callable[[int], object]
"""Is told how many bytes of the client's have passed."""


class Association(asyncio.DatagramProtocol):
    """The protocol of a client's port. `counters` tells what was dropped: `foreign` (of another host or port),
    `fragments`, which are not put together, `malformed_datagrams`, and as for a forward of datagrams.
    """

    def __init__(
        self,
        client: tuple[str, int],
        source: Hashable | None,
        route: Route,
        limits: DatagramLimits,
        admission: Admission,
        counters: Counter[str],
        passed: Passed,
    ) -> None:
        self._host, self._port = client
        self._source = source
        self._route = route
        self._counters = counters
        self._passed = passed
        self._client: Any = None
        self._transport: asyncio.DatagramTransport | None = None
        self._full = False
        self._closed: asyncio.Event = asyncio.Event()
        self._flows = Flows(limits, self._reach, self._answer, admission, counters)
        self._by_key = self._flows.by_key

    @property
    def address(self) -> tuple[str, int]:
        """Where the client sends to."""
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    def counts(self) -> Counter[str]:
        """Return the datagrams and bytes that have passed."""
        return self._flows.counts()

    async def close(self) -> None:
        """Close all ports."""
        self._flows.end_all()
        if self._transport is not None:
            self._transport.abort()
            await self._closed.wait()
        await self._flows.wait_ended()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the port."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Pass on a datagram of the client's."""
        if addr != self._client and not self._is_clients(addr):
            self._counters["foreign"] += 1
            return
        try:
            size = datagram_header(data)
            if data[2]:
                self._counters["fragments"] += 1
                return
            key = data[3:size]
            flow = self._by_key.get(key) or self._flows.open(key, self._source, host_port(*destination(key)))
        except MalformedHeader:
            self._counters["malformed_datagrams"] += 1
            return
        if flow is not None:
            self._passed(len(data) - size)
            flow.send(data[size:])

    def _is_clients(self, addr: Any) -> bool:
        if self._client is not None or addr[0] != self._host or (self._port and addr[1] != self._port):
            return False
        self._client = addr
        return True

    def error_received(self, exc: Exception) -> None:
        """Count what an answer came to."""
        self._counters[what_failed(exc)] += 1
        log.debug("answers to %s: %s", self._host, exc)

    def pause_writing(self) -> None:
        """Drop answers."""
        self._full = True

    def resume_writing(self) -> None:
        """Pass answers on again."""
        self._full = False

    def connection_lost(self, exc: Exception | None) -> None:
        """End the flows with the port."""
        self._transport = None
        self._closed.set()
        self._flows.end_all()

    async def _reach(self, key: bytes, factory: Factory) -> object:
        return await self._route.connect_datagram(*destination(key), factory)

    def _answer(self, data: bytes, key: bytes) -> None:
        if self._transport is None or self._full:
            self._counters["dropped"] += 1
        else:
            self._transport.sendto(b"".join((b"\0\0\0", key, data)), self._client)
