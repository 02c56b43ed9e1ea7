"""What HTTP clients made on httpcore or httpcore2 dial with, whichever it is: byte streams of a network.

Both libraries keep the pool, HTTP/1.1, HTTP/2 and the choice of TLS to themselves, and ask a network backend, their
public seam, for byte streams. They use a stream from one task at a time. `core` of each class is the library, whose
errors are raised.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, cast

from ygg.network.base import DIAL_TIMEOUT, Network
from ygg.stream.held import HoldingProtocol, take_over
from ygg.stream.tls.handshake import start_tls

if TYPE_CHECKING:
    from ygg.vtun import VTun

_HIGH_WATER = 1 << 20


@asynccontextmanager
async def _bounded(timeout: float | None, core: Any, kind: str) -> AsyncIterator[None]:
    """Run the body for at most `timeout` seconds and raise what the library expects of `kind`: Connect, Read, Write."""
    try:
        async with asyncio.timeout(timeout):
            yield
    except OSError as error:
        name = f"{kind}Timeout" if isinstance(error, TimeoutError) else f"{kind}Error"
        raise getattr(core, name)(str(error)) from error


class StreamBase(asyncio.Protocol):
    """One connection as the library uses it: what arrives waits here, at most about 1 MiB of it."""

    core: ClassVar[Any]
    """The library."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._chunks: deque[bytes] = deque()
        self._held = 0
        self._ended = False
        self._error: BaseException | None = None
        self._readable: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._paused = False

    # What the transport tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's derive from nothing

    def data_received(self, data: bytes) -> None:
        self._chunks.append(data)
        self._held += len(data)
        if self._held > _HIGH_WATER and self._transport is not None:
            self._transport.pause_reading()
        self._wake(self._readable)

    def eof_received(self) -> None:
        self._ended = True
        self._wake(self._readable)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._wake(self._writable)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._ended = True
        self._error = exc
        for waiter in (self._readable, self._writable, self._closed):
            self._wake(waiter)

    @staticmethod
    def _wake(waiter: asyncio.Future[None] | None) -> None:
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # What the library asks.

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return bytes that have come, none at the end. Raises `ReadError` and `ReadTimeout`."""
        if not self._chunks and not self._ended:
            async with _bounded(timeout, self.core, "Read"):
                self._readable = asyncio.get_running_loop().create_future()
                await self._readable
        if not self._chunks:
            if self._error is not None:
                raise self.core.ReadError(str(self._error)) from self._error
            return b""
        data = self._chunks.popleft()
        if len(data) > max_bytes:
            self._chunks.appendleft(data[max_bytes:])
            data = data[:max_bytes]
        before, self._held = self._held, self._held - len(data)
        if before > _HIGH_WATER >= self._held and self._transport is not None:
            self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write, and wait for room. Raises `WriteError` and `WriteTimeout`."""
        if self._transport is None or self._closed.done():
            raise self.core.WriteError("the connection is closed")
        self._transport.write(buffer)
        if self._paused:
            async with _bounded(timeout, self.core, "Write"):
                self._writable = asyncio.get_running_loop().create_future()
                await self._writable
            if self._error is not None:
                raise self.core.WriteError(str(self._error)) from self._error

    async def aclose(self) -> None:
        """Close the connection; what was written is still sent."""
        if self._transport is not None:
            self._transport.close()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> Any:
        """Return the plain text of TLS over this stream. Raises `ConnectError` and `ConnectTimeout`, closed then."""
        assert self._transport is not None
        inner = type(self)()
        name = server_hostname.rstrip(".") if server_hostname else None  # a name in a certificate has no final dot
        async with _bounded(timeout, self.core, "Connect"):
            inner._transport = await start_tls(self._transport, inner, ssl_context, server_hostname=name)
        return inner

    def get_extra_info(self, info: str) -> Any:
        """Return what the library asks of a stream by name, None for what it has not."""
        if info == "is_readable":
            return bool(self._chunks) or self._ended
        names = {"client_addr": "sockname", "server_addr": "peername"}
        if self._transport is None or info not in {*names, "ssl_object", "socket", "public_key"}:
            return None
        return self._transport.get_extra_info(names.get(info, info))


class BackendBase:
    """The library's network, reached through `network`."""

    core: ClassVar[Any]
    """The library."""
    stream: ClassVar[type[StreamBase]]
    """What it is given."""

    def __init__(self, network: Network) -> None:
        self._network = network

    async def dial(self, host: str, port: int, timeout: float | None, local_address: str | None) -> asyncio.Transport:
        """Return a connection held still. Override it to dial in another way; raises OSError."""
        if local_address is not None:
            raise self.core.ConnectError("a network chooses the local address by itself")
        return await self._network.connect_stream(host, port, timeout=DIAL_TIMEOUT if timeout is None else timeout)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Any:
        """Connect to a host. Raises the library's `ConnectError` and `ConnectTimeout`."""
        async with _bounded(timeout, self.core, "Connect"):
            transport = await self.dial(host, port, timeout, local_address)
        stream = self.stream()
        take_over(transport, stream)
        for option in socket_options or ():
            transport.get_extra_info("socket").setsockopt(*option)
        return stream

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> Any:
        """Raise `ConnectError`: these clients ask for hosts."""
        raise self.core.ConnectError("no unix sockets here")

    async def sleep(self, seconds: float) -> None:
        """Wait, for the library between retries."""
        await asyncio.sleep(seconds)


class VTunBackendBase(BackendBase):
    """The library's network, reached through a VTun."""

    def __init__(self, vtun: VTun) -> None:
        from ygg.vtun import OverlayNetwork  # autopeering, which dials by other networks, does without

        super().__init__(OverlayNetwork(vtun))
        self._vtun = vtun

    async def dial(self, host: str, port: int, timeout: float | None, local_address: str | None) -> asyncio.Transport:
        """Return a connection from an address of this node; without `timeout` it is given up when TCP does."""
        local = None if local_address is None else (local_address, 0)
        transport, _ = await self._vtun.create_connection(HoldingProtocol, host, port, local_addr=local)
        return transport
