"""HTTP: a lean client against an ASGI server over the overlay, and the same two over plain loopback in the same run."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from ygg.integrations.asgi import serve

from .nodes import pair

BODY = b"pong\n"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer five bytes."""
    if scope["type"] != "http":
        raise NotImplementedError
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"text/plain"), (b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": BODY})


class _Client(asyncio.Protocol):
    """Sends a request when the answer to the last one is complete."""

    def __init__(self, host: str) -> None:
        self._request = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        self.count = 0
        self._read = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._read += data
        if self._read.endswith(BODY):
            self._read = b""
            self.count += 1
            self.transport.write(self._request)


class _Loopback:
    """The operating system's loopback, in the place of a VTun."""

    options = SimpleNamespace(keepalive=False)

    async def create_server(self, factory: Any, host: str | None, port: int, **options: Any) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(factory, "127.0.0.1", port, **options)

    def key_of(self, host: str) -> None:
        """Return None: its clients are no nodes."""


async def _rate(network: Any, host: str, port: int, connections: int, seconds: float) -> float:
    clients = [(await network.create_connection(lambda: _Client(host), host, port))[1] for _ in range(connections)]
    await asyncio.sleep(0.3)
    before, started = sum(client.count for client in clients), time.perf_counter()
    await asyncio.sleep(seconds)
    rate = (sum(client.count for client in clients) - before) / (time.perf_counter() - started)
    for client in clients:
        client.transport.abort()
    return rate


@contextlib.asynccontextmanager
async def _serving(network: Any) -> AsyncIterator[int]:
    async with serve(application, network, port=0, lifespan="off", access_log=False) as server:
        yield server.sockets[0].getsockname()[1]


async def _measure(seconds: float) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    async with pair(65535) as (one, other), _serving(other.vtun) as port, _serving(_Loopback()) as plain_port:
        # In turns, so that what else the machine does falls on both.
        plain, single = 0.0, 0.0
        for _ in range(2):
            plain += await _rate(loop, "127.0.0.1", plain_port, 1, seconds / 2) / 2
            single += await _rate(one.vtun, other.host, port, 1, seconds / 2) / 2
        many = await _rate(one.vtun, other.host, port, 16, seconds)
    return {"http_rps_1": single, "http_rps_16": many, "http_loopback_rps_1": plain,
            "http_over_loopback_ratio": single / plain}


def http(seconds: float) -> dict[str, float]:
    """Measure client and server in this process."""
    return asyncio.run(_measure(seconds))
