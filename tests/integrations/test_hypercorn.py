"""ygg.integrations.hypercorn: ASGI applications on overlay addresses, with HTTP/2."""

import asyncio
import errno

import httpx
import pytest

from tests.expecting import raises_errno
from tests.integrations.answering import app, server_tls
from tests.integrations.table import shows
from ygg.integrations.httpx import YggTransport
from ygg.integrations.hypercorn import serve
from ygg.integrations.websockets import connect


@shows("hypercorn", "`ygg.integrations.hypercorn`", "server", lines=1)
def test_http1(with_pair):
    async def main(pair):
        async with serve(app, pair.b, port=0) as server:
            port = server.sockets[0].getsockname()[1]
            async with httpx.AsyncClient(transport=YggTransport(pair.a)) as http:
                for _ in range(3):
                    answer = await http.post(f"http://[{pair.address_b}]:{port}/x", content=bytes(1_000_000))
                    assert answer.text == f"{pair.address_a} 1.1 /x 1000000"
            with raises_errno(errno.EADDRINUSE):
                async with serve(app, pair.b, port=port):
                    pass
        with pytest.raises(ConnectionRefusedError):
            await pair.a.open_connection(pair.address_b, port)

    with_pair(main)


@shows("hypercorn", "`ygg.integrations.hypercorn`", "TLS", lines=1)
def test_http2_over_tls(with_pair):
    async def main(pair):
        async with (
            serve(app, pair.b, port=443, ssl=server_tls("h2")),
            httpx.AsyncClient(transport=YggTransport(pair.a, verify=False, http2=True)) as http,
        ):
            answers = await asyncio.gather(*(http.get(f"https://[{pair.address_b}]/{n}") for n in range(10)))
            assert [answer.text for answer in answers] == [f"{pair.address_a} 2 /{n} 0" for n in range(10)]

    with_pair(main)


def test_http2_without_tls(with_pair):
    async def main(pair):
        async with (
            serve(app, pair.b, port=80),
            httpx.AsyncClient(transport=YggTransport(pair.a, http1=False, http2=True)) as http,
        ):
            assert (await http.get(f"http://[{pair.address_b}]/")).text == f"{pair.address_a} 2 / 0"

    with_pair(main)


def test_websockets(with_pair):
    async def main(pair):
        async with serve(app, pair.b, port=80), connect(pair.a, f"ws://[{pair.address_b}]/") as socket:
            await socket.send("word")
            assert await socket.recv() == "WORD"

    with_pair(main)


def test_the_lifespan_begins_before_and_ends_after(with_pair):
    said = []

    async def living(scope, receive, send):
        if scope["type"] == "lifespan":
            for _ in range(2):
                message = await receive()
                said.append(message["type"])
                await send({"type": f"{message['type']}.complete"})
        else:
            await app(scope, receive, send)

    async def main(pair):
        async with serve(living, pair.b, port=80):
            assert said == ["lifespan.startup"]
        assert said == ["lifespan.startup", "lifespan.shutdown"]

    with_pair(main)


def test_requests_in_flight_end_first(with_pair):
    async def main(pair):
        begun, go = asyncio.Event(), asyncio.Event()

        async def slow(scope, receive, send):
            if scope["type"] == "http":
                begun.set()
                await go.wait()
            await app(scope, receive, send)

        async with httpx.AsyncClient(transport=YggTransport(pair.a)) as http:
            async with serve(slow, pair.b, port=80):
                asking = asyncio.create_task(http.get(f"http://[{pair.address_b}]/"))
                await begun.wait()
                asyncio.get_running_loop().call_later(0.05, go.set)
            assert (await asking).text == f"{pair.address_a} 1.1 / 0"

    with_pair(main)


def test_what_the_application_or_the_caller_does_wrong(with_pair):
    async def failing(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    async def main(pair):
        with pytest.raises(Exception, match="no database"):
            async with serve(failing, pair.b, port=80):
                pytest.fail("served")
        with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
            async with serve(app, pair.b, port=80, nonsense=1):
                pytest.fail("served")
        with pytest.raises(ZeroDivisionError):
            async with serve(app, pair.b, port=80):
                raise ZeroDivisionError
        assert pair.b.stack.endpoints() == []

    with_pair(main)
