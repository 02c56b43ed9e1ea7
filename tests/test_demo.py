"""ygg.demo: two nodes that talk to each other by each of the library's faces."""

import re
from typing import Any

import pytest

from tests.aio import on_loops
from ygg import demo


@on_loops
async def test_each_part_has_its_answer() -> None:
    async with demo.two_nodes() as (server, client):
        assert server.addresses != client.addresses
        assert await demo.tcp(server, client) == "ping"
        assert await demo.udp(server, client) == "ping"
        assert await demo.http(server, client) == "pong"
        # Each leaves its port to the next.
        assert await demo.tcp(server, client) == "ping"


@on_loops
async def test_the_application_answers_whatever_it_is_asked() -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        raise AssertionError("it asks for nothing")

    await demo.pong({"type": "http"}, receive, send)
    start, body = sent
    assert (start["status"], dict(start["headers"])) == (200, {b"content-length": b"4"})
    assert body["body"] == b"pong"


@on_loops
async def test_it_prints_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    await demo.main()
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"2[0-9a-f:]+ is peered with 2[0-9a-f:]+", lines[0])
    assert lines[1:4] == ["tcp:ping", "udp:ping", "http:pong"]
    assert re.fullmatch(r"ping6: \d+\.\d\d ms", lines[4])
    assert len(lines) == 5
