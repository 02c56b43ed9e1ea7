"""How a check says what it expects."""

import asyncio
from collections.abc import Awaitable

from ygg.errors import YggError


async def ends(reader: asyncio.StreamReader) -> None:
    """See a stream end, cleanly or not."""
    try:
        async with asyncio.timeout(5):
            equal(await reader.read(), b"")
    except ConnectionError:
        pass


async def gives_up(what: Awaitable[object]) -> bool:
    """Wait for something a little while; tell whether it was not over then."""
    try:
        async with asyncio.timeout(0.01):
            await what
    except TimeoutError:
        return True
    return False


async def fails(what: Awaitable[object], *kinds: type[Exception]) -> None:
    """Fail unless something ends, within five seconds, with an error of these kinds that is one of ygg too."""
    try:
        async with asyncio.timeout(5):
            got = await what
    except kinds as error:
        ensure(isinstance(error, YggError), f"{error!r} is no YggError")
        return
    raise AssertionError(f"expected {' or '.join(kind.__name__ for kind in kinds)}, got {got!r}")


def equal(got: object, expected: object) -> None:
    """Fail unless both are equal."""
    ensure(got == expected, f"expected {expected!r:.200}, got {got!r:.200}")


def ensure(condition: bool, text: str) -> None:
    """Fail with a text unless a condition holds; `assert` is left out where Python optimizes."""
    if not condition:
        raise AssertionError(text)
