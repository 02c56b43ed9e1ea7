"""Opening a TCP connection: done when the handshake is, and given up without a trace.

TCP itself gives up after two minutes, for a network may be away for as long. Without any peer there is nothing to wait
for but one that is just being dialed: the attempt fails when there was none for some seconds in a row. A lookup that
has no answer is repeated all the time, and nodes that are there answer within seconds, those whose links have just come
up too: the attempt fails when there was none for longer. Once a lookup is answered TCP's own rules hold.
"""

import asyncio
import errno

from ygg.errors import NoPeerError, from_os_error
from ygg.vtun.addresses import endpoint, failure
from ygg.vtun.registry import Registry
from ygg_c.stack.netstack import NetStack
from ygg_c.tcp.connection import TcpConnection
from ygg_c.tcp.options import TcpOptions

_Local = tuple[bytes | None, int]


LOOK = 1.0
"""Seconds between two looks at how far the way is known."""
LOOKS = 3
"""Looks in a row that find no peer, after which the attempt fails."""
LOOKUP_LOOKS = 20
"""Looks in a row that find a lookup without an answer, after which the attempt fails."""


class Dial:
    """One connection attempt."""

    def __init__(
        self, stack: NetStack, target: tuple[bytes, int], local: _Local, options: TcpOptions, registry: Registry
    ) -> None:
        registry.reach.check_served(target[0], errno.ECONNREFUSED)
        try:
            self._connection = stack.connect(*target, *local, options)
        except OSError as error:
            raise from_os_error(error) from None
        self._target = target
        self._registry = registry
        self._waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> TcpConnection:
        """Return the established connection; cancelling frees the attempt at once."""
        connection = self._connection
        connection.on_event = self._on_event
        self._registry.add(self)
        self._alone = self._unanswered = 0
        self._look_later()
        try:
            await self._waiter
            if connection.error == errno.ETIMEDOUT:
                raise self._registry.reach.timed_out(self._target[0], self._doing)
            if connection.error:
                raise failure(connection.error, self._doing)
        except BaseException:
            connection.on_event = None
            connection.abort()
            raise
        finally:
            self._timer.cancel()
            self._registry.discard(self)
        connection.on_event = None
        return connection

    @property
    def _doing(self) -> str:
        return "connect to [{}]:{}".format(*endpoint(*self._target))

    def _look_later(self) -> None:
        self._timer = self._waiter.get_loop().call_later(LOOK, self._look)

    def _look(self) -> None:
        reach = self._registry.reach
        state = reach.state(self._target[0])
        self._alone = self._alone + 1 if state == "no_peer" else 0
        self._unanswered = self._unanswered + 1 if state in ("no_key", "no_path") else 0
        if self._alone >= LOOKS:
            self._fail(NoPeerError(f"{NoPeerError.text}: {self._doing}"))
        elif self._unanswered >= LOOKUP_LOOKS:
            self._fail(reach.timed_out(self._target[0], self._doing))
        else:
            self._look_later()

    def _fail(self, error: OSError) -> None:
        if not self._waiter.done():
            self._waiter.set_exception(error)

    def _on_event(self, events: int) -> None:
        if not self._waiter.done():
            self._waiter.set_result(None)

    def shut(self, error: BaseException) -> None:
        """The VTun closes."""
        self._connection.abort()
        if not self._waiter.done():
            self._waiter.set_exception(failure(errno.ECONNABORTED, "the VTun was closed"))
