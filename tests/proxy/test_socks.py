"""ygg.proxy.socks: clients of SOCKS, our own and others', and those who only waste its time."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

import pytest

from tests.aio import on_loops, until
from tests.proxy.ends import Peer, Port, backend, client, ports, sender
from tests.vtunpair import ADDRESS_A, ADDRESS_B, joined
from ygg.errors import ConnectionRefused, HostUnreachable, ProxyError
from ygg.names import Names
from ygg.network import NativeNetwork, SocksNetwork
from ygg.network.streams import streams
from ygg.proxy import DatagramLimits, Limits, NetworkRoute, OverlayRoute, SocksProxy, overlay, tcp, unix


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
        for command in (0xF2, 0xF3, 0, 99):
            assert await ask(proxy, command, b"\1\0\0\0\0\0\0") == b"\5\7\0\1" + bytes(6)


async def ask(proxy: SocksProxy, command: int, address: bytes) -> bytes:
    """Return the whole answer of version 5 to a request, without a login, once the proxy has closed."""
    near = await client(proxy.port)
    near.transport.write(b"\5\1\0\5" + bytes([command]) + b"\0" + address)
    await until(lambda: near.eof)
    near.transport.close()
    assert near.data[:2] == b"\5\0"
    return bytes(near.data[2:])


RAW_B = IPv6Address(ADDRESS_B).packed


@on_loops
async def test_tors_resolve() -> None:
    async with proxied() as (proxy, _, __):
        for name in (b"other.example", ADDRESS_B.encode()):
            answer = await ask(proxy, 0xF0, b"\3" + bytes([len(name)]) + name + b"\0\0")
            assert answer == b"\5\0\0\4" + RAW_B + b"\0\0"
        assert await ask(proxy, 0xF0, b"\3\7unknown\0\0") == b"\5\4\0\1" + bytes(6)
        assert await ask(proxy, 0xF1, b"\4" + RAW_B + b"\0\0") == b"\5\0\0\3\x0dother.example\0\0"
        assert await ask(proxy, 0xF1, b"\1\1\2\3\4\0\0") == b"\5\4\0\1" + bytes(6)
        near = await client(proxy.port)
        near.transport.write(b"\4\xf0\0\0\0\0\0\1\0other.example\0")    # version 4 has no room for such an address
        await until(lambda: near.eof)
        near.transport.close()
        assert near.data == b"\0\x5b" + bytes(6)


@pytest.mark.parametrize("version", [4, 5])
@on_loops
async def test_bind(version: int) -> None:
    async with joined() as pair:
        route = OverlayRoute(pair.a, Names({"other.example": ADDRESS_B}))
        async with SocksProxy(tcp("127.0.0.1", 0), route) as proxy:
            near = await client(proxy.port)
            if version == 5:
                near.transport.write(b"\5\1\0\5\2\0\3\x0dother.example\0\7")
                await until(lambda: len(near.data) == 24)
                assert near.data[2:22] == b"\5\0\0\4" + IPv6Address(ADDRESS_A).packed
            else:
                near.transport.write(b"\4\2\0\7\0\0\0\1\0other.example\0")
                await until(lambda: len(near.data) == 8)
                assert near.data[:2] == b"\0\x5a"
            port = int.from_bytes(near.data[22:24] if version == 5 else near.data[2:4])
            with pytest.raises(ConnectionResetError):
                await (await client(port, pair.a, ADDRESS_A)).lost()    # not whom it waits for
            assert proxy.counters()["foreign"] == 1
            far = await client(port, pair.b, ADDRESS_A)
            first = len(near.data)
            await until(lambda: len(near.data) > first)
            if version == 5:
                assert near.data[24:44] == b"\5\0\0\4" + RAW_B
            far.transport.write(b"question")
            await until(lambda: near.data.endswith(b"question"))
            near.transport.write(b"answer")
            await until(lambda: far.data == b"answer")
            with pytest.raises(ConnectionRefused):      # one connection, and the port is closed
                await client(port, pair.b, ADDRESS_A)
            near.transport.close()
            await until(lambda: far.eof)
            far.transport.abort()


@on_loops
async def test_bind_for_any_host_ends_with_its_time_or_its_client() -> None:
    async with proxied(limits=Limits(bind_timeout=0.2)) as (proxy, _, __):
        near = await client(proxy.port)
        near.transport.write(b"\5\1\0\5\2\0\1" + bytes(6))
        await until(lambda: near.eof)
        assert near.data[24:] == b"\5\4\0\1" + bytes(6)
        near.transport.close()
    async with proxied() as (proxy, _, __):
        near = await client(proxy.port)
        near.transport.write(b"\5\1\0\5\2\0\1" + bytes(6))
        await until(lambda: len(near.data) == 24)
        near.transport.abort()
        await until(lambda: not proxy.connections())


@on_loops
async def test_what_a_route_has_not_is_not_supported() -> None:
    async with NativeNetwork() as network, SocksProxy(tcp("127.0.0.1", 0), NetworkRoute(network)) as proxy:
        for command in (2, 0xF1):
            assert await ask(proxy, command, b"\1\x7f\0\0\1\0\7") == b"\5\7\0\1" + bytes(6)
        assert await ask(proxy, 0xF0, b"\3\x09localhost\0\0") in (
            b"\5\0\0\1\x7f\0\0\1\0\0", b"\5\0\0\4" + bytes(15) + b"\1\0\0")


@on_loops
async def test_who_is_not_allowed_is_reset() -> None:
    async with proxied(allow=["200::/7"]) as (proxy, _, __):
        near = await client(proxy.port)
        with pytest.raises(ConnectionResetError):
            await near.lost()
        await until(lambda: proxy.counters()["forbidden"] == 1)
        assert not proxy.connections()


# Datagrams


async def associate(proxy: SocksProxy, address: bytes = b"\1" + bytes(6)) -> tuple[Peer, int]:
    """Return the TCP connection of an association, and the port that it has got."""
    near = await client(proxy.port)
    near.transport.write(b"\5\1\0\5\3\0" + address)
    await until(lambda: len(near.data) == 12)
    assert near.data[:10] == b"\5\0\5\0\0\1\x7f\0\0\1"
    return near, int.from_bytes(near.data[10:12])


@on_loops
async def test_datagrams() -> None:
    async with joined() as pair, ports("::", network=pair.b) as (far,):
        route = OverlayRoute(pair.a, Names({"other.example": ADDRESS_B}))
        async with SocksProxy(tcp("127.0.0.1", 0), route) as proxy:
            near, number = await associate(proxy)
            port = await sender(number)
            numeric = b"\0\0\0\4" + RAW_B + far.number.to_bytes(2)
            named = b"\0\0\0\3\x0dother.example" + far.number.to_bytes(2)
            largest = bytes(65_507 - len(numeric))
            for header, data in ((numeric, b"one"), (named, b"two"), (numeric, largest)):
                port.transport.sendto(header + data)
                await until(lambda data=data: port.arrived and port.arrived[-1][0].endswith(data.upper()))
                assert port.arrived[-1][0] == header + data.upper()
            counters = proxy.counters()
            assert (counters["associated"], counters["flows_accepted"], counters["datagrams_sent"]) == (1, 2, 3)
            near.transport.close()
            await until(lambda: not proxy.connections())
            port.transport.sendto(numeric + b"late")
            await until(lambda: port.errors)
            assert proxy.counters()["datagrams_received"] == 3
            port.transport.close()


@on_loops
async def test_datagrams_of_others_fragments_and_nonsense_are_dropped() -> None:
    async with (
        joined() as pair,
        ports("::", network=pair.b) as (far,),
        SocksProxy(tcp("127.0.0.1", 0), OverlayRoute(pair.a)) as proxy,
    ):
        header = b"\4" + RAW_B + far.number.to_bytes(2)
        port, other = await sender(1), await sender(1)
        own = port.transport.get_extra_info("sockname")[1]
        port.transport.close()
        near, number = await associate(proxy, b"\1" + bytes(4) + own.to_bytes(2))
        other.transport.close()
        other = await sender(number)
        other.transport.sendto(b"\0\0\0" + header + b"x")
        await until(lambda: proxy.counters().get("foreign") == 1)
        _, port = await asyncio.get_running_loop().create_datagram_endpoint(
            Port, local_addr=("127.0.0.1", own), remote_addr=("127.0.0.1", number))
        port.transport.sendto(b"\0\0\1" + header + b"x")
        for nonsense in (b"\0\0\0", b"\1\0\0" + header, b"\0\0\0\4" + bytes(10), b"\0\0\0\3\0\0\7",
                         b"\0\0\0\2" + bytes(20), b"\0\0\0\3\1 \0\7x"):
            port.transport.sendto(nonsense)
        await until(lambda: proxy.counters().get("malformed_datagrams") == 6)
        assert proxy.counters()["fragments"] == 1
        port.transport.sendto(b"\0\0\0" + header + b"x")
        await until(lambda: port.arrived)
        assert far.data == [b"x"]
        for end in (near, port, other):
            end.transport.close()


@on_loops
async def test_an_association_that_is_not_to_be(tmp_path: Path) -> None:
    async with proxied() as (proxy, _, __):
        near = await client(proxy.port)
        near.transport.write(b"\4\3\0\1\1\2\3\4\0")
        await until(lambda: near.eof)
        assert near.data == b"\0\x5b" + bytes(6)
        near.transport.close()
    path = str(tmp_path / "socks")
    async with proxied(entrance=unix(path)):
        _, near = await asyncio.get_running_loop().create_unix_connection(Peer, path)
        near.transport.write(b"\5\1\0\5\3\0\1" + bytes(6))
        await until(lambda: near.eof)
        assert near.data == b"\5\0\5\7\0\1" + bytes(6)
        near.transport.close()


@on_loops
async def test_an_association_over_the_overlay() -> None:
    async with (
        joined() as pair,
        ports("127.0.0.1") as (far,),
        NativeNetwork() as network,
        SocksProxy(overlay(pair.b, None, 1080), NetworkRoute(network), allow=[ADDRESS_A]),
    ):
        near = await client(1080, pair.a, ADDRESS_B)
        near.transport.write(b"\5\1\0\5\3\0\1" + bytes(6))
        await until(lambda: len(near.data) == 24)
        assert near.data[2:22] == b"\5\0\0\4" + RAW_B
        port = await sender(int.from_bytes(near.data[22:]), pair.a, ADDRESS_B)
        header = b"\0\0\0\1\x7f\0\0\1" + far.number.to_bytes(2)
        port.transport.sendto(header + b"word")
        await until(lambda: port.data == [header + b"WORD"])
        port.transport.close()
        near.transport.close()


@on_loops
async def test_all_flows_of_all_clients_are_bounded() -> None:
    async with joined() as pair:
        limits = DatagramLimits(flows=30)
        async with SocksProxy(tcp("127.0.0.1", 0), OverlayRoute(pair.a), datagrams=limits) as proxy:
            ends: list[Any] = []
            for _ in range(4):
                near, number = await associate(proxy)
                port = await sender(number)
                ends += [near, port]
                for target in range(1, 21):
                    port.transport.sendto(b"\0\0\0\4" + RAW_B + target.to_bytes(2) + b"x")
            await until(lambda: proxy.counters().get("flows_refused") == 50)
            for end in ends:
                end.transport.close()
            await until(lambda: not proxy.connections())


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


@on_loops
async def test_pysocks_with_datagrams() -> None:
    import socks

    async with joined() as pair, ports("::", network=pair.b) as (far,):
        route = OverlayRoute(pair.a, Names({"other.example": ADDRESS_B}))
        async with SocksProxy(tcp("127.0.0.1", 0), route, users={"me": "secret"}) as proxy:
            with socks.socksocket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.settimeout(30)
                sock.set_proxy(socks.SOCKS5, "127.0.0.1", proxy.port, username="me", password="secret")
                for data in (b"question", bytes(60_000)):
                    await in_thread(sock.sendto, data, ("other.example", far.number))
                    answer, source = await in_thread(sock.recvfrom, 65_536)
                    assert (answer, source) == (data.upper(), (b"other.example", far.number))
            await until(lambda: not proxy.connections())
