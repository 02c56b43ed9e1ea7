"""ASGI applications on overlay addresses."""

import asyncio
import contextlib
import errno
import gc
import inspect
import logging
import weakref

import pytest
import uvicorn

from tests.aio import run, settle, until
from tests.expecting import raises_errno
from ygg.errors import YggError
from ygg.identity.certificate import Certificate
from ygg.integrations.asgi import ServeError, ServeOptionError, serve
from ygg.integrations.asgi_options import TLS
from ygg.stream.tls.contexts import client_context, server_context
from ygg.vtun import VTun


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


# Options


async def head(vtun, host, port=80, path="/", **tls):
    """Return the head of the answer to one request, lower case, and what follows it."""
    reader, writer = await vtun.open_connection(host, port, **tls)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.9\r\nConnection: close\r\n\r\n".encode())
    found, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return found.decode().lower(), body.decode()


async def told(scope, receive, send):
    """Answer with what the scope says."""
    text = f"{scope['scheme']} {scope['client'][0]} {scope['root_path']}".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
    await send({"type": "http.response.body", "body": text})


@pytest.mark.parametrize(
    ("options", "in_head", "in_body"),
    [
        ({}, "server: uvicorn", "http 200:aaaa::1 "),
        ({"server_header": False, "headers": [("X-Own", "1")]}, "x-own: 1", ""),
        ({"date_header": True}, "date: ", ""),
        ({"root_path": "/sub"}, "200 ok", "http 200:aaaa::1 /sub"),
        ({"http": "h11", "h11_max_incomplete_event_size": 9999}, "200 ok", ""),
        ({"http": "httptools", "access_log": False, "log_level": "critical", "use_colors": False}, "200 ok", ""),
        ({"limit_concurrency": 0}, "503 service unavailable", ""),
        ({"proxy_headers": True, "forwarded_allow_ips": "*"}, "200 ok", "http 192.0.2.9 "),
        ({"proxy_headers": True}, "200 ok", "http 200:aaaa::1 "),
        ({"interface": "asgi3", "timeout_keep_alive": 1, "backlog": 3, "reset_contextvars": True}, "200 ok", ""),
        ({"workers": 1, "timeout_graceful_shutdown": 1, "ws": "none"}, "200 ok", ""),
    ],
)
def test_options_that_work(with_pair, options, in_head, in_body):
    known = inspect.signature(uvicorn.Config).parameters

    async def main(pair):
        chosen = {name: value for name, value in options.items() if name in known}
        async with serve(told, pair.b, lifespan="off", **chosen):
            found, body = await head(pair.a, pair.address_b)
        assert in_head in found
        assert body.startswith(in_body)
        assert ("server:" in found) == options.get("server_header", True) or "503" in found

    with_pair(main)


def test_an_application_of_asgi_2_and_a_factory(with_pair):
    def old(scope):
        async def run(receive, send):
            await told(scope, receive, send)

        return run

    async def main(pair):
        for application, options in ((old, {"interface": "asgi2"}), (old, {}), (lambda: told, {"factory": True})):
            async with serve(application, pair.b, lifespan="off", **options):
                assert (await head(pair.a, pair.address_b))[1].startswith("http 200:aaaa::1")

    with_pair(main)


def test_web_sockets(with_pair):
    from websockets.client import ClientProtocol
    from websockets.frames import Frame, Opcode
    from websockets.uri import parse_uri

    async def echo(scope, receive, send):
        assert scope["type"] == "websocket"
        await receive()
        await send({"type": "websocket.accept"})
        message = await receive()
        await send({"type": "websocket.send", "text": message["text"] + "!"})
        await receive()

    async def main(pair):
        async with serve(echo, pair.b, lifespan="off", ws_max_size=9, ws_ping_interval=None, ws_max_queue=2):
            reader, writer = await pair.a.open_connection(pair.address_b, 80)
            client, frames = ClientProtocol(parse_uri("ws://x/")), []
            client.send_request(client.connect())
            while not frames:
                writer.writelines(client.data_to_send())
                client.receive_data(await reader.read(9999))
                for event in client.events_received():
                    if isinstance(event, Frame) and event.opcode == Opcode.TEXT:
                        frames.append(bytes(event.data))
                    else:
                        client.send_text(b"hello")
            assert frames == [b"hello!"]
            writer.close()

    with_pair(main)


# TLS


@pytest.fixture
def pem(tmp_path):
    """Paths of a certificate and of its key, the second locked by a password."""
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    made = Certificate.generate()
    (tmp_path / "cert.pem").write_bytes(made.certificate_pem)
    key = load_pem_private_key(made.private_key_pem, None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2"))
    (tmp_path / "key.pem").write_bytes(locked)
    return tmp_path / "cert.pem", tmp_path / "key.pem"


def test_https_by_options_of_uvicorn(with_pair, pem):
    files = {"ssl_certfile": pem[0], "ssl_keyfile": pem[1], "ssl_keyfile_password": "hunter2"}
    factory = {"ssl_context_factory": lambda config, default: server_context(Certificate.generate())}

    async def main(pair):
        for options in (files, factory):
            if not options.keys() <= inspect.signature(uvicorn.Config).parameters.keys():
                continue
            async with serve(told, pair.b, port=443, lifespan="off", **options):
                found, body = await head(pair.a, pair.address_b, 443, ssl=client_context())
                assert "200 ok" in found
                assert body.startswith(f"https {pair.address_a}")
                found, _ = await head(pair.a, pair.address_b, 443)
                assert found == ""  # plain HTTP has no answer there

    with_pair(main)


def test_tls_options_that_would_do_nothing_are_refused(with_pair, pem):
    certificate, key = pem

    async def main(pair):
        for name in sorted(TLS - {"ssl_certfile", "ssl_context_factory"}):
            with pytest.raises(ServeOptionError, match=f"^{name}: without ssl_certfile"):
                async with serve(app, pair.b, **{name: str(key)}):  # type: ignore[arg-type]
                    pass
        tls = server_context(Certificate.generate())
        with pytest.raises(ServeOptionError, match="ssl= has been given too"):
            async with serve(app, pair.b, ssl=tls, ssl_certfile=str(certificate)):
                pass
        for options in (
            {"ssl_certfile": "/nowhere"},
            {"ssl_certfile": str(certificate)},
            {"ssl_certfile": str(certificate), "ssl_keyfile": str(key), "ssl_keyfile_password": "wrong"},
        ):
            with pytest.raises(ServeError):
                async with serve(app, pair.b, lifespan="off", **options):  # type: ignore[arg-type]
                    pass
        assert pair.b.stack.endpoints() == []

    with_pair(main)


# Applications that are none


def failing(argument):
    raise AssertionError


NOTHING = 7


@pytest.mark.parametrize(
    ("application", "options"),
    [
        ("no_such_module:app", {}),
        ("logging:no_such_thing", {}),
        ("logging", {}),
        ("logging:INFO", {}),
        (NOTHING, {}),
        (None, {}),
        (failing, {"factory": True}),
        (lambda: 1 / 0, {"factory": True}),
        (app, {"http": "no_such_module:Class"}),
        (app, {"ws": "no_such_module:Class"}),
        (app, {"lifespan": "sometimes"}),
        (app, {"headers": [("Ü", "ж")]}),
        (app, {"log_config": "/nowhere.json"}),
        (app, {"log_level": "loud"}),
    ],
)
def test_what_cannot_be_served_is_our_error(with_pair, application, options):
    async def main(pair):
        with pytest.raises(ServeError) as caught:
            async with serve(application, pair.b, **options):
                pass
        assert isinstance(caught.value, YggError)
        assert pair.b.stack.endpoints() == []

    with_pair(main)


def test_what_is_logged_of_a_factory_keeps_no_vtun():
    logged = []

    class Keeping(logging.Handler):
        """Keeps what is logged."""

        def emit(self, record):
            logged.append(record)

    logger, keeping = logging.getLogger("uvicorn.error"), Keeping()
    logger.addHandler(keeping)
    level = logger.level
    try:
        logger.setLevel(logging.ERROR)

        async def main():
            async with VTun(["200::1"]) as vtun:
                with pytest.raises(ServeError):
                    async with serve(failing, vtun, factory=True):
                        pass
                return weakref.ref(vtun)

        gone = run(main())
    finally:
        logger.removeHandler(keeping)
        logger.setLevel(level)
    gc.collect()
    assert logged
    assert gone() is None


# Ends


def test_a_cancelled_start_leaves_nothing(with_pair):
    ended = []

    async def slow(scope, receive, send):
        try:
            await receive()
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def main(pair):
        before = asyncio.all_tasks()
        for turns in (0, 1, 2, 10):
            context = serve(slow, pair.b, lifespan="on")
            start = asyncio.create_task(context.__aenter__())
            for _ in range(turns):
                await asyncio.sleep(0)
            start.cancel()
            with pytest.raises(asyncio.CancelledError):
                await start
            assert asyncio.all_tasks() == before
        assert pair.b.stack.endpoints() == []

    with_pair(main)
    assert ended


def test_an_application_that_failed_to_start_leaves_nothing(with_pair):
    async def stubborn(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.failed"})
        await asyncio.Event().wait()

    async def main(pair):
        before = asyncio.all_tasks()
        with pytest.raises(ServeError):
            async with serve(stubborn, pair.b):
                pass
        assert asyncio.all_tasks() == before

    with_pair(main)


@pytest.mark.parametrize("stuck", ["shutdown", "request", "after"])
def test_a_cancelled_end_leaves_nothing(with_pair, caplog, stuck):
    caplog.set_level(logging.INFO, "uvicorn.error")
    reached = []

    async def stubborn(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            if stuck != "shutdown":
                await send({"type": "lifespan.shutdown.complete"})
        reached.append(scope["type"])
        await asyncio.Event().wait()

    async def main(pair):
        before = asyncio.all_tasks()

        async def serving():
            async with serve(stubborn, pair.b):
                if stuck == "request":
                    _, writer = await pair.a.open_connection(pair.address_b, 80)
                    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    await until(lambda: reached)
                    writer.close()

        task = asyncio.create_task(serving())
        await until(lambda: "(CTRL+C to force quit)" in caplog.text if stuck == "request" else reached)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        for _ in range(3):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == before
        assert pair.b.stack.endpoints() == []

    with_pair(main)


@pytest.mark.parametrize("turns", range(6))
def test_an_end_cancelled_at_any_moment_leaves_nothing(with_pair, turns):
    async def main(pair):
        done = asyncio.Event()

        async def stubborn(scope, receive, send):
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            done.set()
            await asyncio.Event().wait()

        async def serving():
            async with serve(stubborn, pair.b):
                pass

        before = asyncio.all_tasks()
        task = asyncio.create_task(serving())
        await done.wait()
        await settle(turns)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await settle(3)
        assert asyncio.all_tasks() == before

    with_pair(main)


def test_the_end_of_the_main_loop_ends_serve(with_pair):
    async def main(pair):
        reached = []
        async with serve(app, pair.b, lifespan="off", limit_max_requests=2):
            for _ in range(2):
                await head(pair.a, pair.address_b)
            await asyncio.Event().wait()
            reached.append("body")
        assert not reached
        with pytest.raises(ConnectionRefusedError):
            await pair.a.open_connection(pair.address_b, 80)
        task = asyncio.current_task()
        assert task.cancelling() == 0

    with_pair(main)


def test_an_error_in_the_main_loop_is_raised(with_pair):
    async def notify():
        raise LookupError("told")

    async def main(pair):
        with pytest.raises(LookupError, match="told"):
            async with serve(app, pair.b, lifespan="off", callback_notify=notify):
                await asyncio.Event().wait()
        assert pair.b.stack.endpoints() == []

    with_pair(main)


def test_errors_and_cancellations_of_the_body_are_its_own(with_pair):
    async def main(pair):
        for kind in (TimeoutError, asyncio.CancelledError, ValueError):
            with pytest.raises(kind):
                async with serve(app, pair.b, lifespan="off"):
                    raise kind

    with_pair(main)


def test_requests_are_logged_by_the_caller_that_the_connection_has(with_pair, caplog):
    caplog.set_level(logging.INFO, "ygg.access")

    async def main(pair):
        async with serve(app, pair.b, port=80, lifespan="off", proxy_headers=True, forwarded_allow_ips="*"):
            reader, writer = await pair.a.open_connection(pair.address_b, 80)
            writer.write(b"GET /x HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n")
            assert b"192.0.2.1" in await reader.read()
            writer.close()

    with_pair(main)
    assert [text for text in caplog.messages if text.endswith('"GET /x HTTP/1.1" 200 23')], caplog.messages
    ours = [record.getMessage() for record in caplog.records if record.name == "ygg.access"]
    assert all(line.startswith("200:aaaa::1 ") for line in ours)
