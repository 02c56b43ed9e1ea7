"""Listeners whose connections go through a handshake of the transport's own before anybody accepts them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine

from ygg.errors import ListenerClosed
from ygg.network.base import Listener
from ygg.network.mailbox import Mailbox

logger = logging.getLogger("ygg.transport")

CONCURRENT = 64
"""Handshakes under way at once on a listener; further connections wait in the backlog below."""

Upgrade = Callable[[asyncio.Transport, str], Awaitable[asyncio.Transport]]


class UpgradingListener(Listener):
    """Runs `upgrade(transport, remote)` on the connections of `base`, and yields those that pass.

    A handshake has `seconds` to finish. A slow or silent client holds one of `CONCURRENT` places for that long and
    nothing else; finished connections that nobody accepts hold theirs too.
    """

    def __init__(self, base: Listener, upgrade: Upgrade, seconds: float) -> None:
        self._base, self._upgrade, self._seconds = base, upgrade, seconds
        self._ready: Mailbox[tuple[asyncio.Transport, str]] = Mailbox(1)
        self._places = asyncio.Semaphore(CONCURRENT)
        self._tasks: set[asyncio.Task[None]] = set()
        self._start(self._run())

    @property
    def address(self) -> str:
        return self._base.address

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

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self) -> None:
        try:
            while True:
                await self._places.acquire()
                transport, remote = await self._base.accept()
                self._start(self._handle(transport, remote))
        except ListenerClosed:
            pass
        except OSError as error:
            logger.error("%s: listening no more: %s", self.address, error)
        finally:
            # The network may have closed the base: nobody is to wait for a connection that cannot come.
            self.close()

    async def _handle(self, transport: asyncio.Transport, remote: str) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                upgraded = await self._upgrade(transport, remote)
        except BaseException as error:
            if not transport.is_closing():  # else a last answer is on its way out
                transport.abort()
            self._places.release()
            if not isinstance(error, OSError | ValueError):
                raise
            logger.debug("%s: handshake with %s: %s", self.address, remote, error or "timed out")
            return
        try:
            await self._ready.put((upgraded, remote))
        except BaseException:
            upgraded.abort()
            raise
        finally:
            self._places.release()
