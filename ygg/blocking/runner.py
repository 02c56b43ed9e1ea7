"""LoopThread: an event loop in a thread of its own, for code that blocks.

A call from another thread makes a task there and waits for it on a lock, which a signal interrupts in the main thread:
Ctrl-C cancels the task and raises `KeyboardInterrupt`. Timeouts run in the loop, so that when one is raised nothing of
the call goes on.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self, TypeVar

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
        """Whether calls can be made."""
        return self._loop is not None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop. RuntimeError while it does not run."""
        if self._loop is None:
            raise RuntimeError("the event loop's thread does not run")
        return self._loop

    def start(self) -> None:
        """Start the thread, once. Raises what making the loop raises."""
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error

    def stop(self) -> None:
        """Cancel what still runs, and return when the thread has ended. Idempotent."""
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None:
            loop.call_soon_threadsafe(stop.set)
        if self._thread.ident is not None:
            self._thread.join()

    def run(self, work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run `work` in the loop and return or raise what it does; TimeoutError after `timeout` seconds.

        RuntimeError from the loop's own thread, which would wait for itself, and while it does not run.
        """
        if self._loop is None or threading.current_thread() is self._thread:
            work.close()
            state = "does not run" if self._loop is None else "cannot wait for itself: await"
            raise RuntimeError(f"the event loop's thread {state}")
        future = asyncio.run_coroutine_threadsafe(_limited(work, timeout), self._loop)
        try:
            return future.result()
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
        self._loop = asyncio.get_running_loop()
        self._started.set()
        await self._stop.wait()
        self._loop = None


async def _limited(work: Coroutine[Any, Any, T], timeout: float | None) -> T:
    async with asyncio.timeout(timeout):
        return await work
