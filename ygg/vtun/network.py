"""The overlay as a network: what a node offers its programs, offered to another node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, TypeVar, Unpack, cast

from ygg.errors import from_os_error
from ygg.network.accept_queue import AcceptQueue
from ygg.network.base import Admit, Listener, Network
from ygg.stream.held import HoldingProtocol
from ygg.url import host_port
from ygg.vtun.addresses import destination, found
from ygg.vtun.options import OptionArguments

if TYPE_CHECKING:
    from ygg.vtun.server import Server
    from ygg.vtun.vtun import VTun

D = TypeVar("D", bound=asyncio.DatagramProtocol)


class OverlayNetwork(Network):
    """TCP and UDP between overlay addresses, through `vtun`, which stays its owner's to close.

    Hosts are numeric addresses of 200::/7, and names where the VTun has `names`. With it in a `TransportManager`, a
    node peers through another node. `options` are those that TCP connections begin with, in place of the VTun's.
    """

    def __init__(self, vtun: VTun, **options: Unpack[OptionArguments]) -> None:
        super().__init__()
        self._vtun = vtun
        self._options = options

    async def _resolve(self, host: str) -> list[str]:
        return [str(IPv6Address(destination(await found(host, self._vtun.names))))]

    async def _connect_stream(
        self, host: str, port: int, source_interface: str | None, timeout: float
    ) -> asyncio.Transport:
        try:
            async with asyncio.timeout(timeout):
                transport, _ = await self._vtun.create_connection(HoldingProtocol, host, port, **self._options)
        except OSError as error:
            raise from_os_error(error) from None
        return transport

    async def _listen_stream(
        self, host: str, port: int, source_interface: str | None, backlog: int, admit: Admit
    ) -> Listener:
        listener = OverlayListener(admit, backlog)
        server = await self._vtun.create_server(listener.held, host or None, port, backlog=backlog, **self._options)
        listener.attach(server)
        return listener

    async def _create_datagram_endpoint(
        self,
        protocol_factory: Callable[[], D],
        local_addr: tuple[str, int] | None,
        remote_addr: tuple[str, int] | None,
        source_interface: str | None,
        admit: Admit,
    ) -> tuple[asyncio.DatagramTransport, D]:
        made = await self._vtun.create_datagram_endpoint(protocol_factory, local_addr, remote_addr)
        admit(made[0])
        return made


class OverlayListener(Listener):
    """A listener of an `OverlayNetwork`; connections beyond the backlog are reset."""

    def __init__(self, admit: Admit, backlog: int) -> None:
        self._admit = admit
        self._ready: AcceptQueue[asyncio.Transport] = AcceptQueue(backlog)
        self._closed = asyncio.Event()

    def attach(self, server: Server) -> None:
        """Listen with `server`, made with `held` for its protocol factory."""
        self._server = server
        self._address = host_port(*server.sockets[0].getsockname()[:2])

    def held(self) -> HoldingProtocol:
        """Return the protocol of the next connection."""
        return _Arrival(self._arrived)

    def _arrived(self, transport: asyncio.Transport) -> None:
        try:
            self._admit(transport)
        except OSError:
            return  # the network has just gone down: broken already
        if not self._ready.offer(transport):
            _reset(transport)

    @property
    def address(self) -> str:
        return self._address

    async def accept(self) -> tuple[asyncio.Transport, str]:
        transport = await self._ready.get()
        return transport, host_port(*transport.get_extra_info("peername")[:2])

    def close(self) -> None:
        self._server.close()
        for transport in self._ready.close():
            _reset(transport)
        self._closed.set()

    async def wait_closed(self) -> None:
        await self._closed.wait()

    def is_closing(self) -> bool:
        return self._ready.closed


def _reset(transport: asyncio.Transport) -> None:
    """End a connection that was never accepted as a kernel does: its dialer is to know."""
    transport.get_extra_info("options").linger = 0
    transport.abort()


class _Arrival(HoldingProtocol):
    """Holds a connection still and announces it."""

    def __init__(self, announce: Callable[[asyncio.Transport], None]) -> None:
        super().__init__()
        self._announce = announce

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._announce(cast(asyncio.Transport, transport))
