"""Running coroutines in tests, in debug mode and with a limit.

There are three ways, and no test runs a loop of its own: a test that is an `async def` is marked `on_loops`, or
`in_virtual_time` where it waits for timers alone; one that has to do something before or after calls `run()`.
"""

import asyncio
import functools
import gc
import inspect
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

from ygg.simulation import VirtualLoop

T = TypeVar("T")

LIMIT = 60.0
"""Seconds after which a test that hangs fails; no test takes a tenth of it."""

LOOPS = ("asyncio", "uvloop")


def run(coro: Coroutine[Any, Any, T], loop: str = "asyncio") -> T:
    """Run `coro` on a fresh loop in debug mode and return its result; what reached the loop's handler fails the test.

    `loop` is one of `LOOPS`, or "virtual": in virtual time waiting takes none, and any number of seconds may pass.
    What is left behind is looked for after every test, see conftest.
    """
    complaints: list[str] = []
    with asyncio.Runner(debug=True, loop_factory=factory(loop)) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: complaints.append(_describe(context)))
        result = runner.run(coro if loop == "virtual" else _limited(coro))
    gc.collect()
    assert not complaints, "\n".join(complaints)
    return result


def on_loops(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a test of an `async def`: once on asyncio, once on uvloop."""

    @functools.wraps(test)
    def wrapper(loop: str, **arguments: Any) -> None:
        run(test(**arguments), loop)

    signature = inspect.signature(test)
    extra = inspect.Parameter("loop", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    del wrapper.__wrapped__
    wrapper.__signature__ = signature.replace(parameters=[extra, *signature.parameters.values()])  # type: ignore[attr-defined]
    return pytest.mark.parametrize("loop", LOOPS)(wrapper)


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make a test of an `async def` that waits for timers: they take no time. `asyncio` alone can do that."""

    @functools.wraps(test)
    def wrapper(*arguments: Any, **named: Any) -> None:
        run(test(*arguments, **named), "virtual")

    return wrapper


async def settle(turns: int = 10) -> None:
    """Let the loop run what is ready, and what that makes ready."""
    for _ in range(turns):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object]) -> None:
    """Return once `condition()` is true; the run's limit fails a condition that never is."""
    while not condition():
        await asyncio.sleep(0.001)


async def _limited(coro: Coroutine[Any, Any, T]) -> T:
    async with asyncio.timeout(LIMIT):
        return await coro


def factory(loop: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes a loop of a kind; without uvloop its tests are skipped."""
    if loop == "virtual":
        return VirtualLoop
    if loop == "asyncio":
        return asyncio.new_event_loop
    pytest.importorskip("uvloop")
    return _watched_uvloop()


@functools.cache
def _watched_uvloop() -> Callable[[], asyncio.AbstractEventLoop]:
    import uvloop

    class Loop(uvloop.Loop):
        """uvloop's, showing the timers it holds where asyncio's does: in `_scheduled`."""

        __module__ = uvloop.Loop.__module__     # some tests ask where a loop comes from

        def __init__(self) -> None:
            super().__init__()
            self._scheduled: weakref.WeakSet[Any] = weakref.WeakSet()

        def call_later(self, delay: float, callback: Callable[..., object], *args: Any, context: Any = None) -> Any:  # type: ignore[override]
            def fire() -> None:
                self._scheduled.discard(handle)
                callback(*args)

            handle = super().call_later(delay, fire, context=context)
            self._scheduled.add(handle)
            return handle

    return Loop


def _describe(context: dict[str, Any]) -> str:
    return f"{context.get('message')}: {context.get('exception')!r}"
