"""Accepting QUIC connections that come to one datagram port."""

import asyncio
from typing import Any

from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection

from ygg.network.accept_queue import AcceptQueue
from ygg.network.addresses import spell
from ygg.network.base import DIAL_TIMEOUT, Listener
from ygg.network.crowding import Grouping, most_crowded, networks_of
from ygg.transport.quic.link import QuicLink
from ygg.transport.quic.server import RetryingServer
from ygg.transport.quic.stream import QuicStream

MOST_UNOPENED = 64
"""Connections of a listener without a stream; the oldest in the most crowded place makes room. From the half on, who
comes must first show that it receives what is sent to its address (RFC 9000, section 8.1.2)."""


class QuicListener(Listener):
    """A datagram port and the connections that come to it.

    They share the port, so it stays taken until the listener is closed and the last of them has ended.
    """

    def __init__(self, configuration: QuicConfiguration, backlog: int, grouping: Grouping = networks_of) -> None:
        self._grouping = grouping
        self._ready: AcceptQueue[tuple[asyncio.Transport, str]] = AcceptQueue(backlog)
        self.unopened: dict[QuicLink, asyncio.TimerHandle] = {}
        """Connections that have not opened a stream yet, and when they are given up."""
        self.links: dict[QuicLink, None] = {}
        """All connections, the oldest first."""
        self._port: Any = None
        self._loop = asyncio.get_running_loop()
        self._released = asyncio.Event()
        self.server = RetryingServer(configuration, self)
        """The QUIC endpoint that accepts for it."""

    @property
    def address(self) -> str:
        return spell(self._port.get_extra_info("sockname"))

    async def accept(self) -> tuple[asyncio.Transport, str]:
        return await self._ready.get()

    def close(self) -> None:
        for stream, _ in self._ready.close():
            stream.abort()
        for link in list(self.unopened):
            link.discard()
        self._release()

    async def wait_closed(self) -> None:
        """Return when nothing more is accepted and, unless links that were accepted still use it, the port is free."""
        await self._released.wait()

    def is_closing(self) -> bool:
        return self._ready.closed

    # For the server

    @property
    def crowded(self) -> bool:
        """Whether half of the places for connections without a stream are taken."""
        return len(self.unopened) >= MOST_UNOPENED // 2

    def bound(self, transport: asyncio.DatagramTransport) -> None:
        """The port is there."""
        self._port = transport
        self._sockname = transport.get_extra_info("sockname")

    def lost(self) -> None:
        """The port is gone, and with it everything."""
        self.close()
        for link in list(self.links):
            link.connection_lost(None)
        self._released.set()

    def connection(self, quic: QuicConnection, **_: object) -> QuicLink:
        """Return what serves a new connection."""
        link = QuicLink(quic, self._sockname, self._gone)
        if len(self.unopened) >= MOST_UNOPENED:
            places = [(other, self._grouping(other.remote_host)) for other in self.unopened]
            most_crowded(places).discard()
        self.links[link] = None
        self.unopened[link] = self._loop.call_later(DIAL_TIMEOUT, link.discard)
        link.opened.add_done_callback(lambda opened: self._opened(link, opened))
        if self.is_closing():
            self._loop.call_soon(link.discard)
        return link

    def _opened(self, link: QuicLink, opened: asyncio.Future[QuicStream]) -> None:
        self._leave(link)
        if opened.cancelled() or opened.exception() is not None:
            return
        stream = opened.result()
        if not self._ready.offer((stream, spell(stream.get_extra_info("peername")))):
            stream.abort()

    def _leave(self, link: QuicLink) -> None:
        if timer := self.unopened.pop(link, None):
            timer.cancel()

    def _gone(self, link: QuicLink) -> None:
        self._leave(link)
        self.links.pop(link, None)
        self._release()

    def _release(self) -> None:
        if not self._ready.closed:
            return
        if self.links or self._port is None:
            self._released.set()
        else:
            self._port.close()
