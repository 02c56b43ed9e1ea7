"""An event loop in virtual time: seconds of waiting take none."""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar

from ygg_c.base.clock import VirtualClock

T = TypeVar("T")


class _Selector(selectors.BaseSelector):
    """Looks at once, and has the clock move on instead of waiting."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.clock = VirtualClock()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0 if timeout is not None else None)
        if not ready and timeout is not None:
            self.clock.advance(math.ceil(max(timeout, 0) * 1e9))
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while nothing else happens.

    For programs that wait for timers and for each other: nodes over a `MemoryNetwork` that are given its `clock`, and a
    seeded `random`, run the same way every time. What is given to a thread (`run_in_executor`, `asyncio.to_thread`)
    runs at once, in the loop's own: it must not wait for anything in the loop. Other processes and the system's sockets
    live in real time, so what waits for them sees time fly.

    ::

        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(main())
    """

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    @property
    def clock(self) -> VirtualClock:
        """The loop's clock, for the nodes that run in it."""
        return self._virtual.clock

    def time(self) -> float:
        """Return the loop's time in seconds, which begins at 0."""
        seconds = self.clock.now() / 1e9
        # Timers are due up to a resolution after now: where that is lost in rounding, one due now would never go off.
        self._clock_resolution = max(1e-9, math.ulp(seconds))
        return seconds

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Call `func` now, whatever the executor, so that no time passes meanwhile; return a future that is done."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done
