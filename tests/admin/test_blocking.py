"""BlockingClient."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.admin.service import serving
from tests.aio import on_loops
from ygg.admin import AdminError, Arguments, BlockingClient, Command, Stream

ECHO = Command("echo", "", lambda given: {"said": given.text("what")})


@on_loops
async def test_requests_from_a_thread(tmp_path: Path) -> None:
    async def lines() -> AsyncIterator[dict[str, int]]:
        yield {"n": 1}
        yield {"n": 2}

    async def never(given: Arguments) -> Any:
        await asyncio.Event().wait()

    def ask() -> None:
        with BlockingClient(f"unix://{tmp_path}/s", timeout=30) as client:
            assert client.request("echo", what="x") == {"said": "x"}
            with pytest.raises(AdminError, match="unknown action"):
                client.request("nosuch")
            assert client.request("echo", what="y") == {"said": "y"}
            assert list(client.subscribe("peers")) == [{"n": 1}, {"n": 2}]
            assert client.request("echo", what="z") == {"said": "z"}
        with BlockingClient(f"unix://{tmp_path}/s", timeout=1) as client, pytest.raises(TimeoutError):
            client.request("never")
        with pytest.raises(FileNotFoundError), BlockingClient(f"unix://{tmp_path}/none"):
            pass

    commands = (ECHO, Command("never", "", never), Command("subscribe", "", lambda _: Stream({}, lines())))
    async with serving(tmp_path / "s", *commands):
        await asyncio.to_thread(ask)


@on_loops
async def test_tcp() -> None:
    def ask(endpoint: Any) -> None:
        with BlockingClient(endpoint) as client:
            assert client.request("echo") == {"said": ""}

    async with serving("127.0.0.1:0?token=t", ECHO) as server:
        await asyncio.to_thread(ask, server.endpoint)
