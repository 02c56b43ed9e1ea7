"""Calls that the threads of a program make into the event loop of a VTun."""

import asyncio
import concurrent.futures
import errno
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ygg.vtun import VTun
from ygg.vtun.addresses import failure
from ygg_c.base import forks

T = TypeVar("T")

_LOOK = 0.5
"""Seconds after which what waits for a loop looks whether that has been closed."""


def loop_of(vtun: VTun) -> asyncio.AbstractEventLoop:
    """Return the event loop of a VTun; ENETDOWN where it is closed, and `ForkedError` in a child process."""
    forks.check(vtun.made_in)
    loop = vtun.loop
    if loop is None or loop.is_closed():
        raise failure(errno.ENETDOWN, "the event loop of the VTun does not run")
    return loop


def here(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether this thread runs the loop, and would wait for itself."""
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def submit(vtun: VTun, work: Coroutine[Any, Any, T]) -> "concurrent.futures.Future[T]":
    """Begin with `work` in the event loop of `vtun`."""
    try:
        return asyncio.run_coroutine_threadsafe(work, loop_of(vtun))
    except BaseException as error:
        work.close()
        if isinstance(error, RuntimeError) and not isinstance(error, OSError):  # it was closed this moment
            raise failure(errno.ENETDOWN, "the event loop of the VTun does not run") from None
        raise


def wait(vtun: VTun, future: "concurrent.futures.Future[T]") -> T:
    """Return or raise what was begun does. ENETDOWN when the loop ends before; Ctrl-C cancels it."""
    loop = vtun.loop
    try:
        while True:
            try:
                future.exception(_LOOK)     # raises for the wait alone; an error of the work is returned
                return future.result()
            except TimeoutError:
                if future.done():
                    return future.result()
                if loop is None or loop.is_closed():
                    future.cancel()
    except concurrent.futures.CancelledError:
        raise failure(errno.ENETDOWN, "the event loop of the VTun has ended") from None
    except BaseException:
        future.cancel()
        raise


def run(vtun: VTun, work: Coroutine[Any, Any, T]) -> T:
    """Return or raise what `work` does in the event loop of `vtun`.

    In the loop's own thread only work that does not wait can be done; what would is RuntimeError.
    """
    try:
        loop = loop_of(vtun)
    except BaseException:
        work.close()
        raise
    return _at_once(work) if here(loop) else wait(vtun, submit(vtun, work))


def call(vtun: VTun, function: Callable[..., T], *arguments: Any) -> T:
    """Return or raise what a function that does not wait does in the event loop's thread."""

    async def work() -> T:
        return function(*arguments)

    return run(vtun, work())


def later(vtun: VTun, function: Callable[[], object]) -> bool:
    """Have the event loop call a function soon; False where the loop has ended, and in a child process."""
    loop = vtun.loop
    if loop is None or vtun.made_in != forks.current():
        return False
    try:
        loop.call_soon_threadsafe(function)
    except RuntimeError:
        return False    # it is closed, and what the function would end has ended with it
    return True


def _at_once(work: Coroutine[Any, Any, T]) -> T:
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    if inspect.getcoroutinestate(work) == inspect.CORO_SUSPENDED:
        work.close()
    raise RuntimeError("a socket cannot block in the thread of the VTun's event loop, which waits for itself")
