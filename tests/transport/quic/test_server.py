"""ygg.transport.quic.server: whatever comes to a port, it goes on, and who comes to a crowded one shows its address."""

import asyncio
import os
import ssl
from typing import Any

import pytest
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.packet import QuicProtocolVersion
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate

from tests.aio import in_virtual_time, settle
from ygg.identity.certificate import Certificate
from ygg.network import LoopbackNetwork
from ygg.transport.quic.link import QuicLink
from ygg.transport.quic.server import TOKEN_TIME, RetryingServer

CERTIFICATE = Certificate.generate()
VERSION: list[int] = [QuicProtocolVersion.VERSION_1]
RETRY = 0x30
"""The type of a Retry packet, in the first byte (RFC 9000, 17.2.5)."""


class Acceptor:
    """A listener that the test makes crowded."""

    def __init__(self) -> None:
        self.crowded = False
        self.ports: list[Any] = []
        self.links: list[QuicLink] = []
        self.losses = 0

    def bound(self, transport: asyncio.DatagramTransport) -> None:
        self.ports.append(transport)

    def lost(self) -> None:
        self.losses += 1

    def connection(self, quic: QuicConnection, **_: object) -> QuicLink:
        self.links.append(QuicLink(quic, ("127.0.0.1", 1), lambda link: None))
        return self.links[-1]


class Client(asyncio.DatagramProtocol):
    """Sends first packets, and keeps what comes back."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.got.append(data)

    def knock(self) -> None:
        """Send the first packet of a new connection."""
        quic = QuicConnection(configuration=QuicConfiguration(
            is_client=True, supported_versions=VERSION, verify_mode=ssl.CERT_NONE,
        ))
        quic.connect(("127.0.0.1", 1), now=0.0)
        for data, _ in quic.datagrams_to_send(now=0.0):
            self.transport.sendto(data)


class Bench:
    """A server at a port, and a client that knows the port."""

    async def start(self, network: LoopbackNetwork) -> None:
        self.acceptor = Acceptor()
        configuration = QuicConfiguration(
            is_client=False, supported_versions=VERSION,
            certificate=load_pem_x509_certificate(CERTIFICATE.certificate_pem),
            private_key=load_pem_private_key(CERTIFICATE.private_key_pem, None),
        )
        self.server = RetryingServer(configuration, self.acceptor)
        port, _ = await network.create_datagram_endpoint(lambda: self.server, ("127.0.0.1", 0))
        _, self.client = await network.create_datagram_endpoint(Client, remote_addr=port.get_extra_info("sockname"))
        self.port = port

    async def knock(self) -> bool:
        """Have a new connection begin; tell whether it is asked for a token."""
        before = len(self.acceptor.links)
        self.client.got.clear()
        self.client.knock()
        await settle()
        if len(self.acceptor.links) > before:
            self.acceptor.links[-1].discard()
            await settle()
            return False
        assert self.client.got[0][0] & 0xF0 == 0xC0 | RETRY
        return True


@in_virtual_time
async def test_its_port_is_told_and_its_loss() -> None:
    async with LoopbackNetwork() as network:
        bench = Bench()
        await bench.start(network)
        assert bench.acceptor.ports == [bench.port]
        bench.port.abort()
        await settle()
        assert bench.acceptor.losses == 1


@in_virtual_time
async def test_who_comes_to_a_crowded_listener_has_to_bring_a_token() -> None:
    async with LoopbackNetwork() as network:
        bench = Bench()
        await bench.start(network)
        assert not await bench.knock()
        bench.acceptor.crowded = True
        assert await bench.knock()
        assert len(bench.acceptor.links) == 1       # it takes no place


@in_virtual_time
async def test_tokens_are_asked_for_as_long_as_one_is_valid() -> None:
    async with LoopbackNetwork() as network:
        bench = Bench()
        await bench.start(network)
        bench.acceptor.crowded = True
        assert await bench.knock()
        bench.acceptor.crowded = False
        await asyncio.sleep(TOKEN_TIME - 1)
        assert await bench.knock()
        await asyncio.sleep(2)
        assert not await bench.knock()


@pytest.mark.parametrize("crowded", [False, True])
@in_virtual_time
async def test_nonsense_is_borne(crowded: bool) -> None:
    async with LoopbackNetwork() as network:
        bench = Bench()
        await bench.start(network)
        bench.acceptor.crowded = crowded
        for first in (0x00, 0x40, 0x80, 0xC0, 0xF0, 0xFF):
            for size in (0, 1, 7, 30, 1199, 1400):
                bench.server.datagram_received(bytes([first]) + os.urandom(size), ("127.0.0.1", 5))
        bench.server.datagram_received(b"", ("127.0.0.1", 5))
        for link in bench.acceptor.links:
            link.discard()
        bench.acceptor.links.clear()
        bench.acceptor.crowded = False
        await asyncio.sleep(TOKEN_TIME + 1)
        assert not await bench.knock()
