"""httpx over a VTun: `httpx.AsyncClient(transport=YggTransport(vtun))`. The only file that touches httpx's `_pool`.

httpcore asks a network backend for byte streams and keeps the pool, HTTP/1.1, HTTP/2 and TLS to itself; the
backend here dials through the VTun.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from ygg.errors import MissingExtraError
from ygg.vtun import VTun, start_tls

try:
    import httpcore
    import httpx
except ImportError as error:
    raise MissingExtraError("YggTransport needs httpx: pip install 'ygg[http]'") from error

_ExceptionMap = Mapping[type[Exception], type[Exception]]

_ON_CONNECT: _ExceptionMap = {TimeoutError: httpcore.ConnectTimeout, OSError: httpcore.ConnectError}
_ON_READ: _ExceptionMap = {TimeoutError: httpcore.ReadTimeout, OSError: httpcore.ReadError}
_ON_WRITE: _ExceptionMap = {TimeoutError: httpcore.WriteTimeout, OSError: httpcore.WriteError}

_HIGH_WATER = 1 << 20


@asynccontextmanager
async def _bounded(timeout: float | None, errors: _ExceptionMap) -> AsyncIterator[None]:
    """Run the body for at most `timeout` seconds and raise what httpcore expects."""
    try:
        async with asyncio.timeout(timeout):
            yield
    except OSError as error:
        for kind, replacement in errors.items():
            if isinstance(error, kind):
                raise replacement(str(error)) from error
        raise


class _Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One connection as httpcore uses it: what arrives waits here, at most about `_HIGH_WATER` bytes of it."""

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
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

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

    # What httpcore asks.

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._chunks and not self._ended:
            async with _bounded(timeout, _ON_READ):
                self._readable = asyncio.get_running_loop().create_future()
                await self._readable
        if not self._chunks:
            if self._error is not None:
                raise httpcore.ReadError(str(self._error)) from self._error
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
        if self._transport is None or self._closed.done():
            raise httpcore.WriteError("the connection is closed")
        self._transport.write(buffer)
        if self._paused:
            async with _bounded(timeout, _ON_WRITE):
                self._writable = asyncio.get_running_loop().create_future()
                await self._writable
            if self._error is not None:
                raise httpcore.WriteError(str(self._error)) from self._error

    async def aclose(self) -> None:
        if self._transport is not None:
            self._transport.close()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        assert self._transport is not None
        inner = _Stream()
        async with _bounded(timeout, _ON_CONNECT):
            inner._transport = await start_tls(self._transport, inner, ssl_context, server_hostname=server_hostname)
        return inner

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return bool(self._chunks) or self._ended
        names = {"ssl_object": "ssl_object", "client_addr": "sockname", "server_addr": "peername", "socket": "socket"}
        if self._transport is None or info not in names:
            return None
        return self._transport.get_extra_info(names[info])


class VTunBackend(httpcore.AsyncNetworkBackend):
    """httpcore's network, reached through a VTun: pass it to any httpcore pool as `network_backend`."""

    def __init__(self, vtun: VTun) -> None:
        self._vtun = vtun

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to an overlay address. Raises httpcore's `ConnectError` and `ConnectTimeout`."""
        local = None if local_address is None else (local_address, 0)
        async with _bounded(timeout, _ON_CONNECT):
            transport, stream = await self._vtun.create_connection(_Stream, host, port, local_addr=local)
        sock = transport.get_extra_info("socket")
        for option in socket_options or ():
            sock.setsockopt(*option)
        return stream

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Raise `ConnectError`: the overlay has none."""
        raise httpcore.ConnectError("an overlay has no unix sockets")

    async def sleep(self, seconds: float) -> None:
        """Wait, for httpcore between retries."""
        await asyncio.sleep(seconds)


class YggTransport(httpx.AsyncHTTPTransport):
    """An httpx transport whose connections run through a VTun: `http://[200:…]:port/` and `https://` alike.

    The arguments are those of `httpx.AsyncHTTPTransport` that make sense on an overlay. Closing the client closes
    the connections, not the VTun.
    """

    def __init__(
        self,
        vtun: VTun,
        *,
        verify: ssl.SSLContext | bool = True,
        http1: bool = True,
        http2: bool = False,
        limits: httpx.Limits | None = None,
        retries: int = 0,
        local_address: str | None = None,
    ) -> None:
        # The base class would build a pool of its own; everything else it does goes through `_pool`.
        limits = limits or httpx.Limits(max_connections=100, max_keepalive_connections=20)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=None if verify is True else httpx.create_ssl_context(verify=verify),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            http1=http1,
            http2=http2,
            retries=retries,
            local_address=local_address,
            network_backend=VTunBackend(vtun),
        )
