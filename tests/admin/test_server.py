"""AdminServer: the protocol, and clients that are slow, rude or many."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.admin.service import asked, connect, hang_up, serving, spoken
from tests.aio import on_loops, until
from ygg.admin import Arguments, Command, Commands, Stream
from ygg.admin.connection import AdminLimits
from ygg.admin.endpoint import Endpoint
from ygg.admin.server import AdminServer
from ygg.errors import AddressInUse

ECHO = Command("echo", "", lambda given: {"said": given.text("what")})


def replies(data: bytes) -> list[Any]:
    """Return the replies in a stream."""
    decoder, found, text = json.JSONDecoder(), [], data.decode()
    while text.strip():
        value, end = decoder.raw_decode(text)
        assert text[end] == "\n"
        found.append(value)
        text = text[end + 1 :]
    return found


@on_loops
async def test_requests_of_one_connection_are_served_in_order(tmp_path: Path) -> None:
    async def wait(given: Arguments) -> str:
        await asyncio.sleep(0)
        return given.text("what")

    async with serving(tmp_path / "s", ECHO, Command("wait", "", wait)) as server:
        asking = (
            b'{"request":"wait","arguments":{"what":1},"keepalive":true}'
            b'{"request":"ECHO","keepalive":true}\n{"request":"echo"}{"request":"never"}'
        )
        assert replies(await spoken(server, asking)) == [
            {"status": "success", "request": {"request": "wait", "arguments": {"what": 1}, "keepalive": True},
             "response": "1"},
            {"status": "success", "request": {"request": "ECHO", "arguments": {}, "keepalive": True},
             "response": {"said": ""}},
            {"status": "success", "request": {"request": "echo", "arguments": {}}, "response": {"said": ""}},
        ]  # fmt: skip
        assert server.counters()["requests"] == 3


@on_loops
async def test_errors_close_and_say_why(tmp_path: Path) -> None:
    def fail(given: Arguments) -> None:
        raise RuntimeError("inside")

    async with serving(tmp_path / "s", ECHO, Command("fail", "", fail)) as server:
        for data, text in (
            (b"", "failed to find request"), (b"GET / HTTP/1.1\r\n\r\n", "failed to find request"),
            (b'{"request":"echo"', "failed to find request"), (b"5", "failed to unmarshal request"),
            (b'{"request":5}', "failed to unmarshal request"), (b"{}", "no request specified"),
            (b'{"request":"X"}', "unknown action 'x', try 'list' for help"),
            (b'{"request":"echo","arguments":5}', "arguments must be an object"),
            (b'{"request":"echo","arguments":{"what":[]}}', "what must be a string"),
            (b'{"request":"fail"}', "the command has failed; the node's log says how"),
        ):  # fmt: skip
            (reply,) = replies(await spoken(server, data))
            assert (reply["status"], reply["error"], reply["response"]) == ("error", text, None)
        assert (await asked(server, "echo"))["status"] == "success"
        assert server.counters()["failed"] == 1


@on_loops
async def test_null_in_place_of_arguments_is_none(tmp_path: Path) -> None:
    async with serving(tmp_path / "s", ECHO) as server:
        (reply,) = replies(await spoken(server, b'{"request":"echo","arguments":null}'))
        assert (reply["status"], reply["request"]["arguments"]) == ("success", None)


@on_loops
async def test_many_connections_wait_for_none_of_each_other(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def slow(given: Arguments) -> dict[str, Any]:
        await release.wait()
        return {}

    async with serving(tmp_path / "s", ECHO, Command("slow", "", slow)) as server:
        waiting = [asyncio.create_task(asked(server, "slow")) for _ in range(300)]
        await until(lambda: server.counters()["requests"] == 300)
        assert (await asked(server, "echo", what="x"))["response"] == {"said": "x"}
        release.set()
        assert {reply["status"] for reply in await asyncio.gather(*waiting)} == {"success"}


@on_loops
async def test_a_client_too_many_takes_the_place_of_an_idle_one_then_of_the_oldest_request(tmp_path: Path) -> None:
    held = asyncio.Event()

    async def hold(given: Arguments) -> str:
        await held.wait()
        return given.text("who")

    async with serving(tmp_path / "s", ECHO, Command("hold", "", hold), limits=AdminLimits(connections=2)) as server:
        idle = await connect(server)
        await until(lambda: server.counters()["open"] == 1)
        first = asyncio.create_task(asked(server, "hold", who="first"))
        await until(lambda: server.counters()["requests"] == 1)
        second = asyncio.create_task(asked(server, "hold", who="second"))
        await until(lambda: server.counters()["requests"] == 2)
        assert await idle[0].read() == b""
        # All are busy now, and a new client gets in.
        assert (await asked(server, "echo", what="new"))["response"] == {"said": "new"}
        with pytest.raises((ValueError, OSError)):
            await first
        held.set()
        assert (await second)["response"] == "second"
        assert server.counters()["displaced"] == 2
        await hang_up(idle[1])


@on_loops
async def test_one_source_takes_no_connection_of_another(tmp_path: Path) -> None:
    held = asyncio.Event()

    async def hold(given: Arguments) -> str:
        await held.wait()
        return "held"

    limits = AdminLimits(connections=10)
    async with serving("tcp://127.0.0.1:0", ECHO, Command("hold", "", hold), limits=limits) as server:
        mine = asyncio.create_task(asked(server, "hold"))
        await until(lambda: server.counters()["requests"] == 1)
        rude = [await asyncio.open_connection("127.0.0.1", server.endpoint.port, local_addr=("127.0.0.9", 0))
                for _ in range(100)]  # fmt: skip
        await until(lambda: server.counters()["displaced"] == 91)
        assert (await asked(server, "echo", what="another"))["response"] == {"said": "another"}
        held.set()
        assert (await mine)["response"] == "held"
        for _, writer in rude:
            await hang_up(writer)


@on_loops
async def test_hundreds_of_rude_connections(tmp_path: Path) -> None:
    """Some say nothing or a part of a request, others nonsense, and others ask and do not read."""
    big = Command("big", "", lambda _: ["x" * 100_000] * 10)
    said = (b"", b'{"request":', b'{"request":"big"}', b"GET / HTTP/1.1", b"\x00" * 100)
    async with serving(tmp_path / "s", ECHO, big, limits=AdminLimits(40, replies=4 << 20)) as server:
        rude = []
        for number in range(400):
            client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            client.setblocking(False)
            client.connect(str(tmp_path / "s"))
            client.send(said[number % len(said)])
            rude.append(client)
            if number % 40 == 0:
                await until(lambda: server.counters()["connections"] >= len(rude))
                assert server.counters()["open"] <= 40
                assert (await asked(server, "echo", what="x"))["response"] == {"said": "x"}
                for old in rude[:-160]:
                    old.close()  # this process may have few descriptors
        await until(lambda: server.counters()["connections"] == 410)
        assert (await asked(server, "echo"))["status"] == "success"
        assert server.counters()["refused"] == 0
        for client in rude:
            client.close()


@on_loops
async def test_a_client_that_asks_a_thousand_times_at_once_has_others_served_between(tmp_path: Path) -> None:
    served: list[str] = []
    note = Command("note", "", lambda given: served.append(given.text("who")))
    async with serving(tmp_path / "s", note) as server:
        reader, writer = await connect(server)
        writer.write(b'{"request":"note","arguments":{"who":"many"},"keepalive":true}' * 1000)
        await asked(server, "note", who="one")
        assert served.index("one") < 990
        for _ in range(1000):
            await reader.readuntil(b"\n}\n")
        await hang_up(writer)


@on_loops
async def test_a_request_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    async with serving(tmp_path / "s", ECHO, limits=AdminLimits(request_time=0.05)) as server:
        reader, writer = await connect(server)
        writer.write(b'{"request":')
        assert await reader.read() == b""
        await hang_up(writer)
        assert server.counters()["open"] == 0


@on_loops
async def test_a_client_that_does_not_read_is_given_up(tmp_path: Path) -> None:
    big = Command("big", "", lambda _: ["x" * 1000] * 4000)
    async with serving(tmp_path / "s", big, ECHO, limits=AdminLimits(write_time=0.05)) as server:
        _, writer = await connect(server)
        writer.write(b'{"request":"big"}')
        await until(lambda: server.counters()["slow"] == 1)
        await hang_up(writer)
        assert (await asked(server, "echo"))["status"] == "success"


@on_loops
async def test_a_long_reply_comes_whole(tmp_path: Path) -> None:
    value = [{"number": number, "list": []} for number in range(5000)]
    async with serving(tmp_path / "s", Command("long", "", lambda _: value)) as server:
        assert (await asked(server, "long"))["response"] == value


@on_loops
async def test_a_request_that_is_too_long_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path / "s", ECHO, limits=AdminLimits(request=100)) as server:
        (reply,) = replies(await spoken(server, b'{"request":"' + b"x" * 200))
        assert reply["error"] == "it is longer than 100 bytes"


@on_loops
async def test_tcp_and_its_token() -> None:
    async with serving("tcp://127.0.0.1:0?token=secret", ECHO) as server:
        assert server.endpoint.port
        for token, status in (("", "error"), (',"token":"other"', "error"), (',"token":"secret"', "success")):
            (reply,) = replies(await spoken(server, b'{"request":"echo"%s}' % token.encode()))
            assert reply["status"] == status
            assert "secret" not in json.dumps(reply)
        assert server.counters()["unauthorized"] == 2


@on_loops
async def test_the_owner_needs_no_token_at_a_unix_socket(tmp_path: Path) -> None:
    async with serving(f"unix://{tmp_path}/s?token=secret", ECHO) as server:
        assert (await asked(server, "echo"))["status"] == "success"


@on_loops
async def test_lines_follow_until_they_end_or_the_client_hangs_up(tmp_path: Path) -> None:
    closed = []
    more = asyncio.Event()

    async def lines(wait: bool) -> AsyncIterator[dict[str, int]]:
        try:
            yield {"n": 1}
            yield {"n": 2}
            if wait:
                await more.wait()
        finally:
            closed.append(wait)

    command = Command("lines", "", lambda given: Stream({"begun": True}, lines(given.flag("wait"))))
    async with serving(tmp_path / "s", command) as server:
        whole = await spoken(server, b'{"request":"lines"}')
        assert replies(whole)[0]["response"] == {"begun": True}
        reader, writer = await connect(server)
        writer.write(b'{"request":"lines","arguments":{"wait":true}}')
        text = await reader.readuntil(b'{"n":2}\n')
        assert b'\n}\n{"n":1}\n{"n":2}\n' in text
        await hang_up(writer)
        await until(lambda: True in closed)


@on_loops
async def test_the_socket_is_gone_at_the_end_and_another_is_refused_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with serving(path, ECHO) as server:
        with pytest.raises(AddressInUse):
            await AdminServer(Commands(), Endpoint(path=str(path))).start()
        _, writer = await connect(server)
        await until(lambda: server.counters()["open"] == 1)
    assert not path.exists()
    assert server.counters()["open"] == 0
    await hang_up(writer)
    await server.close()


@on_loops
async def test_an_abstract_socket() -> None:
    async with serving(f"unix://@ygg-test-server-{os.getpid()}", ECHO) as server:
        assert (await asked(server, "echo"))["status"] == "success"
