"""ygg.integrations.anyio: anyio's streams, listeners and sockets over VTuns."""

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.tls import TLSListener

from tests.aio import LOOPS
from tests.integrations.answering import CLIENT, SERVER
from tests.integrations.table import TRIO, shows
from tests.vtunpair import runner
from ygg.integrations.anyio import (
    connect_tcp,
    create_connected_udp_socket,
    create_tcp_listener,
    create_udp_socket,
)

ALL = (*LOOPS, *TRIO)


@pytest.fixture(params=ALL)
def with_backend(request):
    """Run a coroutine function with two VTuns, on each of anyio's backends."""
    return request.getfixturevalue("on_trio") if request.param == "trio" else runner(request.param)


async def echo(stream):
    async with stream:
        async for data in stream:
            await stream.send(data.upper())


@shows("anyio", "`ygg.integrations.anyio`", "client", "server", lines=1, loops=ALL)
def test_streams(with_backend):
    async def main(pair):
        listener = await create_tcp_listener(pair.b, local_port=80)
        assert listener.extra(SocketAttribute.local_port) == 80
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, echo)
            async with await connect_tcp(pair.a, pair.address_b, 80) as stream:
                assert isinstance(stream, SocketStream)
                assert stream.extra(SocketAttribute.remote_address)[:2] == (pair.address_b, 80)
                await stream.send(b"word")
                assert await stream.receive() == b"WORD"
                data, got = b"x" * 2_000_000, 0
                async with anyio.create_task_group() as sending:
                    sending.start_soon(stream.send, data)
                    while got < len(data):
                        got += len(await stream.receive())
                await stream.send_eof()
                with pytest.raises(anyio.EndOfStream):     # and no reset: what was read is acknowledged
                    await stream.receive()
            tasks.cancel_scope.cancel()
        with pytest.raises(anyio.ClosedResourceError):
            await listener.accept()

    with_backend(main)


@shows("anyio", "`ygg.integrations.anyio`", "TLS", lines=1, loops=ALL)
def test_tls(with_backend):
    async def main(pair):
        listener = TLSListener(await create_tcp_listener(pair.b, local_port=443), SERVER)
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, echo)
            async with await connect_tcp(pair.a, pair.address_b, 443, ssl_context=CLIENT, tls=True) as stream:
                await stream.send(b"word")
                assert await stream.receive() == b"WORD"
            tasks.cancel_scope.cancel()

    with_backend(main)


def test_datagrams(with_backend):
    async def main(pair):
        async with (
            await create_udp_socket(pair.b, local_port=53) as there,
            await create_udp_socket(pair.a, local_host=pair.address_a) as here,
            await create_connected_udp_socket(pair.a, pair.address_b, 53) as connected,
        ):
            for one in (here, connected):
                if one is here:
                    await here.sendto(b"question", pair.address_b, 53)
                else:
                    await connected.send(b"question")
                data, (host, port) = await there.receive()
                assert (data, host) == (b"question", pair.address_a)
                await there.sendto(b"answer", host, port)
                answer = await one.receive()
                assert answer in (b"answer", (b"answer", (pair.address_b, 53)))

    with_backend(main)


def test_what_fails(with_backend):
    async def main(pair):
        with pytest.raises(OSError, match=r"refused|connection attempts failed"):
            await connect_tcp(pair.a, pair.address_b, 9)
        async with await create_tcp_listener(pair.b, local_host=pair.address_b, local_port=80):
            with pytest.raises(OSError, match="in use"):
                await create_tcp_listener(pair.b, local_port=80)

    with_backend(main)
