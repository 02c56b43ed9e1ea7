"""ygg.integrations.trio: trio's streams and listeners over a VTun in a thread, and libraries in `routed()`."""

import functools
import socket
from typing import Any

import httpx
import hypercorn.trio
import pytest
import trio
import trio.testing

from tests.integrations.answering import CLIENT, SERVER, app
from tests.integrations.ontrio import Runner
from tests.integrations.table import TRIO, shows
from tests.sockets.threaded import LIMIT, Threaded
from tests.vtunpair import ADDRESS_B
from ygg.integrations.hypercorn import OverlayConfig
from ygg.integrations.keepalive import COUNT, IDLE, INTERVAL
from ygg.integrations.trio import (
    OverlaySocket,
    open_tcp_listeners,
    open_tcp_stream,
    public_key,
    routed,
    serve_tcp,
)
from ygg.vtun import VTun
from ygg_c.tcp.connection import TcpConnection

OWN = "`ygg.integrations.trio`"
ROUTED = "`integrations.trio.routed()`"


async def shout(stream: Any) -> None:
    async with stream:
        async for data in stream:
            await stream.send_all(data.upper())


async def received(stream: Any, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += await stream.receive_some() or pytest.fail("the stream has ended")
    return data


@shows("trio", OWN, "client", "server", lines=1, loops=TRIO)
def test_streams(both: Runner) -> None:
    async def main(pair: Any) -> None:
        async with trio.open_nursery() as nursery:
            (listener,) = await nursery.start(serve_tcp, shout, pair.b, 80)
            assert listener.socket.getsockname()[1] == 80
            async with await open_tcp_stream(pair.a, pair.address_b, 80) as stream:
                assert isinstance(stream, trio.SocketStream)
                assert stream.socket.getpeername()[:2] == (pair.address_b, 80)
                assert stream.socket.getsockname()[0] == pair.address_a
                assert stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                await stream.send_all(b"word")
                assert await received(stream, 4) == b"WORD"
                data = b"x" * 5_000_000
                async with trio.open_nursery() as sending:
                    sending.start_soon(stream.send_all, data)
                    assert await received(stream, len(data)) == data.upper()
                await stream.send_eof()
                assert await stream.receive_some() == b""
                with pytest.raises(trio.ClosedResourceError):
                    await stream.send_all(b"more")
            with pytest.raises(trio.ClosedResourceError):
                await stream.receive_some()
            nursery.cancel_scope.cancel()

    both(main)


@shows("trio", OWN, "TLS", lines=1, loops=TRIO)
def test_tls(on_trio: Runner) -> None:
    async def main(pair: Threaded) -> None:
        (listener,) = await open_tcp_listeners(pair.b, 443, host=pair.address_b)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, shout, [trio.SSLListener(listener, SERVER)])
            plain = await open_tcp_stream(pair.a, pair.address_b, 443)
            async with trio.SSLStream(plain, CLIENT, server_hostname="any") as stream:
                assert public_key(stream) is None       # there is no node below these VTuns
                await stream.send_all(b"word")
                assert await received(stream, 4) == b"WORD"
            nursery.cancel_scope.cancel()

    on_trio(main)


def test_what_fails(both: Runner) -> None:
    async def main(pair: Any) -> None:
        with pytest.raises(ConnectionRefusedError, match="no connection to"):
            await open_tcp_stream(pair.a, pair.address_b, 9)
        with pytest.raises(OSError, match=r"127\.0\.0\.1"):
            await open_tcp_stream(pair.a, "127.0.0.1", 9)
        (listener,) = await open_tcp_listeners(pair.b, 80)
        async with listener:
            with pytest.raises(OSError, match="in use"):
                await open_tcp_listeners(pair.b, 80, host=pair.address_b)
        with pytest.raises(trio.ClosedResourceError):
            await listener.accept()
        (listener,) = await open_tcp_listeners(pair.b, 80)     # the port is free again
        await listener.aclose()

    both(main)


def test_a_dial_that_is_cancelled_leaves_nothing(on_trio: Runner) -> None:
    """At the beginning, and while nothing answers: the wire is not joined to that address."""

    async def main(pair: Threaded) -> None:
        for seconds in (0, 0.05):
            with trio.move_on_after(seconds) as scope:
                await open_tcp_stream(pair.a, "200:cccc::1", 80)
            assert scope.cancelled_caught
        while pair.thread.call(pair.a.stack.endpoints):
            await trio.sleep(0.001)

    on_trio(main)


def test_a_stream_that_is_closed_while_it_is_read(on_trio: Runner) -> None:
    async def main(pair: Threaded) -> None:
        (listener,) = await open_tcp_listeners(pair.b, 80)
        async with listener, await open_tcp_stream(pair.a, pair.address_b, 80) as stream:
            accepted = await listener.accept()

            async def reading() -> None:
                with pytest.raises(trio.ClosedResourceError):
                    await stream.receive_some()

            async with trio.open_nursery() as nursery:
                nursery.start_soon(reading)
                await trio.testing.wait_all_tasks_blocked()
                await stream.aclose()
            assert await accepted.receive_some() == b""
            await accepted.aclose()

    on_trio(main)


def test_a_reset_is_a_broken_stream(on_trio: Runner) -> None:
    async def main(pair: Threaded) -> None:
        (listener,) = await open_tcp_listeners(pair.b, 80)
        async with listener, await open_tcp_stream(pair.a, pair.address_b, 80) as stream:
            accepted = await listener.accept()
            await stream.send_all(b"is not read")
            await trio.lowlevel.wait_readable(accepted.socket.fileno())
            await accepted.aclose()
            with pytest.raises(trio.BrokenResourceError):
                await stream.receive_some()

    on_trio(main)


def test_a_slow_reader_slows_the_writer(on_trio: Runner) -> None:
    async def main(pair: Threaded) -> None:
        (listener,) = await open_tcp_listeners(pair.b, 80)
        async with listener, await open_tcp_stream(pair.a, pair.address_b, 80) as stream:
            accepted = await listener.accept()
            data, sent = bytes(64 << 20), 0
            with trio.move_on_after(0.2):
                while sent < len(data):
                    sent += await stream.socket.send(data[sent:sent + (1 << 18)])
            assert 0 < sent < len(data)
            await stream.send_eof()
            got = 0
            while part := await accepted.receive_some(1 << 18):
                got += len(part)
            assert got == sent
            await accepted.aclose()

    on_trio(main)


def test_servers_probe_what_they_accept(on_trio: Runner) -> None:
    def times(vtun: VTun) -> list[Any]:
        return [one.keepalive for one in vtun.stack.endpoints() if isinstance(one, TcpConnection)]

    async def main(pair: Threaded) -> None:
        (listener,) = await open_tcp_listeners(pair.b, 80)
        async with listener, await open_tcp_stream(pair.a, pair.address_b, 80), await listener.accept():
            seconds = 10**9
            assert pair.thread.call(times, pair.b) == [(IDLE * seconds, INTERVAL * seconds, COUNT)]

    on_trio(main)


# routed()


@shows("trio", ROUTED, "client", "server", "TLS", lines=1, loops=TRIO)
def test_trio_unmodified(both: Runner) -> None:
    async def main(pair: Any) -> None:
        with routed(pair.b), routed(pair.a):
            async with trio.open_nursery() as nursery:
                serve = functools.partial(trio.serve_tcp, shout, 80, host=pair.address_b)
                await nursery.start(serve)
                serve_tls = functools.partial(trio.serve_ssl_over_tcp, shout, 443, SERVER, host=pair.address_b)
                await nursery.start(serve_tls)
                for stream in (await trio.open_tcp_stream(pair.address_b, 80),
                               await trio.open_ssl_over_tcp_stream(pair.address_b, 443, ssl_context=CLIENT)):
                    async with stream:
                        await stream.send_all(b"word")
                        assert await received(stream, 4) == b"WORD"
                nursery.cancel_scope.cancel()

    both(main)


@shows("httpx", ROUTED, "client", "TLS", lines=1, loops=TRIO)
@shows("hypercorn", f"{ROUTED} and `OverlayConfig`", "server", "TLS", lines=2, loops=TRIO)
def test_httpx_and_hypercorn(on_trio: Runner) -> None:
    async def main(pair: Threaded) -> None:
        stop = trio.Event()
        plain, secured = OverlayConfig(pair.b, port=80), OverlayConfig(pair.b, port=443)
        secured.overlay_ssl = SERVER
        with routed(pair.b), routed(pair.a):
            async with trio.open_nursery() as nursery, httpx.AsyncClient(verify=CLIENT, timeout=LIMIT) as http:
                for config in (plain, secured):
                    serve = functools.partial(hypercorn.trio.serve, app, config, shutdown_trigger=stop.wait)
                    await nursery.start(serve)
                for scheme in ("http", "https"):
                    for _ in range(2):
                        answer = await http.post(f"{scheme}://[{pair.address_b}]/x", content=bytes(300_000))
                        assert answer.text == f"{pair.address_a} 1.1 /x 300000"
                stop.set()

    on_trio(main)


def test_it_holds_for_the_tasks_that_it_is_told(on_trio: Runner) -> None:
    async def is_routed() -> bool:
        with trio.socket.socket(socket.AF_INET6) as sock:
            return isinstance(sock, OverlaySocket)

    async def main(pair: Threaded) -> None:
        answers = []

        async def ask(entered: trio.Event, over: trio.Event) -> None:
            await entered.wait()
            answers.append(await is_routed())
            over.set()

        entered, over = trio.Event(), trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, entered, over)
            with routed(pair.a, tasks="own"):
                assert await is_routed()
                entered.set()
                await over.wait()
                async with trio.open_nursery() as inner:
                    inner.start_soon(ask, entered, trio.Event())
            assert not await is_routed()
        assert answers == [False, True]

    on_trio(main)


def test_it_may_be_left_in_any_order(on_trio: Runner) -> None:
    async def main(pair: Threaded) -> None:
        one, other = routed(pair.a), routed(pair.b)
        one.__enter__()
        other.__enter__()
        one.__exit__(None, None, None)
        with trio.socket.socket(socket.AF_INET6) as sock:
            assert isinstance(sock, OverlaySocket)
        other.__exit__(None, None, None)
        with trio.socket.socket(socket.AF_INET6) as sock:
            assert not isinstance(sock, OverlaySocket)

    on_trio(main)


def test_outside_of_trio_there_is_nothing_to_route() -> None:
    with pytest.raises(RuntimeError), routed(VTun([ADDRESS_B])):
        pytest.fail("there is no run")
