"""ygg.transport.unix: unix:///path."""

import asyncio
from pathlib import Path

import pytest

from tests.aio import on_loops, until
from ygg import Certificate, Core
from ygg.errors import BlockedHostError, OperationNotSupported, URLError
from ygg.network import LoopbackNetwork, NativeNetwork
from ygg.network.streams import streams
from ygg.transport import TransportManager, UnixTransport


@on_loops
async def test_a_connection_crosses_and_each_client_is_its_own(tmp_path: Path) -> None:
    async with NativeNetwork() as network:
        manager = TransportManager(network)
        manager.register(UnixTransport())
        url = f"unix://{tmp_path}/my%20socket?priority=2"
        listener = await manager.listen(url)
        assert listener.address == f"{tmp_path}/my socket"
        assert str(listener.url) == url
        clients = [await manager.dial(url) for _ in range(2)]
        (one, first), (other, second) = [await listener.accept() for _ in range(2)]
        assert first != second
        reader, _ = streams(one)
        clients[0].write(b"hello\n")
        assert await reader.readline() == b"hello\n"
        manager.map_network("", None)
        assert listener.is_closing()
        assert all(item.is_closing() for item in (*clients, one, other))
        with pytest.raises(BlockedHostError):
            await manager.dial(url)


@on_loops
async def test_a_link_accepted_there_is_removed_by_its_url(tmp_path: Path) -> None:
    async with NativeNetwork() as network:
        one, two = [TransportManager(network) for _ in range(2)]
        one.register(UnixTransport())
        two.register(UnixTransport())
        async with Core(Certificate.generate(), one) as server, Core(Certificate.generate(), two) as client:
            await server.listen(f"unix://{tmp_path}/my%20socket")
            await client.call_peer(f"unix://{tmp_path}/my%20socket")
            await until(server.peers)
            (peer,) = server.peers()
            assert peer.url == f"unix://{tmp_path}/my%20socket%231"
            server.remove_peer(peer.url)
            assert not server.peers()
            await until(lambda: not client.peers())


@pytest.mark.parametrize("url", ["unix://host/path", "unix://", "unix:///", "unix:///a%00b"])
@on_loops
async def test_what_is_no_unix_url(url: str) -> None:
    manager = TransportManager(NativeNetwork())
    manager.register(UnixTransport())
    for operation in (manager.dial, manager.listen):
        with pytest.raises(URLError):
            await operation(url)


@on_loops
async def test_a_network_without_unix_sockets_says_so() -> None:
    manager = TransportManager(LoopbackNetwork())
    manager.register(UnixTransport())
    with pytest.raises(OperationNotSupported):
        await asyncio.wait_for(manager.dial("unix:///x"), 1)
