"""Opening a TCP connection: done when the handshake is, and given up without a trace."""

import asyncio
import errno

from ygg.errors import from_os_error
from ygg.vtun.addresses import endpoint, failure
from ygg.vtun.registry import Registry
from ygg_c.stack.netstack import NetStack
from ygg_c.tcp.connection import TcpConnection
from ygg_c.tcp.options import TcpOptions

_Local = tuple[bytes | None, int]


class Dial:
    """One connection attempt."""

    def __init__(
        self, stack: NetStack, target: tuple[bytes, int], local: _Local, options: TcpOptions, registry: Registry
    ) -> None:
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
        try:
            await self._waiter
            if connection.error:
                raise failure(connection.error, "connect to [{}]:{}".format(*endpoint(*self._target)))
        except BaseException:
            connection.on_event = None
            connection.abort()
            raise
        finally:
            self._registry.discard(self)
        connection.on_event = None
        return connection

    def _on_event(self, events: int) -> None:
        if not self._waiter.done():
            self._waiter.set_result(None)

    def shut(self, error: BaseException) -> None:
        """The VTun closes."""
        self._connection.abort()
        if not self._waiter.done():
            self._waiter.set_exception(failure(errno.ECONNABORTED, "the VTun was closed"))
