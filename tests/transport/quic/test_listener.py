"""ygg.transport.quic.listener: connections that come to one datagram port."""

import pytest

from tests.aio import on_loops, until
from tests.transport.quic.test_transport import CERTIFICATE, listening
from ygg.errors import ListenerClosed
from ygg.network import LoopbackNetwork, NativeNetwork
from ygg.network.streams import streams
from ygg.transport import DialOptions, ListenOptions, QuicTransport
from ygg.transport.quic import listener as quic_listener
from ygg.url import PeerURL


@on_loops
async def test_a_client_that_opens_no_stream_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quic_listener, "DIAL_TIMEOUT", 0.05)
    async with LoopbackNetwork() as network, listening(network) as (transport, _, url):
        client = await transport.dial(network, url, DialOptions())
        await until(client.is_closing)


@on_loops
async def test_connections_nobody_accepts_are_bounded() -> None:
    async with LoopbackNetwork() as network:
        transport = QuicTransport(CERTIFICATE)
        listener = await transport.listen(network, PeerURL.parse("quic://127.0.0.1:0"), ListenOptions(backlog=1))
        url = PeerURL.parse(f"quic://{listener.address}")
        clients = [await transport.dial(network, url, DialOptions()) for _ in range(3)]
        for client in clients:
            client.write(b"x")
        await until(lambda: sum(client.is_closing() for client in clients) == 2)
        listener.close()
        await until(lambda: all(client.is_closing() for client in clients))
        await listener.wait_closed()
        with pytest.raises(ListenerClosed):
            await listener.accept()


@on_loops
async def test_what_was_accepted_outlives_the_listener() -> None:
    async with LoopbackNetwork() as network:
        async with listening(network) as (transport, listener, url):
            client = await transport.dial(network, url, DialOptions())
            client.write(b"x")
            server, _ = await listener.accept()
        (_, writer), (reader, _) = streams(client), streams(server)
        writer.write(b" still here\n")
        assert await reader.readline() == b"x still here\n"


@on_loops
async def test_an_ipv4_client_of_a_wildcard_listener_has_a_plain_address() -> None:
    async with NativeNetwork() as network:
        transport = QuicTransport(CERTIFICATE)
        listener = await transport.listen(network, PeerURL.parse("quic://[::]:0"), ListenOptions())
        port = int(listener.address.rpartition(":")[2])
        client = await transport.dial(network, PeerURL.parse(f"quic://127.0.0.1:{port}"), DialOptions())
        client.write(b"x")
        server, remote = await listener.accept()
        assert remote.startswith("127.0.0.1:")
        server.abort()
        client.abort()
        listener.close()
