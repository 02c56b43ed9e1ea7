"""A chat of two: lines of text between two nodes, each of which knows the other by its key."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterable, Awaitable, Callable
from typing import TYPE_CHECKING

from ygg.apps.messages import LONGEST, OPTIONS
from ygg.apps.names import printable
from ygg.apps.serving import serving
from ygg.identity.address import address_of

if TYPE_CHECKING:
    from ipaddress import IPv6Address

    from ygg.embed.node import EmbeddedNode

PORT = 31080
"""Where a node waits for a chat, on the overlay."""

PAUSE = 0.02
"""Seconds between lines that are shown: who sends more waits."""


async def talk(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    lines: AsyncIterable[str],
    show: Callable[[str], object],
) -> None:
    """Send the lines of the one side and show those of the other, until either ends. `OSError` is a lost connection."""

    async def listen() -> None:
        while line := await _line(reader):
            show(printable(line.decode("utf-8", "replace").rstrip("\r\n")))
            await asyncio.sleep(PAUSE)

    async def speak() -> None:
        async for line in lines:
            writer.write(line.encode("utf-8", "replace")[: LONGEST - 1] + b"\n")
            await writer.drain()

    sides = [asyncio.ensure_future(side()) for side in (listen, speak)]
    try:
        done, _ = await asyncio.wait(sides, return_when=asyncio.FIRST_COMPLETED)
        for side in done:
            side.result()
    finally:
        for side in sides:
            side.cancel()
        await asyncio.gather(*sides, return_exceptions=True)


async def _line(reader: asyncio.StreamReader) -> bytes:
    """Return the next line; nothing at the end, which a line that is too long is too."""
    with contextlib.suppress(ValueError):
        return await reader.readline()
    return b""


async def call(
    node: EmbeddedNode, address: str, lines: AsyncIterable[str], show: Callable[[str], object], *, timeout: float = 30
) -> None:
    """Talk to the node at an address. Raises `OSError`."""
    reader, writer = await node.open_connection(address, PORT, timeout=timeout, limit=LONGEST, **OPTIONS)
    try:
        await talk(reader, writer, lines, show)
    finally:
        writer.close()


async def wait(
    node: EmbeddedNode,
    accept: Callable[[IPv6Address], Awaitable[bool]],
    lines: AsyncIterable[str],
    show: Callable[[str], object],
) -> None:
    """Talk to the first node that calls and that `accept` takes. Raises `OSError` when its connection is lost."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    one = asyncio.Lock()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if one.locked() or done.done():
                return
            async with one:
                if await accept(address_of(writer.get_extra_info("public_key"))):
                    await talk(reader, writer, lines, show)
                    done.set_result(None)
        except OSError as error:
            done.set_exception(error)

    async with serving(node, PORT, LONGEST, serve):
        await done
