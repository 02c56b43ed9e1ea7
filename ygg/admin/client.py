"""Client: asks an admin socket, this library's or the stock daemon's."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any, Self

from ygg.admin.endpoint import Endpoint, default_endpoints
from ygg.admin.envelope import Objects, encoded
from ygg.admin.errors import AdminError
from ygg.errors import RemoteClosed

TIMEOUT = 30.0
"""Seconds that an answer may take; a question to another node takes up to six."""
REPLY_MAX = 1 << 26
"""Bytes of a reply at most."""
READ_SIZE = 65536
"""Bytes that are read at once."""


def request_bytes(command: str, arguments: dict[str, Any], token: str, *, keepalive: bool = True) -> bytes:
    """Return a request as it goes over the socket."""
    members: dict[str, Any] = {"request": command, "arguments": arguments, "keepalive": keepalive}
    return encoded(members | ({"token": token} if token else {}), indent=None)


def response_of(reply: dict[str, Any]) -> Any:
    """Return the response of a reply. Raises `AdminError` with the node's text."""
    if reply.get("status") != "success":
        raise AdminError(str(reply.get("error") or "the node has refused the request"))
    return reply.get("response")


class Client:
    """Asks a daemon by its admin socket, over one connection; use it as an async context manager.

    ::

        async with Client() as daemon:
            for peer in (await daemon.request("getPeers"))["peers"]: ...

    Without an endpoint it takes the first of `default_endpoints()` that answers. A number, a flag and a list may be
    arguments of this library's daemon; the stock daemon takes strings.
    """

    def __init__(self, endpoint: Endpoint | str | None = None, *, timeout: float = TIMEOUT) -> None:
        self._places = _places(endpoint)
        self._timeout = timeout
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._objects = Objects(REPLY_MAX)
        self._busy = asyncio.Lock()
        self.endpoint: Endpoint = self._places[0]
        """Where the daemon is."""

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _open(self) -> None:
        errors: list[OSError] = []
        for place in self._places:
            try:
                async with asyncio.timeout(self._timeout):
                    self._streams = await open_streams(place)
            except OSError as error:
                errors.append(error)
                continue
            self.endpoint = place
            self._objects = Objects(REPLY_MAX)
            return
        raise errors[0]

    async def close(self) -> None:
        """Hang up. Idempotent."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()
            try:
                await streams[1].wait_closed()
            except OSError:
                pass  # it has hung up

    async def request(self, command: str, /, **arguments: Any) -> Any:
        """Return the response to a command.

        Raises `AdminError` with the node's text, `TimeoutError`, and `OSError` where the connection is lost. Tasks that
        ask at the same time wait for each other; to ask for much at once open more clients.
        """
        async with self._busy:
            try:
                async with asyncio.timeout(self._timeout):
                    return response_of(await self._ask(command, arguments))
            except AdminError:
                raise
            except BaseException:
                await self.close()  # an answer may come that no request is for
                raise

    async def _ask(self, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if self._streams is None:
            await self._open()
        assert self._streams is not None
        reader, writer = self._streams
        writer.write(request_bytes(command, arguments, self.endpoint.token))
        await writer.drain()
        return await self._next(reader)

    async def _next(self, reader: asyncio.StreamReader) -> dict[str, Any]:
        while (found := self._objects.next()) is None:
            data = await reader.read(READ_SIZE)
            if not data:
                raise RemoteClosed
            self._objects.feed(data)
        return found

    async def subscribe(self, *events: str, level: str = "info") -> AsyncIterator[dict[str, Any]]:
        """Yield what happens to the node: events of the kinds named, all but `log` where none is.

        This library's daemon alone has that. The client serves for nothing else meanwhile, and is closed at the end.
        """
        async with self._busy:
            arguments = {"events": ",".join(events), "level": level}
            try:
                async with asyncio.timeout(self._timeout):
                    response_of(await self._ask("subscribe", arguments))
                assert self._streams is not None
                while True:
                    yield await self._next(self._streams[0])
            except RemoteClosed:
                return
            finally:
                await self.close()


async def open_streams(place: Endpoint) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to an endpoint."""
    if not place.path:
        return await asyncio.open_connection(place.host, place.port)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        # Not by create_unix_connection: uvloop's takes no abstract name.
        await asyncio.get_running_loop().sock_connect(made, place.socket_address)
        return await asyncio.open_unix_connection(sock=made)
    except BaseException:
        made.close()
        raise


def _places(endpoint: Endpoint | str | None) -> list[Endpoint]:
    if endpoint is None:
        return default_endpoints()
    return [endpoint if isinstance(endpoint, Endpoint) else Endpoint.parse(endpoint)]
