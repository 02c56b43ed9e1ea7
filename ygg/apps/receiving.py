"""The receiver's side: an offer is looked at, accepted, and taken to where nothing is yet."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ygg.apps.code import Code
from ygg.apps.messages import OPTIONS, PORT, TransferError, read, text, whole, write
from ygg.apps.names import safe_name
from ygg.apps.partial import Partial
from ygg.apps.serving import Strangers, serving

if TYPE_CHECKING:
    from ygg.apps.sending import Progress
    from ygg.embed.node import EmbeddedNode

LIMIT = 1 << 20
"""Bytes that a connection may be ahead of the disk."""

OFFER_WITHIN = 30.0
"""Seconds in which a connection has to offer a file."""

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
    return await _receive(reader, writer, await _offered(reader, writer, name), folder, accept, progress)


async def _offered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str | None) -> Offer:
    message = await read(reader, OFFER_WITHIN)
    offered = safe_name(text(message, "name"))
    return Offer(name or offered, whole(message, "size"), writer.get_extra_info("public_key"))


async def _receive(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    offer: Offer,
    folder: Path,
    accept: Accept,
    progress: Progress,
) -> Path:
    if not await accept(offer):
        write(writer, refused="it is not wanted")
        raise Refused
    try:
        with _on_disk(folder / offer.name):
            opened = Partial(folder, offer.name, offer.size)
        with opened as partial:
            return await _take(reader, writer, partial, offer.size, progress)
    except TransferError:
        write(writer, refused="it cannot be kept there")
        raise


@contextlib.contextmanager
def _on_disk(path: Path) -> Iterator[None]:
    """Have errors of the disk be told: they are not mended by a new connection, as those of connections are."""
    try:
        yield
    except OSError as error:
        raise TransferError(f"cannot write {path}: {error.strerror}; what came is kept") from None


async def _take(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, partial: Partial, size: int, progress: Progress
) -> Path:
    with _on_disk(partial.target):
        digest = await asyncio.to_thread(partial.look)
    write(writer, have=partial.have, digest=digest)
    here = whole(await read(reader), "start")
    with _on_disk(partial.target):
        partial.go_on(here)
    progress(here, size)
    while here < size:
        data = await reader.read(min(LIMIT, size - here))
        if not data:
            raise ConnectionResetError("the other side has ended the connection")
        with _on_disk(partial.target):
            await asyncio.to_thread(partial.write, data)
        here += len(data)
        progress(here, size)
    if text(await read(reader), "digest") != partial.digest.hexdigest():
        with _on_disk(partial.target):
            partial.discard()
        write(writer, done=False)
        raise TransferError("what came is not what was sent, and is removed; receive it again")
    with _on_disk(partial.target):
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
    """Wait at the node's address for a file that `accept` takes, one offer at a time.

    Who connects and offers nothing, or nonsense, is left out. Raises `TransferError`.
    """
    done: asyncio.Future[Path] = asyncio.get_running_loop().create_future()
    one = asyncio.Lock()
    strangers = Strangers()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with strangers.place():
                offer = await _offered(reader, writer, name)
        except (TransferError, OSError):
            return
        try:
            if one.locked() or done.done():
                write(writer, refused="another file is being received")
            else:
                async with one:
                    path = await _receive(reader, writer, offer, folder, accept, progress)
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
