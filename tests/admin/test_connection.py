"""Connection: what a client may take, and who may ask."""

import asyncio
import json
import os
import socket
from pathlib import Path

import pytest

from tests.admin.service import asked, connect, hang_up, serving, spoken
from tests.aio import on_loops, until
from ygg.admin import AdminLimits, Arguments, Command

ECHO = Command("echo", "", lambda given: {"said": given.text("what")})
BIG = Command("big", "", lambda _: ["x" * 1000] * 1000)


def connected_as(user: int, address: str) -> socket.socket:
    """Return a connection that another user has made."""
    client = socket.socket(socket.AF_UNIX)
    os.seteuid(user)
    try:
        client.connect(address)
    finally:
        os.seteuid(0)
    return client


@on_loops
async def test_replies_that_are_not_read_have_a_bound_and_the_slowest_goes(tmp_path: Path) -> None:
    async with serving(tmp_path / "s", BIG, ECHO, limits=AdminLimits(replies=3_100_000)) as server:
        slow = []
        for number in range(1, 6):
            slow.append(await connect(server))
            slow[-1][1].write(b'{"request":"big"}')
            await until(lambda: server.counters()["requests"] == number)  # noqa: B023
        await until(lambda: server.counters()["slow"] == 2)
        assert (await asked(server, "echo"))["status"] == "success"
        whole = await slow[-1][0].read()
        assert json.loads(whole)["response"] == ["x" * 1000] * 1000
        for _, writer in slow:
            await hang_up(writer)


@on_loops
async def test_replies_of_a_source_are_made_one_after_another_while_it_waits_for_other_nodes_at_once(
    tmp_path: Path,
) -> None:
    waiting = 0
    release = asyncio.Event()

    async def far(given: Arguments) -> str:
        nonlocal waiting
        waiting += 1
        await release.wait()
        return "far"

    async with serving(tmp_path / "s", Command("far", "", far), BIG) as server:
        asking = [asyncio.create_task(asked(server, "far")) for _ in range(100)]
        await until(lambda: waiting == 100)
        assert len((await asked(server, "big"))["response"]) == 1000
        release.set()
        assert {reply["response"] for reply in await asyncio.gather(*asking)} == {"far"}


@on_loops
async def test_what_a_client_sent_that_json_cannot_say_is_an_error(tmp_path: Path) -> None:
    async with serving(tmp_path / "s", ECHO) as server:
        reply = json.loads(await spoken(server, b'{"request":"echo","arguments":{"what":"\\ud800"}}'))
        assert reply["status"] == "success"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be another user")
@on_loops
async def test_another_user_needs_the_token_at_a_unix_socket_too(tmp_path: Path) -> None:
    name = f"unix://@ygg-test-stranger-{os.getpid()}?token=secret"
    async with serving(name, ECHO) as server:
        for token, status in (("", "error"), ("other", "error"), ("secret", "success")):
            client = connected_as(65534, server.endpoint.socket_address)
            reader, writer = await asyncio.open_unix_connection(sock=client)
            writer.write(json.dumps({"request": "echo", "token": token}).encode())
            assert json.loads(await reader.read())["status"] == status
            await hang_up(writer)
        assert server.counters()["unauthorized"] == 2
