"""ygg.proxy.forward: streams between this machine and the overlay, with all that a stream is."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.aio import on_loops, until
from tests.proxy.ends import Peer, backend, client, reset_by_the_system
from tests.vtunpair import ADDRESS_B, joined
from ygg.proxy import Forward, Limits, overlay, tcp, unix
from ygg_c.tcp.connection import TcpConnection


@on_loops
async def test_from_this_machine_to_the_overlay() -> None:
    async with (
        joined() as pair,
        backend(pair.b, ADDRESS_B) as (port, served),
        Forward(tcp("127.0.0.1", 0), overlay(pair.a, ADDRESS_B, port)) as forward,
    ):
        near = await client(forward.port)
        near.transport.write(b"question")
        await until(lambda: served and served[0].data == b"question")
        served[0].transport.write(b"answer")
        await until(lambda: near.data == b"answer")
        (info,) = forward.connections()
        assert (info.received, info.sent, info.connected) == (8, 6, True)
        near.transport.close()
        await until(lambda: served[0].eof)
        served[0].transport.close()
        await until(lambda: not forward.connections())
        assert forward.counters() == {
            "accepted": 1, "refused": 0, "forbidden": 0, "evicted": 0, "connected": 1, "failed": 0, "idle": 0,
            "received": 8, "sent": 6}


@on_loops
async def test_from_the_overlay_to_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "served")
    served: list[Peer] = []

    def factory() -> Peer:
        served.append(Peer())
        return served[-1]

    server = await asyncio.get_running_loop().create_unix_server(factory, path)
    async with joined() as pair, Forward(overlay(pair.b), unix(path)) as forward:
        near = await client(forward.port, pair.a, ADDRESS_B)
        near.transport.write(b"question")
        await until(lambda: served and served[0].data == b"question")
        served[0].transport.write(b"answer")
        served[0].transport.close()
        await until(lambda: near.data == b"answer" and near.eof)
        near.transport.close()
        await until(lambda: not forward.connections())
    server.close()


@on_loops
async def test_from_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "entrance"
    async with joined() as pair, backend(pair.b, ADDRESS_B) as (port, served):
        async with Forward(unix(str(path)), overlay(pair.a, ADDRESS_B, port)) as forward:
            assert forward.addresses == [str(path)]
            assert path.stat().st_mode & 0o777 == 0o600
            _, near = await asyncio.get_running_loop().create_unix_connection(Peer, str(path))
            near.transport.write(b"question")
            await until(lambda: served and served[0].data == b"question")
            near.transport.abort()
        assert not path.exists()


@pytest.mark.parametrize("into", [True, False], ids=["into the overlay", "out of it"])
@on_loops
async def test_a_half_close_is_kept(into: bool) -> None:
    async with joined() as pair:
        far, near_side = (pair.b, None) if into else (None, pair.b)
        async with backend(far, ADDRESS_B if into else "127.0.0.1") as (port, served):
            inward = Forward(tcp("127.0.0.1", 0), overlay(pair.a, ADDRESS_B, port))
            async with inward if into else Forward(overlay(pair.a), tcp("127.0.0.1", port)) as forward:
                near = await client(forward.port, near_side, "127.0.0.1" if into else str(pair.a.addresses[0]))
                near.transport.write(b"all of it")
                near.transport.write_eof()
                await until(lambda: served and served[0].eof)
                assert served[0].data == b"all of it"
                served[0].transport.write(b"x" * 300_000)
                served[0].transport.write_eof()
                await until(lambda: near.eof)
                assert len(near.data) == 300_000
                near.transport.close()
                served[0].transport.close()
                await until(lambda: not forward.connections())


@on_loops
async def test_a_reset_of_the_client_is_one_for_the_server() -> None:
    async with (
        joined() as pair,
        backend(pair.b, ADDRESS_B) as (port, served),
        Forward(tcp("127.0.0.1", 0), overlay(pair.a, ADDRESS_B, port)) as forward,
    ):
        near = await client(forward.port)
        near.transport.write(b"question")
        await until(lambda: served and served[0].data)
        reset_by_the_system(near)
        assert isinstance(await served[0].over, ConnectionResetError)
        await until(lambda: not forward.connections())


@on_loops
async def test_a_reset_of_the_server_is_one_for_the_client() -> None:
    async with (
        joined() as pair,
        backend(pair.b, ADDRESS_B) as (port, served),
        Forward(tcp("127.0.0.1", 0), overlay(pair.a, ADDRESS_B, port)) as forward,
    ):
        near = await client(forward.port)
        near.transport.write(b"question")
        await until(lambda: served and served[0].data)
        served[0].transport.get_extra_info("options").linger = 0.0
        served[0].transport.abort()
        assert isinstance(await near.over, ConnectionResetError)
        await until(lambda: not forward.connections())


@on_loops
async def test_a_reset_out_of_the_overlay() -> None:
    async with (
        joined() as pair,
        backend() as (port, served),
        Forward(overlay(pair.b), tcp("127.0.0.1", port)) as forward,
    ):
        near = await client(forward.port, pair.a, ADDRESS_B)
        near.transport.write(b"question")
        await until(lambda: served and served[0].data)
        reset_by_the_system(served[0])
        assert isinstance(await near.over, ConnectionResetError)


@on_loops
async def test_where_there_is_no_server_the_client_is_reset() -> None:
    async with joined() as pair, Forward(tcp("127.0.0.1", 0), overlay(pair.a, ADDRESS_B, 9)) as forward:
        near = await client(forward.port)
        assert isinstance(await near.over, ConnectionResetError)
        await until(lambda: not forward.connections())
        assert forward.counters()["failed"] == 1


@pytest.mark.parametrize("into", [True, False], ids=["into the overlay", "out of it"])
@on_loops
async def test_a_slow_reader_slows_the_writer(into: bool) -> None:
    """What is under way is bounded whatever is written; and all of it comes once it is read."""
    async with (
        joined() as pair,
        backend(pair.b if into else None, ADDRESS_B if into else "127.0.0.1") as (port, served),
    ):
        ends: Any = (tcp("127.0.0.1", 0), overlay(pair.a, ADDRESS_B, port))
        if not into:
            ends = overlay(pair.a), tcp("127.0.0.1", port)
        async with Forward(*ends) as forward:
            if into:
                near = await client(forward.port)
            else:
                near = await client(forward.port, pair.b, str(pair.a.addresses[0]))
            near.transport.write(b"-")
            await until(lambda: served and served[0].data)
            served[0].transport.pause_reading()
            size = 32 << 20
            near.transport.write(bytes(size))
            near.transport.write_eof()
            seen = -1
            while seen != (seen := forward.counters()["received"]):
                await asyncio.sleep(0.2)
            assert seen < size // 2
            served[0].transport.resume_reading()
            await until(lambda: served[0].eof)
            assert len(served[0].data) == size + 1
            near.transport.abort()


@on_loops
async def test_a_client_that_goes_while_the_target_is_dialed() -> None:
    async with joined() as pair, Forward(overlay(pair.b), overlay(pair.b, "200:cccc::1", 9)) as forward:
        near = await client(forward.port, pair.a, ADDRESS_B)
        await until(forward.connections)
        near.transport.get_extra_info("options").linger = 0.0
        near.transport.abort()
        await until(lambda: not forward.connections())


@on_loops
async def test_a_target_that_does_not_answer() -> None:
    async with joined() as pair:
        limits = Limits(connect_timeout=0.05)
        async with Forward(tcp("127.0.0.1", 0), overlay(pair.b, "200:cccc::1", 9), limits) as forward:
            near = await client(forward.port)
            assert isinstance(await near.over, ConnectionResetError)
            assert forward.counters()["failed"] == 1


@on_loops
async def test_closing_resets_all_and_waits() -> None:
    async with joined() as pair, backend(pair.b, ADDRESS_B) as (port, served):
        forward = Forward(tcp("127.0.0.1", 0), overlay(pair.a, ADDRESS_B, port))
        await forward.start()
        near = await client(forward.port)
        await until(lambda: served)
        forward.close()
        forward.close()
        await forward.wait_closed()
        assert isinstance(await near.over, ConnectionResetError)
        assert isinstance(await served[0].over, ConnectionResetError)
        assert forward.addresses == []


@on_loops
async def test_a_shutdown_lets_connections_end() -> None:
    async with joined() as pair, backend(pair.b, ADDRESS_B) as (port, served):
        forward = Forward(tcp("127.0.0.1", 0), overlay(pair.a, ADDRESS_B, port))
        await forward.start()
        entrance = forward.port
        near = await client(entrance)
        near.transport.write(b"question")
        await until(lambda: served and served[0].data)
        ending = asyncio.create_task(forward.shut_down(30.0))
        await asyncio.sleep(0)
        with pytest.raises(ConnectionRefusedError):
            await client(entrance)
        served[0].transport.write(b"answer")
        served[0].transport.close()
        await until(lambda: near.eof)
        assert near.data == b"answer"
        near.transport.close()
        await ending


@on_loops
async def test_a_vtun_that_is_closed_under_it() -> None:
    async with (
        joined() as pair,
        backend(pair.b, ADDRESS_B) as (port, served),
        Forward(tcp("127.0.0.1", 0), overlay(pair.a, ADDRESS_B, port)) as forward,
    ):
        near = await client(forward.port)
        await until(lambda: served)
        await pair.a.close(grace=0)
        assert isinstance(await near.over, ConnectionResetError)
        late = await client(forward.port)
        assert isinstance(await late.over, ConnectionResetError)


@on_loops
async def test_idle_connections_end() -> None:
    limits = Limits(idle=0.1)
    async with (
        joined() as pair,
        backend(pair.b, ADDRESS_B) as (port, served),
        Forward(tcp("127.0.0.1", 0), overlay(pair.a, ADDRESS_B, port), limits) as forward,
    ):
        near = await client(forward.port)
        await until(lambda: served)
        await near.over
        assert forward.counters()["idle"] == 1


@on_loops
async def test_half_closed_ones_have_a_time_of_their_own() -> None:
    limits = Limits(half_closed=0.1)
    async with (
        joined() as pair,
        backend(pair.b, ADDRESS_B) as (port, served),
        Forward(tcp("127.0.0.1", 0), overlay(pair.a, ADDRESS_B, port), limits) as forward,
    ):
        near, other = await client(forward.port), await client(forward.port)
        await until(lambda: len(served) == 2)
        near.transport.write_eof()
        await near.over
        assert forward.counters()["idle"] == 1
        assert len(forward.connections()) == 1
        other.transport.abort()


@on_loops
async def test_keepalive_is_on_at_both_ends() -> None:
    async with (
        joined() as pair,
        backend() as (port, served),
        Forward(overlay(pair.b), tcp("127.0.0.1", port)) as forward,
    ):
        near = await client(forward.port, pair.a, ADDRESS_B)
        await until(lambda: served)
        (accepted,) = [one for one in pair.b.stack.endpoints() if isinstance(one, TcpConnection)]
        assert accepted.keepalive is not None
        near.transport.abort()


@on_loops
async def test_more_than_the_limit_are_refused() -> None:
    limits = Limits(per_source=2)
    async with (
        joined() as pair,
        backend() as (port, _),
        Forward(overlay(pair.b), tcp("127.0.0.1", port), limits) as forward,
    ):
        peers = [await client(forward.port, pair.a, ADDRESS_B) for _ in range(2)]
        with pytest.raises(ConnectionResetError):
            await (await client(forward.port, pair.a, ADDRESS_B)).lost()
        assert forward.counters()["refused"] == 1
        assert len(forward.connections()) == 2
        for peer in peers:
            peer.transport.abort()


@on_loops
async def test_a_port_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with joined() as pair:
            forward = Forward(tcp("127.0.0.1", taken.getsockname()[1]), overlay(pair.a, ADDRESS_B, 1))
            with pytest.raises(OSError, match="in use"):
                await forward.start()
            forward.close()
            await forward.wait_closed()


async def answering(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that says which HTTP was spoken, and how many bytes came."""
    if scope["type"] != "http":
        return
    count, more = 0, True
    while more:
        message = await receive()
        count, more = count + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": f"{scope['http_version']} {count}".encode()})


@on_loops
async def test_http_2_passes_as_any_stream() -> None:
    """With prior knowledge (h2c), as gRPC begins: many requests at once on one connection.

    All bodies together fit the connection's first window: beyond it this client and this server at times wait for each
    other, with nothing under way between them.
    """
    import httpx
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    listening = socket.create_server(("127.0.0.1", 0))
    behind = tcp("127.0.0.1", listening.getsockname()[1])
    config, told = Config(), asyncio.Event()
    config.bind = [f"fd://{listening.detach()}"]
    serving = asyncio.create_task(serve(answering, config, shutdown_trigger=told.wait))
    async with (
        joined() as pair, Forward(overlay(pair.b, ADDRESS_B, 80), behind) as out,
        Forward(tcp("127.0.0.1", 0), overlay(pair.a, ADDRESS_B, 80)) as into,
        httpx.AsyncClient(http1=False, http2=True, trust_env=False, timeout=30) as asking,
    ):
        url = f"http://127.0.0.1:{into.port}/"
        replies = await asyncio.gather(*(asking.post(url, content=bytes(2_000)) for _ in range(20)))
        assert [reply.text for reply in replies] == ["2 2000"] * 20
        assert out.counters()["accepted"] == 1
    told.set()
    await serving
