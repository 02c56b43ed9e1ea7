"""ygg.transport.quic.link: a QUIC connection that carries one byte stream."""

import asyncio
from typing import Any

import pytest
from aioquic.quic.connection import QuicConnection

from tests.aio import on_loops, run, until
from tests.transport.quic.test_transport import NETWORKS, connected
from ygg.network import LoopbackNetwork, Network, take_over
from ygg.network.streams import streams
from ygg.transport.quic import link as quic_link
from ygg.transport.quic import transport as quic_transport


@NETWORKS
@on_loops
async def test_an_abort_ends_both_sides(network_type: type[Network]) -> None:
    async with network_type() as network, connected(network) as (client, server):
        reader, _ = streams(server)
        client.abort()
        assert await reader.read() == b"!"
        assert client.is_closing()


def test_a_protocol_that_raises_ends_the_connection() -> None:
    class Faulty(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            raise ZeroDivisionError

    async def main() -> list[Any]:
        complaints: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["exception"]))
        async with LoopbackNetwork() as network, connected(network) as (_, server):
            take_over(server, Faulty())
            await until(server.is_closing)
        return complaints

    assert [type(error) for error in run(main())] == [ZeroDivisionError]


@NETWORKS
@on_loops
async def test_a_network_that_goes_down_ends_everything(network_type: type[Network]) -> None:
    async with network_type() as network, connected(network) as (client, server):
        network.down()
        await until(lambda: client.is_closing() and server.is_closing())


@on_loops
async def test_keeping_a_connection_from_idling_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quic_link, "KEEPALIVE", 0.02)
    monkeypatch.setattr(quic_transport, "IDLE_TIMEOUT", 0.2)
    sent = []
    ping = QuicConnection.send_ping
    monkeypatch.setattr(QuicConnection, "send_ping", lambda self, uid: (sent.append(uid), ping(self, uid))[1])
    async with LoopbackNetwork() as network, connected(network) as (client, server):
        await until(lambda: len(sent) > 40 or client.is_closing())     # both ends: twice the time of idling out
        assert not client.is_closing()
        assert not server.is_closing()
