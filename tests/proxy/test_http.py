"""ygg.proxy.http: requests of all shapes to a real server, and those that try to be two."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

from tests.aio import in_virtual_time, on_loops, until
from tests.proxy.ends import Peer, client, reset_by_the_system
from tests.vtunpair import ADDRESS_A, ADDRESS_B, Pair, joined
from ygg.integrations.httpx import YggTransport
from ygg.proxy import Limits, overlay, tcp
from ygg.proxy.http import HttpForward

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Server:
    """A server of raw connections, which keeps what each has said."""

    def __init__(self) -> None:
        self.peers: list[Peer] = []

    def make(self) -> Peer:
        self.peers.append(Peer())
        return self.peers[-1]

    async def said(self, number: int, what: bytes) -> bytes:
        """Wait until a connection has said `what`; return all that it has."""
        await until(lambda: len(self.peers) > number and what in self.peers[number].data)
        return bytes(self.peers[number].data)

    def answer(self, number: int, data: bytes) -> None:
        self.peers[number].data.clear()
        self.peers[number].transport.write(data)


@asynccontextmanager
async def forwarded(limits: Limits | None = None) -> AsyncIterator[tuple[HttpForward, Server, Peer, Pair]]:
    """Run a forward of one VTun, with a server on this machine behind it, and a client on the other VTun."""
    server = Server()
    listening = await asyncio.get_running_loop().create_server(server.make, "127.0.0.1", 0)
    async with joined() as pair:
        target = tcp("127.0.0.1", listening.sockets[0].getsockname()[1])
        async with HttpForward(overlay(pair.b), target, limits) as forward:
            near = await client(forward.port, pair.a, ADDRESS_B)
            yield forward, server, near, pair
            near.transport.abort()
    listening.close()
    for peer in server.peers:
        if not peer.over.done():
            peer.transport.abort()
            await peer.over


@on_loops
async def test_who_the_client_is() -> None:
    async with forwarded() as (_, server, near, _pair):
        near.transport.write(b"GET /a HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.2.3.4\r\nX_Forwarded_For: 1.2.3.4\r\n"
                             b"Forwarded: for=1.2.3.4\r\nCookie: b\r\n\r\n")
        said = await server.said(0, b"\r\n\r\n")
        assert said.startswith(b"GET /a HTTP/1.1\r\nHost: a\r\nCookie: b\r\n")
        assert b"1.2.3.4" not in said
        assert f"X-Forwarded-For: {ADDRESS_A}\r\n".encode() in said


@on_loops
async def test_several_on_one_connection_and_ahead() -> None:
    async with forwarded() as (forward, server, near, _):
        near.transport.write(GET * 3)
        for number in range(3):
            await server.said(0, b"\r\n\r\n")
            server.answer(0, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number)
            await until(lambda number=number: near.data.endswith(b"\r\n\r\n%d" % number))
        assert forward.counters()["requests"] == 3
        assert len(server.peers) == 1


@on_loops
async def test_chunks_both_ways() -> None:
    async with forwarded() as (_, server, near, _pair):
        near.transport.write(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                             b"3;x=y\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Forwarded-For: evil\r\n\r\n")
        said = await server.said(0, b"0\r\n\r\n")
        assert said.endswith(b"\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
        server.answer(0, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
        await until(lambda: near.data.endswith(b"2\r\nhi\r\n0\r\n\r\n"))


@on_loops
async def test_a_body_that_ends_with_the_connection() -> None:
    async with forwarded() as (_, server, near, _pair):
        near.transport.write(GET)
        await server.said(0, b"\r\n\r\n")
        server.answer(0, b"HTTP/1.1 200 OK\r\n\r\nhello")
        server.peers[0].transport.close()
        await until(lambda: near.data.endswith(b"5\r\nhello\r\n0\r\n\r\n"))


@on_loops
async def test_an_answer_that_is_cut_off_is_a_reset() -> None:
    async with forwarded() as (_, server, near, _pair):
        near.transport.write(GET)
        await server.said(0, b"\r\n\r\n")
        server.answer(0, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
        await until(lambda: near.data.endswith(b"hello"))
        server.peers[0].transport.close()
        assert isinstance(await near.over, ConnectionResetError)


@on_loops
async def test_100_continue() -> None:
    async with forwarded() as (_, server, near, _pair):
        near.transport.write(b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert b"Expect: 100-continue\r\n" in await server.said(0, b"\r\n\r\n")
        server.answer(0, b"HTTP/1.1 100 Continue\r\n\r\n")
        await until(lambda: near.data.startswith(b"HTTP/1.1 100"))
        near.transport.write(b"body")
        await server.said(0, b"body")
        server.answer(0, b"HTTP/1.1 204 No Content\r\n\r\n")
        await until(lambda: b"HTTP/1.1 204" in near.data)
        near.data.clear()
        near.transport.write(GET)
        await server.said(0, b"\r\n\r\n")


@on_loops
async def test_an_answer_before_the_body() -> None:
    async with forwarded() as (_, server, near, _pair):
        near.transport.write(b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        await server.said(0, b"\r\n\r\n")
        server.answer(0, b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n")
        await until(lambda: near.eof)
        assert b"HTTP/1.1 417" in near.data


@on_loops
async def test_a_server_that_has_closed_in_between() -> None:
    async with forwarded() as (forward, server, near, _):
        for number in range(2):
            near.data.clear()
            near.transport.write(GET)
            await server.said(number, b"\r\n\r\n")
            server.answer(number, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await until(lambda: near.data.endswith(b"ok"))
            server.peers[number].transport.close()
        assert forward.counters()["connected"] == 2


@on_loops
async def test_what_may_not_be_repeated_has_a_connection_of_its_own() -> None:
    async with forwarded() as (_, server, near, _pair):
        for number in range(2):
            near.data.clear()
            near.transport.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
            await server.said(number, b"hi")
            server.answer(number, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await until(lambda: near.data.endswith(b"ok"))


@pytest.mark.parametrize(("request_", "status"), [
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 4\r\nContent_Length: 5\r\n\r\nabcd", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    (b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 40_000, 431),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    (b"\5\1\0", 400),
    (b"GET / HT", 408),
])
@on_loops
async def test_what_is_refused(request_: bytes, status: int) -> None:
    async with forwarded(Limits(request_timeout=0.3)) as (_, server, near, _pair):
        near.transport.write(request_)
        await until(lambda: near.eof or near.over.done())
        assert near.data.startswith(b"HTTP/1.1 %d " % status), bytes(near.data)
        assert server.peers == []


@on_loops
async def test_a_second_request_hidden_in_a_body_is_a_body() -> None:
    async with forwarded() as (forward, server, near, _):
        near.transport.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(GET) + GET)
        await server.said(0, GET)
        server.answer(0, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await until(lambda: near.data.endswith(b"ok"))
        assert forward.counters()["requests"] == 1


@on_loops
async def test_the_loss_of_the_client_ends_the_servers_connection() -> None:
    """Not only with the next byte of the server, which may not come for hours."""
    async with forwarded() as (forward, server, near, _):
        near.transport.write(GET)
        await server.said(0, b"\r\n\r\n")
        reset_by_the_system(near)
        with pytest.raises(ConnectionResetError):
            await server.peers[0].lost()
        await until(lambda: not forward.connections())


@on_loops
async def test_a_client_that_has_ended_its_stream_gets_its_answer() -> None:
    async with forwarded() as (_, server, near, _pair):
        near.transport.write(GET)
        near.transport.write_eof()
        await server.said(0, b"\r\n\r\n")
        server.answer(0, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await until(lambda: near.eof)
        assert near.data.endswith(b"ok")


@pytest.mark.parametrize(("begin", "status"), [
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: ", 431),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
])
@on_loops
async def test_what_is_refused_is_told_though_more_comes(begin: bytes, status: int) -> None:
    """A connection that is closed with bytes unread is reset, which takes the answer away from many clients."""
    async with HttpForward(tcp("127.0.0.1", 0), tcp("127.0.0.1", 1)) as forward:
        reader, writer = await asyncio.open_connection("127.0.0.1", forward.port)
        writer.write(begin + b"x" * 4_000_000)
        assert (await reader.readline()).startswith(b"HTTP/1.1 %d " % status)
        await reader.read()
        writer.close()
        await until(lambda: not forward.connections())


@on_loops
async def test_a_large_head_is_refused_that_comes_at_once() -> None:
    async with forwarded() as (_, server, near, _pair):
        near.transport.write(GET[:-2] + b"X: " + b"a" * 40_000 + b"\r\n\r\n")
        await until(lambda: near.eof)
        assert near.data.startswith(b"HTTP/1.1 431 ")
        assert server.peers == []


@on_loops
async def test_silence_ends() -> None:
    async with forwarded(Limits(request_timeout=0.1)) as (forward, _, near, _pair):
        near.transport.write(b"GET / HT")
        await until(lambda: near.eof or near.over.done())
        near.transport.close()
        await until(lambda: not forward.connections())
        assert forward.counters()["unanswered"] == 1


@on_loops
async def test_no_server() -> None:
    async with joined() as pair, HttpForward(overlay(pair.b), tcp("127.0.0.1", 1)) as forward:
        near = await client(forward.port, pair.a, ADDRESS_B)
        near.transport.write(GET)
        await until(lambda: near.eof)
        assert near.data.startswith(b"HTTP/1.1 502 ")
        near.transport.close()


@on_loops
async def test_websockets_pass() -> None:
    async def shout(socket: Any) -> None:
        async for message in socket:
            await socket.send(f"{message.upper()} {socket.request.headers['X-Forwarded-For']}")

    async with serve(shout, "127.0.0.1", 0) as server:
        target = tcp("127.0.0.1", server.sockets[0].getsockname()[1])
        async with (
            HttpForward(tcp("127.0.0.1", 0), target) as forward,
            connect(f"ws://127.0.0.1:{forward.port}/", proxy=None) as socket,
        ):
            await socket.send("word")
            assert await socket.recv() == "WORD 127.0.0.1"
            await socket.send("x" * 500_000)
            assert len(await socket.recv()) > 500_000
            assert forward.counters()["upgraded"] == 1


@on_loops
async def test_a_large_body_with_httpx() -> None:
    size, total = 8 << 20, 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal total
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"Content-Length: %d" % size in head
        while total < size:
            total += len(await reader.read(65536))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + bytes(size))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with (
        joined() as pair,
        HttpForward(overlay(pair.b), tcp("127.0.0.1", server.sockets[0].getsockname()[1])) as forward,
        httpx.AsyncClient(transport=YggTransport(pair.a)) as http,
    ):
        answer = await http.put(f"http://[{ADDRESS_B}]:{forward.port}/", content=bytes(size))
        assert len(answer.content) == size
    server.close()


BOUND = 8 << 20
"""Bytes that the buffers of both connections hold together at most."""


@in_virtual_time
async def test_a_client_that_reads_nothing_is_sent_no_endless_informational_answers() -> None:
    written = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await reader.readuntil(b"\r\n\r\n")
        hint = b"HTTP/1.1 103 Early Hints\r\nLink: " + b"x" * 8000 + b"\r\n\r\n"
        with contextlib.suppress(OSError):
            while written < 2 * BOUND:
                writer.write(hint)
                written += len(hint)
                await writer.drain()

    async with joined() as pair:
        server = await pair.a.start_server(serve, ADDRESS_A, 8080)
        async with HttpForward(overlay(pair.b, ADDRESS_B, 80), overlay(pair.b, ADDRESS_A, 8080)):
            transport, _ = await pair.a.create_connection(Peer, ADDRESS_B, 80)
            transport.pause_reading()
            transport.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await asyncio.sleep(60)
            assert 0 < written < BOUND
            transport.abort()
            await asyncio.sleep(1)
        server.close()
        await server.wait_closed()


@in_virtual_time
async def test_a_client_that_reads_nothing_gets_no_endless_answers_without_bodies() -> None:
    answered = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answered
        answer = b"HTTP/1.1 204 No Content\r\nX: " + b"x" * 30000 + b"\r\n\r\n"
        while True:
            try:
                await reader.readuntil(b"\r\n\r\n")
            except (EOFError, OSError):
                return
            writer.write(answer)
            answered += len(answer)

    async with joined() as pair:
        server = await pair.a.start_server(serve, ADDRESS_A, 8080)
        async with HttpForward(overlay(pair.b, ADDRESS_B, 80), overlay(pair.b, ADDRESS_A, 8080)):
            transport, _ = await pair.a.create_connection(Peer, ADDRESS_B, 80)
            transport.pause_reading()
            transport.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 600)
            await asyncio.sleep(15)
            assert 0 < answered < BOUND
            transport.abort()
            await asyncio.sleep(1)
        server.close()
        await server.wait_closed()
