"""ygg.stream.event_loops: the private names of event loops are still there and still mean what they did."""

import asyncio
import io
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.aio import on_loops, run, until
from tests.vtunpair import joined
from ygg.identity.certificate import Certificate
from ygg.network import LoopbackNetwork
from ygg.stream.event_loops import descriptor_of
from ygg.stream.tls.contexts import client_context, server_context


def test_asyncios_own_start_tls_accepts_our_transports() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        certificate = Certificate.generate()
        async with LoopbackNetwork() as network:
            listener = await network.listen_stream("127.0.0.1", 0)
            client = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
            server, _ = await listener.accept()
            near, far = await asyncio.gather(
                loop.start_tls(client, asyncio.Protocol(), client_context()),
                loop.start_tls(server, asyncio.Protocol(), server_context(certificate), server_side=True),
            )
            assert near is not None
            assert far is not None
            near.close()
            far.close()

    run(main())


@asynccontextmanager
async def connected(
    secured: bool,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter, asyncio.StreamReader, asyncio.StreamWriter]]:
    """Both ends of a connection between two VTuns, with TLS or without."""
    accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    inside = server_context(Certificate.generate()) if secured else None
    outside = client_context() if secured else None

    def accept(*streams: Any) -> None:
        accepted.put_nowait(streams)

    async with joined() as pair, await pair.b.start_server(accept, port=80, ssl=inside):
        near = await pair.a.open_connection(pair.address_b, 80, ssl=outside)
        far = await accepted.get()
        try:
            yield *near, *far
        finally:
            near[1].close()
            far[1].close()


@pytest.mark.parametrize("secured", [False, True])
@on_loops
async def test_asyncios_own_sendfile_accepts_our_transports(secured: bool) -> None:
    """uvloop's loops have no sendfile at all, for sockets neither."""
    loop, content = asyncio.get_running_loop(), bytes(range(256)) * 4096
    async with connected(secured) as (_, writer, reader, _):
        if type(loop).__module__.startswith("uvloop"):
            with pytest.raises(NotImplementedError):
                await loop.sendfile(writer.transport, io.BytesIO(content))
            return
        with pytest.raises(RuntimeError, match="fallback is disabled"):
            await loop.sendfile(writer.transport, io.BytesIO(content), fallback=False)
        whole = asyncio.ensure_future(reader.read())
        writer.write(b"before")
        size = len(content) - 2
        assert await loop.sendfile(writer.transport, io.BytesIO(content), 1, size) == size
        writer.write(b"behind")
        writer.close()
        assert await whole == b"before" + content[1:-1] + b"behind"


@pytest.mark.parametrize("secured", [False, True])
def test_a_file_waits_for_room_and_fails_with_its_connection(secured: bool) -> None:
    async def main() -> None:
        loop, file = asyncio.get_running_loop(), io.BytesIO(bytes(1 << 24))
        async with connected(secured) as (_, writer, _, other):
            sending = asyncio.ensure_future(loop.sendfile(writer.transport, file))
            await until(lambda: sending.done() or writer.transport.get_write_buffer_size() > 1 << 16)
            assert not sending.done()
            other.transport.abort()
            with pytest.raises(ConnectionError):
                await sending
            assert file.tell() < 1 << 24

    run(main())


async def transport_over(sock: socket.socket) -> asyncio.Transport:
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
        transport = await transport_over(ours)
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
