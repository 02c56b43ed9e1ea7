"""Datagram ports of the operating system, where the errors of sending come to their protocol."""

import asyncio
from typing import Any, cast

from ygg.errors import from_os_error


class ConvertedErrors(asyncio.DatagramProtocol):
    """Passes everything on to `protocol`, the system's errors as ygg's."""

    def __init__(self, protocol: asyncio.DatagramProtocol) -> None:
        self._protocol = protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._protocol.connection_made(cast(asyncio.DatagramTransport, transport))

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._protocol.datagram_received(data, addr)

    def error_received(self, exc: Exception) -> None:
        self._protocol.error_received(from_os_error(exc) if isinstance(exc, OSError) else exc)

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._protocol.connection_lost(exc)
