"""Two VTuns on one wire, on asyncio and on uvloop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.aio import LIMIT, LOOPS, factory
from ygg.simulation import Switch
from ygg.vtun import VTun

ADDRESS_A, ADDRESS_B = "200:aaaa::1", "200:bbbb::1"


@dataclass
class Pair:
    """VTun `a` and VTun `b`, joined by `wire`."""

    a: VTun
    b: VTun
    wire: Switch
    address_a: str = ADDRESS_A
    address_b: str = ADDRESS_B


@asynccontextmanager
async def joined(mtu: int = 65535, *, second: str = ADDRESS_B) -> AsyncIterator[Pair]:
    a, b = VTun([ADDRESS_A], mtu), VTun([second], mtu)
    wire = Switch([a.upper, b.upper])
    try:
        yield Pair(a, b, wire, address_b=second)
    finally:
        await a.close(grace=0.2)
        await b.close(grace=0.2)
        wire.close()


def runner(loop: str) -> Callable[..., Any]:
    """Return what runs a test's coroutine function with a Pair on a loop of this kind, in debug mode.

    What reaches the loop's exception handler fails the test.
    """

    def run(main: Callable[[Pair], Awaitable[Any]], mtu: int = 65535, expect: int = 0) -> list[dict[str, Any]]:
        reported: list[dict[str, Any]] = []

        async def whole() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
            async with joined(mtu) as pair:
                async with asyncio.timeout(LIMIT):
                    await main(pair)

        with asyncio.Runner(debug=True, loop_factory=factory(loop)) as running:
            running.run(whole())
        assert len(reported) == expect, reported
        return reported

    return run


@pytest.fixture(params=LOOPS)
def with_pair(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Run a test's coroutine function with a Pair, on each kind of loop: see `runner`."""
    return runner(request.param)
