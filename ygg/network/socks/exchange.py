"""Running an exchange of messages over a connection that is held still, which is held again afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Generic, TypeVar, cast

from ygg.errors import ProxyError, YggError
from ygg.stream.held import HoldingProtocol, take_over

R = TypeVar("R")

HUNG_UP = "proxy hung up"
"""What the error says when the other side goes in the middle, unless told otherwise."""


async def run(
    transport: asyncio.Transport,
    exchange: Generator[tuple[bytes, int], bytes, R],
    held: HoldingProtocol | None = None,
    *,
    hung_up: str = HUNG_UP,
) -> R:
    """Run `exchange` and return what it does; bytes that follow it are kept by `held`, or a `HoldingProtocol`.

    `exchange` yields what to send and how many bytes to read next, and is sent exactly those. Raises what it raises,
    and `ProxyError` when the other side hangs up; the transport is the caller's to abort then, and is not held.
    """
    running: _Running[R] = _Running(exchange, hung_up)
    take_over(transport, running)
    result = await running.done
    held = held or HoldingProtocol()
    transport.set_protocol(held)
    held.connection_made(transport)
    held.held += running.rest
    held.eof, held.lost = running.eof, running.lost
    return result


class _Running(asyncio.Protocol, Generic[R]):
    """Feeds an exchange with exactly what it asks for."""

    def __init__(self, exchange: Generator[tuple[bytes, int], bytes, R], hung_up: str) -> None:
        self.done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self.rest = bytearray()
        self.eof = self.lost = False
        self._exchange = exchange
        self._hung_up = hung_up
        self._wanted = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._advance(None)

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while not self.done.done() and len(self.rest) >= self._wanted:
            taken = bytes(self.rest[: self._wanted])
            del self.rest[: self._wanted]
            self._advance(taken)
        if self.done.done() and not self._transport.is_closing():
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        self.eof = True
        self._fail(ProxyError(self._hung_up))
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._fail(ProxyError(self._hung_up))

    def _advance(self, taken: bytes | None) -> None:
        try:
            data, self._wanted = next(self._exchange) if taken is None else self._exchange.send(taken)
        except StopIteration as end:
            if not self.done.done():
                self.done.set_result(end.value)
        except YggError as error:
            self._fail(error)
        else:
            if data and not self._transport.is_closing():
                self._transport.write(data)

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)
