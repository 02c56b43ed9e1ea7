"""An admin server of a test's own commands, and clients that speak bytes."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from ygg.admin import AdminServer, Command, Commands, Endpoint
from ygg.admin.client import open_streams
from ygg.admin.connection import AdminLimits
from ygg.admin.server import DEFAULT_LIMITS


@contextlib.asynccontextmanager
async def serving(
    place: Path | str, *commands: Command, limits: AdminLimits = DEFAULT_LIMITS
) -> AsyncIterator[AdminServer]:
    """Serve commands at a path, or at an endpoint."""
    endpoint = Endpoint(path=str(place)) if isinstance(place, Path) else Endpoint.parse(place)
    async with AdminServer(Commands(*commands), endpoint, limits=limits) as server:
        yield server


async def connect(server: AdminServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to it."""
    return await open_streams(server.endpoint)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close a connection, which may be closed."""
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def spoken(server: AdminServer, data: bytes) -> bytes:
    """Return all that it says to `data` and the end of the stream."""
    reader, writer = await connect(server)
    writer.write(data)
    writer.write_eof()
    try:
        return await reader.read()
    finally:
        await hang_up(writer)


async def asked(server: AdminServer, request: str, **arguments: Any) -> Any:
    """Return the reply to a request."""
    data = json.dumps({"request": request, "arguments": arguments})
    reader, writer = await connect(server)
    writer.write(data.encode())
    try:
        return json.loads(await reader.read())
    finally:
        await hang_up(writer)
