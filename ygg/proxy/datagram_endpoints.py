"""Where datagrams come in, and where they are led: a UDP port of the system, or one of the overlay."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from ygg.errors import from_os_error
from ygg.names import Names, named
from ygg.network.native.resolver import resolve
from ygg.network.native.sockets import datagram_socket, wildcard

if TYPE_CHECKING:
    from ygg.vtun import VTun
    from ygg.vtun.addresses import Host

Factory = Callable[[], asyncio.DatagramProtocol]
"""Makes the protocol of a port."""


class DatagramEndpoint(ABC):
    """A place to receive datagrams at, or to send them to."""

    @abstractmethod
    async def bind(self, factory: Factory) -> asyncio.DatagramTransport:
        """Return a port that takes datagrams of all, with a protocol of `factory`. Raises an OSError."""

    @abstractmethod
    async def connect(self, factory: Factory) -> asyncio.DatagramTransport:
        """Return a new port that is joined to this place and hears of no other. Raises an OSError."""


class UdpEndpoint(DatagramEndpoint):
    """A UDP port of the system: an address or a name, which is resolved when it is used."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        """Where; an empty host is every IPv6 and IPv4 address, and port 0 a free one, to receive at."""

    def __repr__(self) -> str:
        return f"udp({self.host!r}, {self.port})"

    async def bind(self, factory: Factory) -> asyncio.DatagramTransport:
        host = (await resolve(self.host))[0] if self.host else wildcard()
        return await _open(factory, local=(host, self.port))

    async def connect(self, factory: Factory) -> asyncio.DatagramTransport:
        return await _open(factory, remote=((await resolve(self.host))[0], self.port))


async def _open(
    factory: Factory, local: tuple[str, int] | None = None, remote: tuple[str, int] | None = None
) -> asyncio.DatagramTransport:
    """Open a port of the system; not by the loop alone, as uvloop's keeps a socket that it could not bind."""
    try:
        sock = datagram_socket(local, remote, None)
    except OSError as error:
        raise from_os_error(error) from None
    try:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(factory, sock=sock)
    except BaseException:
        sock.close()
        raise
    return transport


class OverlayUdpEndpoint(DatagramEndpoint):
    """A UDP port of the overlay, by a VTun, which stays its owner's to close.

    With `names` a port to send to may be one of a host by its name, which is resolved for each flow.
    """

    def __init__(self, vtun: VTun, host: Host | None = None, port: int = 0, *, names: Names | None = None) -> None:
        self._names = names
        self.vtun, self.host, self.port = vtun, host, port
        """The network; where, None to receive at all addresses of the VTun, port 0 at a free one."""

    def __repr__(self) -> str:
        return f"overlay_udp({self.host!r}, {self.port})"

    async def bind(self, factory: Factory) -> asyncio.DatagramTransport:
        transport, _ = await self.vtun.create_datagram_endpoint(factory, (self.host or "::", self.port))
        return transport

    async def connect(self, factory: Factory) -> asyncio.DatagramTransport:
        if self.host is None:
            raise ValueError("overlay_udp() without a host is a place to receive at alone")
        host = await named(self._names, self.host) or self.host
        transport, _ = await self.vtun.create_datagram_endpoint(factory, remote_addr=(host, self.port))
        return transport


def udp(host: str, port: int) -> UdpEndpoint:
    """Return the endpoint of a UDP port of the system."""
    return UdpEndpoint(host, port)


def overlay_udp(
    vtun: VTun, host: Host | None = None, port: int = 0, *, names: Names | None = None
) -> OverlayUdpEndpoint:
    """Return the endpoint of a UDP port of the overlay; `host` is an address, a public key, or with `names` a name."""
    return OverlayUdpEndpoint(vtun, host, port, names=names)
