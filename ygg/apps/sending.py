"""The sender's side: a file is offered, and what the other side lacks of it is sent."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ygg.apps.code import Code
from ygg.apps.messages import LONGEST, OPTIONS, PORT, TransferError, read, text, whole, write
from ygg.apps.names import printable
from ygg.apps.partial import CHUNK
from ygg.apps.serving import Strangers, serving

if TYPE_CHECKING:
    from ygg.embed.node import EmbeddedNode

PROOF_WITHIN = 10.0
"""Seconds in which a connection has to show that it has the code."""

Progress = Callable[[int, int], object]
"""Called with the bytes that are over there, or here, and with those of the whole file."""


def _ignore(done: int, size: int) -> None:
    pass


async def send(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: Path, progress: Progress = _ignore
) -> None:
    """Offer a file on a connection, and send what is lacking; returns when the other side has it and has checked it.

    Raises `TransferError`, for a refusal too, and `OSError` when the connection is lost: to be made anew then, for the
    transfer goes on where it was.
    """
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        write(writer, name=path.name, size=size)
        answer = await read(reader)
        _look_for_refusal(answer)
        digest = hashlib.blake2b()
        start = whole(answer, "have")
        if start > size or not await asyncio.to_thread(_same, file, start, text(answer, "digest"), digest):
            start, digest = 0, hashlib.blake2b()
        file.seek(start)
        write(writer, start=start)
        progress(start, size)
        while start < size:
            data = await asyncio.to_thread(file.read, min(CHUNK, size - start))
            if not data:
                raise TransferError(f"{path} has become shorter while it was sent")
            digest.update(data)
            writer.write(data)
            await writer.drain()
            start += len(data)
            progress(start, size)
    write(writer, digest=digest.hexdigest())
    answer = await read(reader)
    _look_for_refusal(answer)
    if answer.get("done") is not True:
        raise TransferError("what came there is not what was sent; send it again")


def _look_for_refusal(answer: dict[str, Any]) -> None:
    if "refused" in answer:
        raise TransferError(f"the other side does not take it: {printable(text(answer, 'refused'))[:200]}")


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise TransferError(f"cannot read {path}: {error.strerror}") from None


def _same(file: BinaryIO, size: int, theirs: str, digest: hashlib.blake2b) -> bool:
    """Have the digest of the first bytes, and tell whether it is theirs."""
    left = size
    while left and (data := file.read(min(CHUNK, left))):
        digest.update(data)
        left -= len(data)
    return not left and digest.hexdigest() == theirs


async def send_by_code(
    node: EmbeddedNode,
    code: Code,
    path: Path,
    progress: Progress = _ignore,
    tell: Callable[[str], object] = print,
    *,
    port: int = PORT,
) -> None:
    """Serve a file, on a node with the code's key, to who shows the code, until it has the whole of it.

    `tell` is given sentences for the person. Who connects anew takes the place of an older connection, which may be
    dead and not know it yet. Raises `TransferError`.
    """
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    transfer: asyncio.Task[None] | None = None
    strangers = Strangers()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal transfer
        try:
            with strangers.place():
                if not await _proven(reader, code.proof(writer.get_extra_info("public_key"))):
                    return
            while transfer is not None and not transfer.done():  # another may have come meanwhile
                transfer.cancel()
                await asyncio.gather(transfer, return_exceptions=True)
            transfer = asyncio.current_task()
            tell("the other side has connected")
            await send(reader, writer, path, progress)
            _settle(done, None)
        except TransferError as error:
            _settle(done, error)
        except OSError as error:
            tell(f"the connection is lost ({error}); it goes on when the other side connects again")
        except asyncio.CancelledError:
            writer.transport.abort()  # or the megabytes that wait in it would still be sent
            raise

    async with serving(node, port, 2 * LONGEST, serve):
        await done


async def _proven(reader: asyncio.StreamReader, expected: str) -> bool:
    """Tell whether a connection shows that it has the code."""
    with contextlib.suppress(OSError, TransferError):
        shown = text(await read(reader, PROOF_WITHIN), "proof")
        return hmac.compare_digest(shown.encode("utf-8", "replace"), expected.encode())
    return False


def _settle(done: asyncio.Future[None], error: TransferError | None) -> None:
    if not done.done():
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)


async def send_to(
    node: EmbeddedNode, address: str, path: Path, progress: Progress = _ignore, *, port: int = PORT, timeout: float = 30
) -> None:
    """Send a file to a node that waits for files at its address. Raises `TransferError` and `OSError`."""
    reader, writer = await node.open_connection(address, port, timeout=timeout, **OPTIONS)
    try:
        await send(reader, writer, path, progress)
    finally:
        writer.close()
