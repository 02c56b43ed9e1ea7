"""ygg.transport.quic.dialing: a connection as its client makes it, or gives it up."""

import asyncio

import pytest

from tests.aio import on_loops
from tests.transport.quic.test_transport import CERTIFICATE, NETWORKS, Babbler, listening
from ygg.errors import ConnectionRefused, ConnectTimeout
from ygg.network import LoopbackNetwork, Network
from ygg.transport import DialOptions, QuicTransport
from ygg.url import PeerURL


@NETWORKS
@on_loops
async def test_nobody_listens(network_type: type[Network]) -> None:
    async with network_type() as network:
        async with listening(network) as (transport, _, url):
            pass
        with pytest.raises(ConnectionRefused):
            await transport.dial(network, url, DialOptions(timeout=1))


@pytest.mark.parametrize(
    "answer", [b"", b"\xff" * 1200, b"HTTP/1.1 400\r\n\r\n", b"\xc0\0\0\0\1\x08aaaaaaaa\x08bbbbbbbb" * 40]
)
@on_loops
async def test_a_server_that_is_silent_or_babbles(answer: bytes) -> None:
    async with LoopbackNetwork() as network:
        port, _ = await network.create_datagram_endpoint(lambda: Babbler(answer), ("127.0.0.1", 0))
        url = PeerURL.parse(f"quic://127.0.0.1:{port.get_extra_info('sockname')[1]}")
        with pytest.raises(ConnectTimeout):
            await QuicTransport(CERTIFICATE).dial(network, url, DialOptions(timeout=0.05))
        dial = asyncio.ensure_future(QuicTransport(CERTIFICATE).dial(network, url, DialOptions()))
        await asyncio.sleep(0.01)
        dial.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dial
