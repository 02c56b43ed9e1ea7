"""Messages between the programs: a JSON object on a line, of limited length, with limited time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from ygg.errors import YggError

LONGEST = 4096
"""Bytes of a line."""

PORT = 31079
"""Where files are offered and taken, on the overlay."""

OPTIONS: dict[str, Any] = {
    "keepalive": True, "keepalive_idle": 10, "keepalive_interval": 5, "keepalive_count": 3, "user_timeout": 30.0,
}  # fmt: skip
"""Of connections: the other side may be asked for minutes, and is gone when it does not answer for half a minute."""


class TransferError(YggError):
    """A transfer cannot go on, and to try again does not help."""

    text = "the other side speaks nonsense"


async def read(reader: asyncio.StreamReader, timeout: float | None = None) -> dict[str, Any]:
    """Return the next message.

    Raises `TransferError` for what is none, `ConnectionError` at the end of the stream, `TimeoutError`.
    """
    try:
        async with asyncio.timeout(timeout):
            line = await reader.readuntil(b"\n")
    except TimeoutError:
        raise TimeoutError("the other side says nothing") from None
    except asyncio.IncompleteReadError:
        raise ConnectionResetError("the other side has ended the connection") from None
    except asyncio.LimitOverrunError:
        raise TransferError from None
    if len(line) > LONGEST:
        raise TransferError
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise TransferError from None
    if not isinstance(message, dict):
        raise TransferError
    return message


def write(writer: asyncio.StreamWriter, **message: Any) -> None:
    """Send a message."""
    writer.write(json.dumps(message).encode() + b"\n")


def whole(message: dict[str, Any], name: str) -> int:
    """Return a member that is a number of bytes. Raises `TransferError`."""
    value = message.get(name)
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise TransferError
    return value


def text(message: dict[str, Any], name: str) -> str:
    """Return a member that is a string. Raises `TransferError`."""
    value = message.get(name)
    if not isinstance(value, str):
        raise TransferError
    return value
