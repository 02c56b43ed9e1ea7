"""A network in front of another: the base for those that meter, log, limit or filter."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, TypeVar, cast

from ygg.network.base import Admit, Listener, Network, Watch

logger = logging.getLogger("ygg.network")

D = TypeVar("D", bound=asyncio.DatagramProtocol)


class WrapperDatagrams(asyncio.DatagramTransport):
    """A datagram port in front of `base`. Everything passes as it is; override `incoming()` and `outgoing()`."""

    def __init__(self, base: asyncio.DatagramTransport) -> None:
        super().__init__()
        self._base = base

    def incoming(self, data: bytes, addr: Any) -> bytes | None:
        """Called with each datagram that came, and from where; returns what is delivered instead, None for nothing."""
        return data

    def outgoing(self, data: bytes | bytearray | memoryview, addr: Any) -> bytes | bytearray | memoryview | None:
        """Called with each datagram that is sent, and where to; returns what is sent instead, None for nothing."""
        return data

    def sendto(self, data: bytes | bytearray | memoryview, addr: Any = None) -> None:
        if (passed := self.outgoing(data, addr)) is not None:
            self._base.sendto(passed, addr)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._base.get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self._base.is_closing()

    def close(self) -> None:
        self._base.close()

    def abort(self) -> None:
        self._base.abort()


# A stream is held still until it is handed on, so that a wrapper can be put in front of it at leisure. A datagram port
# has no such moment: it delivers from the first on. So the relay is there before the port is, and asks for the wrapper
# when it is told of it.
class DatagramRelay(asyncio.DatagramProtocol):
    """Stands between a datagram port and its protocol; `passing(transport)` says what stands before the port."""

    def __init__(
        self,
        protocol: asyncio.DatagramProtocol,
        passing: Callable[[asyncio.DatagramTransport], WrapperDatagrams | None],
    ) -> None:
        self._protocol, self._passing = protocol, passing
        self._wrapper: WrapperDatagrams | None = None
        self.transport: asyncio.DatagramTransport | None = None
        """What the protocol was given; None where `passing` raised."""
        self.error: BaseException | None = None
        """What `passing` raised."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        base = cast(asyncio.DatagramTransport, transport)
        try:
            self._wrapper = self._passing(base)
        except Exception as error:
            self.error = error
            base.abort()
            return
        self.transport = self._wrapper or base
        self._protocol.connection_made(self.transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if self.transport is None:
            return
        passed = self._wrapper.incoming(data, addr) if self._wrapper else data
        if passed is not None:
            self._protocol.datagram_received(passed, addr)

    def error_received(self, exc: Exception) -> None:
        if self.transport is not None:
            self._protocol.error_received(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.transport is not None:
            self._protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()


class WrapperNetwork(Network):
    """Passes everything on to `base`; override what you want to see or change.

    Going down breaks what was made through the wrapper and leaves `base` up; each has its own `up()` and `down()`.
    To see every connection, dialed or accepted, override `passing()`; to see what it carries, have that return a
    `WrapperTransport`. `passing_datagrams()` and `WrapperDatagrams` do the same for datagram ports.
    """

    def __init__(self, base: Network) -> None:
        super().__init__()
        self.base = base
        """The network that does the work."""
        self.dial_allowance = base.dial_allowance

    def passing(self, transport: asyncio.Transport, remote: str) -> asyncio.Transport | None:
        """Called with each new connection, held still, before it is returned or accepted.

        Returns what takes its place, such as a `WrapperTransport` in front of it, or None for itself; an exception
        breaks it off.
        """
        return None

    def passing_datagrams(self, transport: asyncio.DatagramTransport) -> WrapperDatagrams | None:
        """Called with each new datagram port; as `passing()`, with a `WrapperDatagrams`."""
        return None

    def watch(self, told: Callable[[], object]) -> Watch:
        return self.base.watch(told)

    async def _resolve(self, host: str) -> list[str]:
        return await self.base.resolve(host)

    async def _connect_stream(
        self, host: str, port: int, source_interface: str | None, timeout: float
    ) -> asyncio.Transport:
        transport = await self.base.connect_stream(host, port, source_interface=source_interface, timeout=timeout)
        return self._pass(transport, f"{host}:{port}")

    async def _listen_stream(
        self, host: str, port: int, source_interface: str | None, backlog: int, admit: Admit
    ) -> Listener:
        base = await self.base.listen_stream(host, port, source_interface=source_interface, backlog=backlog)
        return _WrappedListener(base, self, admit)

    async def _create_datagram_endpoint(
        self,
        protocol_factory: Callable[[], D],
        local_addr: tuple[str, int] | None,
        remote_addr: tuple[str, int] | None,
        source_interface: str | None,
        admit: Admit,
    ) -> tuple[asyncio.DatagramTransport, D]:
        protocol = protocol_factory()
        base, relay = await self.base.create_datagram_endpoint(
            lambda: DatagramRelay(protocol, self.passing_datagrams),
            local_addr,
            remote_addr,
            source_interface=source_interface,
        )
        # Raised here: an exception in connection_made() would go to the event loop's handler and to no caller.
        if relay.error is not None:
            raise relay.error
        admit(base)
        return cast(asyncio.DatagramTransport, relay.transport), protocol

    async def _connect_path(self, path: str, timeout: float) -> asyncio.Transport:
        transport = await self.base.connect_path(path, timeout=timeout)
        return self._pass(transport, path)

    async def _listen_path(self, path: str, backlog: int, admit: Admit) -> Listener:
        return _WrappedListener(await self.base.listen_path(path, backlog=backlog), self, admit)

    def _pass(self, transport: asyncio.Transport, remote: str) -> asyncio.Transport:
        try:
            return self.passing(transport, remote) or transport
        except BaseException:
            transport.abort()
            raise


class _WrappedListener(Listener):
    def __init__(self, base: Listener, network: WrapperNetwork, admit: Admit) -> None:
        self._base, self._network, self._admit = base, network, admit

    @property
    def address(self) -> str:
        return self._base.address

    async def accept(self) -> tuple[asyncio.Transport, str]:
        while True:
            transport, remote = await self._base.accept()
            try:
                self._admit(transport)
                return self._network._pass(transport, remote), remote
            except OSError as error:  # broken off already, and no concern of who accepts
                logger.debug("connection from %s: %s", remote, error)
            except Exception:
                logger.exception("%s failed to pass a connection on", type(self._network).__name__)

    def close(self) -> None:
        self._base.close()

    async def wait_closed(self) -> None:
        await self._base.wait_closed()

    def is_closing(self) -> bool:
        return self._base.is_closing()
