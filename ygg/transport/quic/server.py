"""Telling apart the QUIC connections that come to one datagram port."""

import asyncio
import logging
import math
from typing import Any, Protocol, cast

from aioquic.asyncio.server import QuicServer
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.retry import QuicRetryTokenHandler

from ygg.transport.quic.link import Port, QuicLink

TOKEN_TIME = 30.0
"""Seconds for which tokens are asked for after a listener was crowded, as long as one is valid: what has begun with a
Retry packet must go on with it."""

logger = logging.getLogger("ygg.transport")


class Acceptor(Protocol):
    """What the server asks of the listener that it accepts for."""

    @property
    def crowded(self) -> bool:
        """Whether new connections have to show first that they receive what is sent to their address."""

    def bound(self, transport: asyncio.DatagramTransport) -> None:
        """Take the port, once there is one."""

    def lost(self) -> None:
        """Take the loss of the port."""

    def connection(self, quic: QuicConnection, **_: object) -> QuicLink:
        """Return what serves a new connection."""


class RetryingServer(QuicServer):
    """aioquic's, for a listener of ours: whatever comes, it goes on.

    While the listener is crowded, a new connection begins with a Retry packet, whose token its client must bring back
    (RFC 9000, section 8.1.2): addresses that are not the sender's own take no place.
    """

    def __init__(self, configuration: QuicConfiguration, listener: Acceptor) -> None:
        super().__init__(configuration=configuration, create_protocol=listener.connection)
        self._listener = listener
        self._tokens = QuicRetryTokenHandler()
        self._crowded_until = -math.inf

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        port = cast(asyncio.DatagramTransport, transport)
        self._listener.bound(port)
        super().connection_made(cast(Any, Port(port, connected=False)))

    def datagram_received(self, data: bytes | str, addr: Any) -> None:
        try:
            self._retry = cast(Any, self._tokens if self.wants_tokens() else None)
            super().datagram_received(data, addr)
        except Exception as error:  # the library is not as careful as one could wish
            logger.debug("QUIC datagram from %s: %r", addr, error)

    def wants_tokens(self) -> bool:
        """Tell whether newcomers have to show their address: while, and a time after, too many are unopened."""
        now = self._loop.time()
        if self._listener.crowded:
            self._crowded_until = now + TOKEN_TIME
        return now < self._crowded_until

    def connection_lost(self, exc: Exception | None) -> None:
        self._listener.lost()
