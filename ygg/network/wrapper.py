"""A network in front of another: the base for those that meter, log, limit or filter."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from ygg.network.base import BACKLOG, DIAL_TIMEOUT, Listener, Network

D = TypeVar("D", bound=asyncio.DatagramProtocol)


class WrapperNetwork(Network):
    """Passes everything on to `base`; override what you want to see or change.

    Going down breaks what was made through the wrapper and leaves `base` up; each has its own `up()` and `down()`.
    To see every connection, dialed or accepted, override `passing()`.
    """

    def __init__(self, base: Network) -> None:
        super().__init__()
        self.base = base
        self.dial_allowance = base.dial_allowance

    def passing(self, transport: asyncio.Transport, remote: str) -> None:
        """Called with each new connection before anyone else gets it; an exception breaks the connection."""

    async def resolve(self, host: str) -> list[str]:
        return await self.base.resolve(host)

    async def connect_stream(
        self, host: str, port: int, *, source_interface: str | None = None, timeout: float = DIAL_TIMEOUT
    ) -> asyncio.Transport:
        token = self._enter(port)
        transport = await self.base.connect_stream(host, port, source_interface=source_interface, timeout=timeout)
        self._pass(transport, f"{host}:{port}", token)
        return transport

    async def listen_stream(
        self, host: str, port: int, *, source_interface: str | None = None, backlog: int = BACKLOG
    ) -> Listener:
        token = self._enter(port)
        base = await self.base.listen_stream(host, port, source_interface=source_interface, backlog=backlog)
        return self._listening(base, token)

    async def create_datagram_endpoint(
        self,
        protocol_factory: Callable[[], D],
        local_addr: tuple[str, int] | None = None,
        remote_addr: tuple[str, int] | None = None,
        *,
        source_interface: str | None = None,
    ) -> tuple[asyncio.DatagramTransport, D]:
        token = self._enter(*(end[1] for end in (local_addr, remote_addr) if end))
        made = await self.base.create_datagram_endpoint(
            protocol_factory, local_addr, remote_addr, source_interface=source_interface
        )
        self._admit(made[0], token)
        return made

    async def connect_path(self, path: str, *, timeout: float = DIAL_TIMEOUT) -> asyncio.Transport:
        token = self._enter()
        transport = await self.base.connect_path(path, timeout=timeout)
        self._pass(transport, path, token)
        return transport

    async def listen_path(self, path: str, *, backlog: int = BACKLOG) -> Listener:
        token = self._enter()
        return self._listening(await self.base.listen_path(path, backlog=backlog), token)

    def _listening(self, base: Listener, token: int) -> Listener:
        def admit(transport: asyncio.Transport, remote: str) -> None:
            self._pass(transport, remote, token)

        listener = _WrappedListener(base, admit)
        self._admit(listener, token)
        return listener

    def _pass(self, transport: asyncio.Transport, remote: str, token: int) -> None:
        self._admit(transport, token)
        try:
            self.passing(transport, remote)
        except BaseException:
            transport.abort()
            raise


class _WrappedListener(Listener):
    def __init__(self, base: Listener, admit: Callable[[asyncio.Transport, str], None]) -> None:
        self._base, self._admit = base, admit

    @property
    def address(self) -> str:
        return self._base.address

    async def accept(self) -> tuple[asyncio.Transport, str]:
        while True:
            transport, remote = await self._base.accept()
            try:
                self._admit(transport, remote)
            except OSError:
                continue  # refused by the wrapper: broken already, and no concern of who accepts
            return transport, remote

    def close(self) -> None:
        self._base.close()

    async def wait_closed(self) -> None:
        await self._base.wait_closed()

    def is_closing(self) -> bool:
        return self._base.is_closing()
