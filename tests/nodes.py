"""Nodes for tests: small identities, networks of memory, and strangers who speak bytes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Self

from ygg import Certificate, Core, Network, TCPTransport, TransportManager
from ygg.stream.held import take_over
from ygg.testing import private_key
from ygg.transport import TLSTransport


def manager(network: Network, certificate: Certificate | None = None) -> TransportManager:
    """Return a manager of tcp, and of tls where there is a certificate."""
    made = TransportManager(network)
    made.register(TCPTransport())
    if certificate is not None:
        made.register(TLSTransport(certificate))
    return made


@contextlib.asynccontextmanager
async def node(number: int, network: Network, **options: Any) -> AsyncIterator[Core]:
    """Run a node with the key of `number`."""
    certificate = Certificate(private_key(number))
    async with Core(certificate, manager(network, certificate), **options) as core:
        yield core


def ups(core: Core) -> list[bytes]:
    """Return the keys of the peers that are up."""
    return [peer.key for peer in core.peers() if peer.up and peer.key]


class Stranger(asyncio.Protocol):
    """The other end of a node's listener, byte by byte."""

    def __init__(self) -> None:
        self.data = b""
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def at(cls, network: Network, address: str) -> Self:
        """Connect to a listener's address."""
        host, _, port = address.rpartition(":")
        stranger = cls()
        stranger.transport = await network.connect_stream(host.strip("[]"), int(port))
        take_over(stranger.transport, stranger)
        return stranger

    transport: asyncio.Transport

    def data_received(self, data: bytes) -> None:
        self.data += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)
