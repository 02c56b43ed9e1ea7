"""ygg.plainsocket: the private names of event loops that ygg relies on are still there."""

import asyncio
import socket

from tests.aio import on_loops
from ygg import LoopbackNetwork
from ygg.plainsocket import descriptor_of


async def connected(sock: socket.socket) -> asyncio.Transport:
    loop = asyncio.get_running_loop()
    if sock.family == socket.AF_UNIX:
        transport, _ = await loop.create_unix_connection(asyncio.Protocol, sock=sock)
    else:
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=sock)
    return transport


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        return client, server.accept()[0]


@on_loops
async def test_a_loops_own_sockets_are_plain() -> None:
    for ours, theirs in (tcp_pair(), socket.socketpair()):
        ours.setblocking(False)
        transport = await connected(ours)
        assert descriptor_of(transport) == ours.fileno()
        transport.close()
        theirs.close()
        await asyncio.sleep(0)


@on_loops
async def test_what_only_looks_like_one_is_not() -> None:
    class Wrapper(asyncio.Transport):
        pass

    ours, theirs = tcp_pair()
    assert descriptor_of(Wrapper({"socket": ours})) is None
    ours.close()
    theirs.close()


@on_loops
async def test_memory_is_not_a_socket() -> None:
    network = LoopbackNetwork()
    listener = await network.listen_stream("127.0.0.1", 0)
    transport = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
    assert descriptor_of(transport) is None
    transport.abort()
    (await listener.accept())[0].abort()
    listener.close()
