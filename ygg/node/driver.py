"""The host of an engine in an event loop: gives a node, or a stack without one, its turns when they are due."""

from __future__ import annotations

import asyncio

from ygg_c.base.clock import Clock
from ygg_c.io.pump import run_turn
from ygg_c.node.node import Node
from ygg_c.stack.netstack import NetStack


class Driver:
    """Gives an engine its turns: soon after it has asked for one, and at its deadline. One timer, whatever waits."""

    def __init__(self, engine: Node | NetStack, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._engine, self._clock = engine, clock
        self.loop = loop
        """The event loop in which the turns run."""
        self._soon: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._when = 0.0
        engine.on_work = self.wake

    def wake(self) -> None:
        """Have a turn run in the loop's next round."""
        # What is thrown away after the loop has ended may still ask.
        if self._soon is None and not self.loop.is_closed():
            self._soon = self.loop.call_soon(self._turn)

    def close(self) -> None:
        """Run no more turns."""
        self._engine.on_work = None
        for handle in (self._soon, self._timer):
            if handle is not None:
                handle.cancel()

    def _due(self) -> None:
        self._timer = None
        self._turn()

    def _turn(self) -> None:
        self._soon = None
        delay = run_turn(self._engine, self._clock)
        if delay is None:
            return
        when = self.loop.time() + delay / 1e9
        # A timer that rings too early costs one empty turn; moving it at every turn would cost more.
        if self._timer is not None and self._when <= when:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._when = when
        self._timer = self.loop.call_at(when, self._due)
