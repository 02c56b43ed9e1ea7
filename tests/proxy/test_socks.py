"""ygg.proxy.socks: clients of SOCKS, our own and others', and those who only waste its time."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.aio import on_loops, until
from tests.proxy.ends import Peer, backend, client
from tests.vtunpair import ADDRESS_B, joined
from ygg.errors import ConnectionRefused, HostUnreachable, ProxyError
from ygg.network import SocksNetwork
from ygg.network.streams import streams
from ygg.proxy import Limits, Names, OverlayRoute, SocksProxy, tcp, unix


@asynccontextmanager
async def proxied(**options: Any) -> AsyncIterator[tuple[SocksProxy, int, list[Peer]]]:
    """Run a proxy of one VTun, with a server on the other; yield the proxy and the server's port."""
    async with joined() as pair, backend(pair.b, ADDRESS_B) as (port, served):
        route = OverlayRoute(pair.a, Names({"other.example": ADDRESS_B}))
        async with SocksProxy(options.pop("entrance", tcp("127.0.0.1", 0)), route, **options) as proxy:
            yield proxy, port, served


async def in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)


@on_loops
async def test_our_own_client() -> None:
    async with proxied() as (proxy, port, served):
        network = SocksNetwork(f"socks5://127.0.0.1:{proxy.port}")
        for host in (ADDRESS_B, "other.example"):
            reader, writer = streams(await network.connect_stream(host, port))
            writer.write(b"question")
            await until(lambda: served and served[-1].data == b"question")
            served[-1].transport.write(b"answer")
            served[-1].transport.close()
            assert await reader.read() == b"answer"
            writer.close()
        await until(lambda: not proxy.connections())
        assert proxy.counters()["connected"] == 2


@on_loops
async def test_errors_are_told() -> None:
    async with proxied() as (proxy, port, _):
        network = SocksNetwork(f"socks5://127.0.0.1:{proxy.port}")
        for host, to, error in ((ADDRESS_B, 9, ConnectionRefused), ("unknown.example", port, HostUnreachable),
                                ("192.0.2.1", port, HostUnreachable)):
            with pytest.raises(error):
                await network.connect_stream(host, to)
        await until(lambda: not proxy.connections())
        assert proxy.counters()["failed"] == 3


@on_loops
async def test_logging_in() -> None:
    async with proxied(users={"me": "s€cret"}) as (proxy, port, _):
        good = SocksNetwork(f"socks5://me:s%E2%82%ACcret@127.0.0.1:{proxy.port}")
        (await good.connect_stream(ADDRESS_B, port)).abort()
        for wrong in ("socks5://me:wrong@", "socks5://", "socks5://you:@", "socks5://you:x@"):
            with pytest.raises(ProxyError):
                await SocksNetwork(f"{wrong}127.0.0.1:{proxy.port}").connect_stream(ADDRESS_B, port)
        assert proxy.counters()["malformed"] == 4


@on_loops
async def test_what_follows_the_request_at_once_is_not_lost() -> None:
    async with proxied() as (proxy, port, served):
        near = await client(proxy.port)
        near.transport.write(b"\5\1\0\5\1\0\3\x0dother.example" + port.to_bytes(2) + b"question")
        await until(lambda: served and served[0].data == b"question")
        near.transport.abort()


@on_loops
async def test_other_commands_are_answered() -> None:
    async with proxied() as (proxy, _, __):
        for command in (2, 3, 0xF0, 99):
            near = await client(proxy.port)
            near.transport.write(b"\5\1\0\5" + bytes([command]) + b"\0\1\0\0\0\0\0\0")
            await until(lambda near=near: near.eof)
            assert near.data == b"\5\0\5\7\0\1" + bytes(6)
            near.transport.close()


@on_loops
async def test_nonsense_and_silence_end() -> None:
    async with proxied(limits=Limits(request_timeout=0.1)) as (proxy, _, __):
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"\5\1\0", b"", b"\4" + b"A" * 1000):
            near = await client(proxy.port)
            near.transport.write(data or b"\5")
            await until(lambda near=near: near.eof or near.over.done())
            near.transport.abort()
        await until(lambda: not proxy.connections())
        counters = proxy.counters()
        assert counters["malformed"] + counters["unanswered"] == 4


@on_loops
async def test_a_client_that_sends_a_byte_at_a_time_has_its_time_and_no_more() -> None:
    async with proxied(limits=Limits(request_timeout=0.2)) as (proxy, _, __):
        near = await client(proxy.port)
        near.transport.write(b"\4\1\0\1\1\2\3\4")
        for _ in range(100):
            if near.over.done() or near.transport.is_closing():
                break
            near.transport.write(b"A")
            await asyncio.sleep(0.01)
        await until(lambda: near.over.done() or near.eof)
        near.transport.abort()
        assert proxy.counters()["unanswered"] == 1


@on_loops
async def test_half_open_ones_are_bounded_and_let_others_in_again() -> None:
    async with proxied(limits=Limits(connections=20, request_timeout=0.3)) as (proxy, port, _):
        silent = [await client(proxy.port) for _ in range(100)]
        await until(lambda: proxy.counters()["accepted"] == 100)
        assert len(proxy.connections()) <= 20
        await until(lambda: not proxy.connections())
        transport = await SocksNetwork(f"socks5://127.0.0.1:{proxy.port}").connect_stream(ADDRESS_B, port)
        transport.abort()
        for peer in silent:
            peer.transport.abort()


@on_loops
async def test_over_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "socks")
    async with proxied(entrance=unix(path)) as (_, port, served):
        _, near = await asyncio.get_running_loop().create_unix_connection(Peer, path)
        near.transport.write(b"\4\1" + port.to_bytes(2) + b"\0\0\0\1me\0other.example\0question")
        await until(lambda: served and served[0].data == b"question" and len(near.data) >= 2)
        assert near.data[:2] == b"\0\x5a"
        near.transport.abort()


# Programs and libraries of others


def answer_http(peer: Peer) -> None:
    peer.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n")


async def serve_http(served: list[Peer], count: int) -> None:
    for number in range(count):
        await until(lambda number=number: len(served) > number and b"\r\n\r\n" in served[number].data)
        answer_http(served[number])


@pytest.mark.parametrize(("scheme", "host"), [
    ("socks5", f"[{ADDRESS_B}]"), ("socks5h", "other.example"), ("socks4a", "other.example"),
    ("socks5h", "me:secret"),
])
@on_loops
async def test_curl(scheme: str, host: str) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl here")
    users = {"me": "secret"} if host == "me:secret" else None
    user, host = ("me:secret@", "other.example") if users else ("", host)
    async with proxied(users=users) as (proxy, port, served):
        serving = asyncio.create_task(serve_http(served, 1))
        command = ["curl", "--silent", "--show-error", "--noproxy", "", "--max-time", "30",
                   "--proxy", f"{scheme}://{user}127.0.0.1:{proxy.port}", f"http://{host}:{port}/"]
        done = await in_thread(lambda: subprocess.run(command, capture_output=True, text=True, check=False))
        assert (done.stdout, done.stderr) == ("hello\n", "")
        await serving
        assert served[0].data.startswith(b"GET / HTTP/1.1\r\n")


@pytest.mark.parametrize("scheme", ["socks5h", "socks4a", "socks5"])
@on_loops
async def test_python_socks(scheme: str) -> None:
    from python_socks.sync import Proxy

    async with proxied() as (proxy, port, served):
        host = ADDRESS_B if scheme == "socks5" else "other.example"
        url = f"{scheme.replace('socks5h', 'socks5').replace('4a', '4')}://127.0.0.1:{proxy.port}"
        made = Proxy.from_url(url, rdns=scheme != "socks5")
        sock = await in_thread(lambda: made.connect(host, port, timeout=30))
        with sock:
            await in_thread(sock.sendall, b"question")
            await until(lambda: served and served[0].data == b"question")


@pytest.mark.parametrize("version", [5, 4])
@on_loops
async def test_pysocks(version: int) -> None:
    import socks

    async with proxied() as (proxy, port, served):
        with socks.socksocket(socket.AF_INET) as sock:
            sock.set_proxy(socks.SOCKS5 if version == 5 else socks.SOCKS4, "127.0.0.1", proxy.port, rdns=True)
            await in_thread(sock.connect, ("other.example", port))
            await in_thread(sock.sendall, b"question")
            await until(lambda: served and served[0].data == b"question")
            for target, error in ((("other.example", 9), socks.ProxyConnectionError), (("unknown", port), OSError)):
                with socks.socksocket(socket.AF_INET) as other:
                    other.set_proxy(socks.SOCKS5, "127.0.0.1", proxy.port, rdns=True)
                    with pytest.raises((error, OSError)):
                        await in_thread(other.connect, target)
