"""Listeners whose connections go through a handshake of the transport's own before they are accepted."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ygg.errors import ListenerClosed, forget_frames
from ygg.network.accept_queue import AcceptQueue
from ygg.network.base import Listener
from ygg.network.crowding import Grouping, Networks, host_of, most_crowded, networks_of

logger = logging.getLogger("ygg.transport")

CONCURRENT = 64
"""Connections on a listener that are in the handshake or wait to be accepted."""

Upgrade = Callable[[asyncio.Transport, str], Awaitable[asyncio.Transport]]
"""Shakes hands over a connection accepted from a remote address, and returns the one inside it."""


class UpgradingListener(Listener):
    """Runs `upgrade(transport, remote)` on the connections of `base`, and yields those that pass.

    A handshake has `seconds` to finish. When all of the `CONCURRENT` places are taken, the oldest handshake in the most
    crowded place makes room, for an honest one needs but a round trip or two: silent clients keep no other out.
    Finished connections that are not accepted keep their places, and what comes then waits in the backlog below.
    """

    def __init__(
        self, base: Listener, upgrade: Upgrade, seconds: float, grouping: Grouping = networks_of
    ) -> None:
        self._base, self._upgrade, self._seconds, self._grouping = base, upgrade, seconds, grouping
        self._ready: AcceptQueue[tuple[asyncio.Transport, str]] = AcceptQueue(1)
        self._places = asyncio.Semaphore(CONCURRENT)
        self._handshakes: dict[asyncio.Task[None], Networks] = {}
        accepting = asyncio.get_running_loop().create_task(self._run())
        self._tasks = {accepting}
        accepting.add_done_callback(self._tasks.discard)

    @property
    def address(self) -> str:
        return self._base.address

    @property
    def handshakes(self) -> int:
        """How many are under way."""
        return len(self._handshakes)

    def is_closing(self) -> bool:
        return self._base.is_closing()

    async def accept(self) -> tuple[asyncio.Transport, str]:
        return await self._ready.get()

    def close(self) -> None:
        self._base.close()
        for transport, _ in self._ready.close():
            transport.abort()
        for task in self._tasks:
            task.cancel()

    async def wait_closed(self) -> None:
        await self._base.wait_closed()
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _run(self) -> None:
        try:
            while True:
                transport, remote = await self._base.accept()
                await self._make_room(transport)
                self._start(transport, remote)
        except ListenerClosed:
            pass
        except OSError as error:
            logger.error("%s: listening no more: %s", self.address, error)
        finally:
            # The network may have closed the base: `accept()` must not wait for a connection that cannot come.
            self.close()

    async def _make_room(self, transport: asyncio.Transport) -> None:
        try:
            if self._places.locked() and self._handshakes:
                logger.debug("%s: too many handshakes: the oldest in the most crowded place makes room", self.address)
                most_crowded(self._handshakes.items()).cancel()
            await self._places.acquire()
        except BaseException:
            transport.abort()
            raise

    def _start(self, transport: asyncio.Transport, remote: str) -> None:
        task = asyncio.get_running_loop().create_task(self._handle(transport, remote))
        self._tasks.add(task)
        self._handshakes[task] = self._grouping(host_of(remote))
        task.add_done_callback(lambda task: self._ended(task, transport))

    def _ended(self, task: asyncio.Task[None], transport: asyncio.Transport) -> None:
        # Here rather than in _handle, which never runs if it is cancelled early.
        self._tasks.discard(task)
        self._handshakes.pop(task, None)
        self._places.release()
        if task.cancelled():
            transport.abort()
        elif (fault := task.exception()) is not None:
            logger.error("%s: a handshake failed as none should", self.address, exc_info=fault)

    async def _handle(self, transport: asyncio.Transport, remote: str) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                upgraded = await self._upgrade(transport, remote)
        except BaseException as error:
            if not transport.is_closing():  # else a last answer is on its way out
                transport.abort()
            if not isinstance(error, OSError | ValueError):
                raise
            logger.debug("%s: handshake with %s: %s", self.address, remote, error or "timed out")
            forget_frames(error)
            return
        task = asyncio.current_task()
        assert task is not None
        self._handshakes.pop(task, None)
        try:
            await self._ready.put((upgraded, remote))
        except BaseException:
            upgraded.abort()
            raise
