"""ygg.proxy.http_proxy: CONNECT and whole URLs, logging in, rules, nonsense, and both kinds of proxy at one port."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.aio import on_loops, until
from tests.proxy.ends import Peer, backend, client
from tests.vtunpair import ADDRESS_B, joined
from ygg.names import Names
from ygg.network import SocksNetwork
from ygg.proxy import Limits, OverlayRoute, Routes, tcp
from ygg.proxy.http_proxy import HttpProxy, MixedProxy

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"


@asynccontextmanager
async def proxied(
    kind: type[HttpProxy] = HttpProxy, **options: Any
) -> AsyncIterator[tuple[HttpProxy, int, list[Peer]]]:
    """Run a proxy of one VTun, with a server on the other; yield the proxy and the server's port."""
    async with joined() as pair, backend(pair.b, ADDRESS_B) as (port, served):
        overlay = OverlayRoute(pair.a, Names({"other.example": ADDRESS_B}))
        routes = Routes([("*.onion", None), ("*", overlay)])
        async with kind(tcp("127.0.0.1", 0), routes, **options) as proxy:
            yield proxy, port, served


async def said(proxy: HttpProxy, data: bytes) -> bytes:
    """Return all that a client is answered, after which the proxy has ended."""
    near = await client(proxy.port)
    near.transport.write(data)
    await until(lambda: near.eof or near.over.done())
    near.transport.abort()
    return bytes(near.data)


async def serve_http(served: list[Peer], count: int) -> None:
    for number in range(count):
        await until(lambda number=number: len(served) > number and b"\r\n\r\n" in served[number].data)
        served[number].transport.write(OK)


@pytest.mark.parametrize("kind", [HttpProxy, MixedProxy])
@on_loops
async def test_connect(kind: type[HttpProxy]) -> None:
    async with proxied(kind) as (proxy, port, served):
        for host in ("other.example", f"[{ADDRESS_B}]"):
            near = await client(proxy.port)
            near.transport.write(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\nahead".encode())
            await until(lambda near=near: near.data.endswith(b"\r\n\r\n"))
            assert near.data.startswith(b"HTTP/1.1 200 ")
            await until(lambda: served and served[-1].data == b"ahead")
            served[-1].transport.write(b"answer")
            await until(lambda near=near: near.data.endswith(b"\r\n\r\nanswer"))
            near.transport.abort()
            served[-1].transport.abort()
            await until(lambda: not proxy.connections())
        assert proxy.counters()["tunnels"] == proxy.counters()["connected"] == 2


@on_loops
async def test_whole_urls_go_each_to_its_server_without_a_word_of_the_client() -> None:
    async with proxied() as (proxy, port, served):
        near = await client(proxy.port)
        asked = (f"GET http://other.example:{port}/a?b HTTP/1.1\r\nHost: elsewhere\r\nProxy-Connection: keep-alive\r\n"
                 "Proxy-Authorization: Basic eDp5\r\nX-Own: kept\r\n\r\n")
        for count in (1, 2):
            near.transport.write(asked.encode())
            await until(lambda count=count: served and served[0].data.count(b"\r\n\r\n") == count)
            served[0].transport.write(OK)
            await until(lambda count=count: near.data.count(b"hello\n") == count)
        assert len(served) == 1
        text = bytes(served[0].data).lower()
        assert text.startswith(b"get /a?b http/1.1\r\n")
        assert b"host: other.example:%d\r\n" % port in text
        assert b"x-own: kept" in text
        assert not any(word in text for word in (b"elsewhere", b"proxy-", b"forwarded", b"127.0.0.1"))
        near.transport.write(f"GET http://[{ADDRESS_B}]:{port}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await until(lambda: len(served) == 2)   # another host has another connection
        near.transport.abort()


@on_loops
async def test_logging_in() -> None:
    async with proxied(users={"me": "secret"}) as (proxy, port, _served):
        request = f"CONNECT other.example:{port} HTTP/1.1\r\nHost: x\r\n%s\r\n"
        for field in ("", "Proxy-Authorization: Basic bWU6d3Jvbmc=\r\n", "Proxy-Authorization: Basic !\r\n",
                      "Proxy-Authorization: Digest x\r\n", "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n" * 2):
            answer = await said(proxy, (request % field).encode())
            assert answer.startswith(b"HTTP/1.1 407 ")
            assert b'proxy-authenticate: basic realm="ygg"' in answer.lower()
        near = await client(proxy.port)
        near.transport.write((request % "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n").encode())
        await until(lambda: near.data.startswith(b"HTTP/1.1 200 "))
        near.transport.abort()


@pytest.mark.parametrize(("request_line", "status"), [
    ("CONNECT some.onion:80", 403), ("CONNECT unknown.example:80", 502), ("CONNECT other.example:9", 502),
    ("GET http://some.onion/", 403), ("GET http://unknown.example/", 502), ("GET /", 400), ("GET https://a/", 400),
    ("CONNECT other.example", 400), ("CONNECT :80", 400), ("CONNECT a:0", 400), ("CONNECT a:99999", 400),
    ("CONNECT http://a/", 400), ("GET http://a:b/", 400), ("GET http://user@a/", 400), ("PRI *", 400),
    ("GET http:///", 400),
])
@on_loops
async def test_what_is_refused(request_line: str, status: int) -> None:
    async with proxied() as (proxy, _, served):
        answer = await said(proxy, f"{request_line} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())
        assert not served


@on_loops
async def test_a_body_after_connect_and_two_lengths_are_refused() -> None:
    async with proxied() as (proxy, port, _):
        for text in ("CONNECT other.example:80 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
                     f"POST http://other.example:{port}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
            assert (await said(proxy, text.encode())).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("kind", [HttpProxy, MixedProxy])
@on_loops
async def test_silence_and_nonsense_end(kind: type[HttpProxy]) -> None:
    async with proxied(kind, limits=Limits(request_timeout=0.1)) as (proxy, _, __):
        for data in (b"", b"G", b"\0\0\0", b"\x16\x03\x01\0\xff", b"\4"):
            await said(proxy, data)
        await until(lambda: not proxy.connections())
        counters = proxy.counters()
        assert counters["accepted"] == 5
        assert counters.get("errors", 0) == 0


@on_loops
async def test_socks_and_http_at_one_port() -> None:
    async with proxied(MixedProxy, users={"me": "secret"}) as (proxy, port, served):
        network = SocksNetwork(f"socks5://me:secret@127.0.0.1:{proxy.port}")
        (await network.connect_stream("other.example", port)).abort()
        assert (await said(proxy, b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n")).startswith(b"HTTP/1.1 407 ")
        await until(lambda: len(served) == 1)


@pytest.mark.parametrize("options", [[], ["--proxytunnel"], ["--socks5-hostname"]])
@on_loops
async def test_curl(options: list[str]) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl here")
    async with proxied(MixedProxy, users={"me": "secret"}) as (proxy, port, served):
        serving = asyncio.create_task(serve_http(served, 1))
        way = options if options[:1] == ["--socks5-hostname"] else [*options, "--proxy"]
        command = ["curl", "--silent", "--show-error", "--noproxy", "", "--max-time", "30", *way,
                   f"127.0.0.1:{proxy.port}", "--proxy-user", "me:secret", f"http://other.example:{port}/"]
        done = await asyncio.to_thread(lambda: subprocess.run(command, capture_output=True, text=True, check=False))
        assert (done.stdout, done.stderr) == ("hello\n", "")
        await serving
        assert served[0].data.startswith(b"GET / HTTP/1.1\r\n")


@on_loops
async def test_httpx() -> None:
    import httpx

    async with proxied() as (proxy, port, served):
        serving = asyncio.create_task(serve_http(served, 1))
        async with httpx.AsyncClient(proxy=f"http://127.0.0.1:{proxy.port}", trust_env=False) as asking:
            assert (await asking.get(f"http://other.example:{port}/")).text == "hello\n"
        await serving
