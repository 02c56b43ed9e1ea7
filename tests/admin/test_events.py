"""`subscribe`."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, cast

import pytest

from tests.aio import on_loops, until
from tests.nodes import node
from ygg import LoopbackNetwork
from ygg.admin import AdminError, AdminServer, Arguments, Client, Commands, Endpoint, Stream
from ygg.admin.events import LIMIT, Lines, subscribe_command


@on_loops
async def test_peers_come_and_go(tmp_path: Path) -> None:
    place = Endpoint(path=str(tmp_path / "s"))
    async with LoopbackNetwork() as network, node(1, network) as here, node(2, network) as there:
        url = str((await there.listen("tcp://127.0.0.1:0")).url)
        async with AdminServer(Commands(subscribe_command(here)), place) as server, Client(place) as client:
            lines = cast("AsyncGenerator[dict[str, Any], None]", client.subscribe("peers", "root"))
            first = asyncio.ensure_future(anext(lines))
            await until(lambda: server.counters()["requests"])
            here.add_peer(url)
            found = [await first]
            while found[-1]["event"] != "peer_up":
                found.append(await anext(lines))
            up = found[-1]
            assert (up["key"], up["address"]) == (there.public_key.hex(), str(there.address))
            assert (up["remote"], up["inbound"]) == (url, False)
            here.remove_peer(url)
            while found[-1]["event"] != "peer_down":
                found.append(await anext(lines))
            assert found[-1]["reason"]
            assert all(abs(line["time"] - up["time"]) < 60 for line in found)
            await lines.aclose()
            await until(lambda: not server.counters()["open"])


@on_loops
async def test_the_log_at_a_level(tmp_path: Path) -> None:
    log = logging.getLogger("ygg.test")
    async with LoopbackNetwork() as network, node(1, network) as here:
        command = subscribe_command(here)
        stream = cast("Stream", command.run(Arguments({"events": ["log"], "level": "WARN"})))
        log.info("not this")
        log.warning("this %s", "one")
        line = await anext(stream.lines)
        assert (line["event"], line["level"], line["logger"], line["message"]) == (
            "log", "warning", "ygg.test", "this one",
        )  # fmt: skip
        await cast("Lines", stream.lines).aclose()
        assert not logging.getLogger("ygg").handlers
        for wrong in ({"events": "nothing"}, {"level": "loud"}):
            with pytest.raises(AdminError, match=r"there are no events 'nothing'|level must be"):
                command.run(Arguments(wrong))


@on_loops
async def test_what_a_client_does_not_read_is_counted() -> None:
    lines = Lines()
    for number in range(LIMIT + 3):
        lines.put({"n": number})
    lost = await anext(lines)
    assert (lost["event"], lost["count"]) == ("lost", 3)
    assert await anext(lines) == {"n": 3}
    await lines.aclose()
    assert [line async for line in lines][-1] == {"n": LIMIT + 2}
