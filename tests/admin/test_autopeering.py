"""Public peers that are switched on, off and tuned by commands."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.aio import on_loops, until
from tests.nodes import node, ups
from ygg import LoopbackNetwork
from ygg.admin import AdminError, Arguments, Commands
from ygg.admin.autopeering import AutoPeering, autopeer_commands


@on_loops
async def test_public_peers_are_switched_on_tuned_and_switched_off(tmp_path: Path) -> None:
    network = LoopbackNetwork(addresses=["192.0.2.0/24"])
    async with network, node(1, network) as core, node(2, network) as there:
        await there.listen("tcp://192.0.2.1:700")
        own = tmp_path / "peers.json"
        own.write_text(json.dumps(["tcp://192.0.2.1:700?priority=3", "tls://192.0.2.1:701"]))
        autopeering = AutoPeering(core, network)
        commands = Commands(*autopeer_commands(autopeering))

        async def ask(name: str, **given: Any) -> Any:
            value = commands.find(name).run(Arguments(given))
            return await value if hasattr(value, "__await__") else value

        before = await ask("getAutoPeer")
        assert (before["enabled"], before["active"], before["sources"]) == (False, False, ["builtin"])
        assert (before["fetch_interval"], before["check_interval"]) == ("1h0m0s", "1m0s")
        assert await ask("getAutoPeerCandidates") == {"candidates": []}
        found = await ask(
            "setAutoPeer", enabled="true", sources=str(own), check_interval="90", fetch_interval="2h",
            minimum_connected="1", transport_schemes="tcp",
        )  # fmt: skip
        assert (found["enabled"], found["check_interval"], found["transport_schemes"]) == (True, "1m30s", ["tcp"])
        await until(lambda: ups(core))
        found = await ask("getAutoPeer")
        assert (found["active"], found["peers"], found["chosen"]) == (True, 2, ["tcp://192.0.2.1:700"])
        assert await ask("setAutoPeer", transport_schemes="tls", minimum_connected=0)
        assert await ask("getAutoPeerCandidates") == {"candidates": [{"uri": "tls://192.0.2.1:701", "country": ""}]}
        assert await ask("refreshAutoPeer") == {}
        off = await ask("setAutoPeer", enabled=False)
        assert (off["enabled"], off["active"], off["chosen"], off["minimum_connected"]) == (False, False, [], 0)
        assert ups(core)  # what was chosen stays
        await autopeering.stop()


@on_loops
async def test_wrong_settings_change_nothing() -> None:
    async with LoopbackNetwork() as network, node(1, network) as core:
        autopeering = AutoPeering(core, network)
        put = Commands(*autopeer_commands(autopeering)).find("setautopeer")
        for wrong in (
            {"transport_schemes": "gopher"}, {"check_interval": "0"}, {"check_interval": "soon"},
            {"fetch_interval": "-1h"}, {"minimum_connected": "1.5"}, {"enabled": "maybe"}, {"countries": {}},
        ):  # fmt: skip
            with pytest.raises((AdminError, ValueError)):
                await put.run(Arguments(wrong | ({"sources": "BUILTIN"} if "countries" not in wrong else {})))
            assert (autopeering.manager, autopeering.config.check_interval) == (None, 60)


@on_loops
async def test_candidates_are_told_best_first() -> None:
    async with LoopbackNetwork() as network, node(1, network) as core:
        autopeering = AutoPeering(core, network)
        commands = Commands(*autopeer_commands(autopeering))
        given = {"enabled": True, "countries": ["germany"], "transport_schemes": ["tls"], "minimum_connected": 0}
        await autopeer_commands(autopeering)[1].run(Arguments(given))
        await until(lambda: autopeering.fetcher.peers)
        told: Any = commands.find("getautopeercandidates").run(Arguments())
        found = told["candidates"]
        assert found
        assert all(one["uri"].startswith("tls://") and one["country"] == "germany" for one in found)
        await autopeering.stop()
