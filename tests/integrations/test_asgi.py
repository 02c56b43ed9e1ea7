"""ASGI applications on overlay addresses."""

import asyncio
import errno
import logging

import pytest

from expecting import raises_errno
from ygg.certificate import Certificate
from ygg.integrations.asgi import ServeError, serve
from ygg.transport.tls import client_context, server_context


async def app(scope, receive, send):
    """Answer with what was asked."""
    assert scope["type"] == "http"
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    text = f"{scope['method']} {scope['path']} from {scope['client'][0]} {len(body)}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
    await send({"type": "http.response.body", "body": text})


async def ask(reader, writer, path="/", body=b""):
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    assert head.startswith("http/1.1 200")
    length = int(head.split("content-length: ")[1].split("\r\n")[0])
    return (await reader.readexactly(length)).decode()


def test_requests_on_one_connection(with_pair):
    async def main(pair):
        async with serve(app, pair.b, port=80, lifespan="off") as server:
            assert server.sockets[0].getsockname()[1] == 80
            reader, writer = await pair.a.open_connection(pair.address_b, 80)
            for number in range(50):
                assert await ask(reader, writer, f"/{number}") == f"POST /{number} from {pair.address_a} 0"
            assert (await ask(reader, writer, "/", bytes(3_000_000))).endswith(" 3000000")
            writer.close()
            with raises_errno(errno.EADDRINUSE):
                async with serve(app, pair.b, port=80, lifespan="off"):
                    pass
        with pytest.raises(ConnectionRefusedError):
            await pair.a.open_connection(pair.address_b, 80)

    with_pair(main)


def test_an_open_connection_does_not_hold_up_the_end(with_pair):
    async def main(pair):
        async with serve(app, pair.b, port=0, lifespan="off") as server:
            reader, writer = await pair.a.open_connection(pair.address_b, server.sockets[0].getsockname()[1])
            await ask(reader, writer)
        assert await reader.read() == b""
        writer.close()

    with_pair(main)


def test_lifespan_runs_around_serving(with_pair):
    seen = []

    async def living(scope, receive, send):
        if scope["type"] == "lifespan":
            for _ in range(2):
                message = await receive()
                seen.append(message["type"])
                await send({"type": message["type"] + ".complete"})
        else:
            await app(scope, receive, send)

    async def main(pair):
        async with serve(living, pair.b, port=80):
            seen.append("serving")

    with_pair(main)
    assert seen == ["lifespan.startup", "serving", "lifespan.shutdown"] * (len(seen) // 3)


def test_an_application_that_fails_to_start_is_an_error(with_pair, caplog):
    async def broken(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    async def main(pair):
        with pytest.raises(ServeError):
            async with serve(broken, pair.b, port=80, lifespan="on"):
                pass
        assert pair.b.stack.endpoints() == []

    with_pair(main)


def test_https(with_pair):
    async def main(pair):
        certificate = Certificate.generate()
        tls = server_context(certificate)
        async with serve(app, pair.b, port=443, ssl=tls, lifespan="off"):
            reader, writer = await pair.a.open_connection(pair.address_b, 443, ssl=client_context())
            assert await ask(reader, writer, "/tls") == f"POST /tls from {pair.address_a} 0"
            writer.close()

    with_pair(main)


def test_logging_is_left_as_it_is(with_pair):
    before = {name: list(logging.getLogger(name).handlers) for name in (None, "uvicorn", "uvicorn.access")}

    async def main(pair):
        async with serve(app, pair.b, port=80, lifespan="off"):
            await asyncio.sleep(0)

    with_pair(main)
    assert before == {name: list(logging.getLogger(name).handlers) for name in before}
    assert logging.getLogger("uvicorn.access").propagate
