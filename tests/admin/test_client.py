"""Client."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.admin.service import serving
from tests.aio import on_loops
from ygg.admin import AdminError, Arguments, Client, Command, Endpoint

ECHO = Command("echo", "", lambda given: {"said": given.text("what")})


@on_loops
async def test_many_requests_over_one_connection(tmp_path: Path) -> None:
    async with serving(tmp_path / "s", ECHO) as server, Client(f"unix://{tmp_path}/s") as client:
        found = await asyncio.gather(*(client.request("echo", what=number) for number in range(20)))
        assert [one["said"] for one in found] == [str(number) for number in range(20)]
        with pytest.raises(AdminError, match="unknown action 'nosuch', try 'list' for help"):
            await client.request("nosuch")
        assert await client.request("echo", what="x", self="any", command="name") == {"said": "x"}
        assert server.counters()["connections"] == 1
    with pytest.raises(FileNotFoundError):
        await client.request("echo")


@on_loops
async def test_tcp_with_a_token() -> None:
    async with serving("127.0.0.1:0?token=t", ECHO) as server:
        async with Client(server.endpoint) as client:
            assert await client.request("echo") == {"said": ""}
        async with Client(str(server.endpoint)) as client:
            with pytest.raises(AdminError, match="a token is required"):
                await client.request("echo")


@on_loops
async def test_what_takes_too_long_is_given_up_and_the_next_has_a_connection_of_its_own(tmp_path: Path) -> None:
    async def never(given: Arguments) -> Any:
        await asyncio.Event().wait()

    commands = (ECHO, Command("never", "", never))
    async with serving(tmp_path / "s", *commands), Client(f"unix://{tmp_path}/s", timeout=1) as client:
        with pytest.raises(TimeoutError):
            await client.request("never")
        assert await client.request("echo", what="y") == {"said": "y"}


@on_loops
async def test_no_daemon(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        async with Client(Endpoint(path=str(tmp_path / "none"))):
            pass
