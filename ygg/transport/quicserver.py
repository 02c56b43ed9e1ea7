"""Telling apart the QUIC connections that come to one datagram port."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, cast

from aioquic.asyncio.server import QuicServer
from aioquic.quic.configuration import QuicConfiguration

from ygg.transport.quicstream import Port

if TYPE_CHECKING:
    from ygg.transport.quic import QuicListener

logger = logging.getLogger("ygg.transport")


class Server(QuicServer):
    """aioquic's, for a listener of ours: whatever comes, it goes on."""

    def __init__(self, configuration: QuicConfiguration, listener: QuicListener) -> None:
        super().__init__(configuration=configuration, create_protocol=listener.connection)
        self._listener = listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        port = cast(asyncio.DatagramTransport, transport)
        self._listener.bound(port)
        super().connection_made(cast(Any, Port(port, connected=False)))

    def datagram_received(self, data: bytes | str, addr: Any) -> None:
        try:
            super().datagram_received(data, addr)
        except Exception as error:  # the library is not as careful as one could wish
            logger.debug("QUIC datagram from %s: %r", addr, error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._listener.lost()
