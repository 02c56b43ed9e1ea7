"""ygg.integrations.websockets: both ends over VTuns."""

import asyncio
import contextlib
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedOK, InvalidHandshake

from tests.integrations.answering import CLIENT, SERVER
from tests.integrations.table import shows
from ygg.integrations.websockets import connect, serve


async def echo(socket):
    async for message in socket:
        await socket.send(message.upper())


@shows("websockets", "`ygg.integrations.websockets`", "client", "server", lines=1)
def test_messages(with_pair):
    async def main(pair):
        async with serve(pair.b, echo, port=80) as server:
            assert server.sockets[0].getsockname()[1] == 80
            async with connect(pair.a, f"ws://[{pair.address_b}]/", max_size=None) as socket:
                assert socket.remote_address[:2] == (pair.address_b, 80)
                for message in ("word", "x" * 1_000_000):
                    await socket.send(message)
                    assert await socket.recv() == message.upper()

    with_pair(main)


@shows("websockets", "`ygg.integrations.websockets`", "TLS", lines=1)
def test_tls(with_pair):
    async def main(pair):
        async with serve(pair.b, echo, pair.address_b, 443, ssl=SERVER):
            socket = await connect(pair.a, f"wss://[{pair.address_b}]/", ssl=CLIENT)
            await socket.send("word")
            assert await socket.recv() == "WORD"
            await socket.close()

    with_pair(main)


def test_a_client_that_reconnects(with_pair):
    async def main(pair):
        async def one(socket):
            await socket.send(await socket.recv())

        async with serve(pair.b, one, port=80):
            seen = 0
            connecting: Any = aiter(connect(pair.a, f"ws://[{pair.address_b}]/"))
            async with contextlib.aclosing(connecting) as sockets:
                async for socket in sockets:
                    await socket.send("one")
                    assert await socket.recv() == "one"
                    with pytest.raises(ConnectionClosedOK):
                        await socket.recv()
                    seen += 1
                    if seen == 2:
                        break

    with_pair(main)


def test_what_fails(with_pair):
    async def main(pair):
        with pytest.raises(ConnectionRefusedError):
            await connect(pair.a, f"ws://[{pair.address_b}]:9/")
        with pytest.raises(OSError, match=r"numeric|no such host"):
            await connect(pair.a, "ws://a.name.example/")
        with pytest.raises(TimeoutError):
            await connect(pair.a, "ws://[200:dddd::1]/", open_timeout=0.05)

        async def deaf(reader, writer):
            await reader.readline()
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            writer.close()

        async with await pair.b.start_server(deaf, port=80):
            with pytest.raises(InvalidHandshake):
                await connect(pair.a, f"ws://[{pair.address_b}]/")
        await asyncio.sleep(0)

    with_pair(main)
