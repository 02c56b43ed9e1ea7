"""The receiver's side: an offer is looked at, accepted, and taken to where nothing is yet."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ygg.apps.code import Code
from ygg.apps.messages import OPTIONS, PORT, TransferError, read, text, whole, write
from ygg.apps.names import safe_name
from ygg.apps.partial import Partial
from ygg.apps.serving import serving

if TYPE_CHECKING:
    from ygg.apps.sending import Progress
    from ygg.embed.node import EmbeddedNode

LIMIT = 1 << 20
"""Bytes that a connection may be ahead of the disk."""

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds between attempts to connect; the last goes on."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A file that may be taken."""

    name: str
    """Its name, made safe."""
    size: int
    """Its bytes."""
    sender: bytes
    """The public key of the node that offers it."""


class Refused(TransferError):
    """The person did not want the file."""

    text = "it was not taken"


Accept = Callable[[Offer], Awaitable[bool]]
"""Asks the person whether to take a file."""


async def receive(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    folder: Path,
    accept: Accept,
    progress: Progress,
    name: str | None = None,
) -> Path:
    """Take the file that is offered on a connection, where `accept` says so, and return where it is.

    What has come before is gone on with, if it fits; nothing that exists is written over. Raises `TransferError`, and
    `OSError` when the connection is lost: what came is kept.
    """
    message = await read(reader)
    offered = safe_name(text(message, "name"))
    offer = Offer(name or offered, whole(message, "size"), writer.get_extra_info("public_key"))
    if not await accept(offer):
        write(writer, refused="it is not wanted")
        raise Refused
    try:
        with Partial(folder, offer.name, offer.size) as partial:
            return await _take(reader, writer, partial, offer.size, progress)
    except TransferError:
        write(writer, refused="it cannot be kept there")
        raise
    except OSError as error:
        # Of the disk or of the connection: the first is not mended by a new connection.
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EACCES, errno.EROFS, errno.ELOOP):
            raise TransferError(f"cannot write {folder / offer.name}: {error.strerror}; what came is kept") from None
        raise


async def _take(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, partial: Partial, size: int, progress: Progress
) -> Path:
    write(writer, have=partial.have, digest=await asyncio.to_thread(partial.look))
    here = whole(await read(reader), "start")
    partial.go_on(here)
    progress(here, size)
    while here < size:
        data = await reader.read(min(LIMIT, size - here))
        if not data:
            raise ConnectionResetError("the other side has ended the connection")
        await asyncio.to_thread(partial.write, data)
        here += len(data)
        progress(here, size)
    if text(await read(reader), "digest") != partial.digest.hexdigest():
        partial.discard()
        write(writer, done=False)
        raise TransferError("what came is not what was sent, and is removed; receive it again")
    await asyncio.to_thread(partial.finish)
    write(writer, done=True)
    with contextlib.suppress(OSError):
        await writer.drain()
    return partial.target


async def receive_by_code(
    node: EmbeddedNode,
    code: Code,
    folder: Path,
    accept: Accept,
    progress: Progress,
    tell: Callable[[str], object] = print,
    *,
    name: str | None = None,
    port: int = PORT,
) -> Path:
    """Connect to the sender with that code, until it is there and as often as the connection is lost; take its file.

    Raises `TransferError`.
    """
    pauses = iter(PAUSES)
    while True:
        try:
            reader, writer = await node.open_connection(
                code.key.public_key, port, timeout=30, limit=LIMIT, **OPTIONS
            )
            try:
                write(writer, proof=code.proof(node.public_key))
                pauses = iter(PAUSES)
                return await receive(reader, writer, folder, accept, progress, name)
            finally:
                await _close(writer)
        except OSError as error:
            tell(f"the sender is not there ({error}); trying again")
        await asyncio.sleep(next(pauses, PAUSES[-1]))


async def receive_next(
    node: EmbeddedNode, folder: Path, accept: Accept, progress: Progress, *, name: str | None = None, port: int = PORT
) -> Path:
    """Wait at the node's address for a file that `accept` takes, one offer at a time. Raises `TransferError`."""
    done: asyncio.Future[Path] = asyncio.get_running_loop().create_future()
    one = asyncio.Lock()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if one.locked() or done.done():
                write(writer, refused="another file is being received")
            else:
                async with one:
                    path = await receive(reader, writer, folder, accept, progress, name)
                await _close(writer)
                done.set_result(path)
        except (Refused, OSError):
            pass  # the next may be wanted, or the same be sent again
        except TransferError as error:
            if not done.done():
                done.set_exception(error)
        await _close(writer)

    async with serving(node, port, LIMIT, serve):
        return await done


async def _close(writer: asyncio.StreamWriter) -> None:
    """Close a connection, and wait until the other side has what was written, for a moment."""
    writer.close()
    with contextlib.suppress(OSError):
        async with asyncio.timeout(5):
            await writer.wait_closed()
