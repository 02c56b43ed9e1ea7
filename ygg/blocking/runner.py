"""LoopThread: an event loop in a thread of its own, for code that blocks.

A call from another thread makes a task there and waits for it on a lock, which a signal interrupts in the main thread:
Ctrl-C cancels the task and raises `KeyboardInterrupt`. Timeouts run in the loop, so that when one is raised nothing of
the call goes on. A call is handed to the loop under a lock, which the loop takes before it ends: each call is either
refused, or one of those that the end cancels, and none waits for a loop that has gone.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self, TypeVar

from ygg_c.base import forks

T = TypeVar("T")


class LoopThread:
    """A thread with an event loop, running while entered. `loop_factory` makes the loop, asyncio's by default."""

    def __init__(
        self, name: str = "ygg loop", *, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    ) -> None:
        self._loop_factory = loop_factory
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._error: BaseException | None = None
        # Re-entrant: collecting garbage may make a call while this thread makes one.
        self._lock = threading.RLock()
        self._ended = False
        self._made_in = forks.current()
        self._started = threading.Event()
        # A program that forgets to stop it can end all the same.
        self._thread = threading.Thread(target=self._main, name=name, daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether calls can be made: not in a child process, which has no such thread."""
        return self._loop is not None and self._made_in == forks.current()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop. RuntimeError while it does not run."""
        forks.check(self._made_in)
        if self._loop is None:
            raise RuntimeError("the event loop's thread does not run")
        return self._loop

    def start(self) -> None:
        """Start the thread, once. Raises what making the loop raises."""
        self._made_in = forks.current()
        try:
            self._thread.start()
            self._started.wait()
        except KeyboardInterrupt:
            self.stop()
            raise
        if self._error is not None:
            self._thread.join()
            raise self._error

    def stop(self) -> None:
        """Cancel what still runs, and return when the thread has ended. Idempotent; does nothing in a child process."""
        if self._made_in != forks.current():
            return
        with self._lock:
            self._ended = True
            if self._loop is not None and self._stop is not None:
                self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread.ident is not None:
            self._thread.join()

    def run(self, work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run `work` in the loop and return or raise what it does; TimeoutError after `timeout` seconds.

        RuntimeError from the loop's own thread, which would wait for itself, and while it does not run;
        `ForkedError` in a child process.
        """
        try:
            forks.check(self._made_in)
            if threading.current_thread() is self._thread:
                raise RuntimeError("the event loop's thread cannot wait for itself: await")
            with self._lock:
                loop = self.loop
                future = asyncio.run_coroutine_threadsafe(_limited(work, timeout), loop)
        except BaseException:
            work.close()
            raise
        try:
            return future.result()
        except concurrent.futures.CancelledError:  # by the end of the loop, perhaps before the work has begun
            if inspect.getcoroutinestate(work) == inspect.CORO_CREATED:
                work.close()
            raise
        except BaseException:
            future.cancel()  # of KeyboardInterrupt: the call itself has ended otherwise
            raise

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function that does not block in the loop's thread; return or raise what it does."""

        async def work() -> T:
            return function(*arguments)

        return self.run(work())

    def _main(self) -> None:
        try:
            with asyncio.Runner(loop_factory=self._loop_factory) as runner:
                runner.run(self._live())
        except BaseException as error:
            self._error = error
        finally:
            self._loop = None
            self._started.set()

    async def _live(self) -> None:
        self._stop = asyncio.Event()
        with self._lock:
            if self._ended:
                return
            self._loop = asyncio.get_running_loop()
        self._started.set()
        await self._stop.wait()
        with self._lock:
            self._loop = None


async def _limited(work: Coroutine[Any, Any, T], timeout: float | None) -> T:
    async with asyncio.timeout(timeout):
        return await work
