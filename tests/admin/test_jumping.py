"""Direct links that are switched on, off and tuned by commands."""

from typing import Any

import pytest

from tests.aio import on_loops, until
from tests.nodes import node
from ygg import LoopbackNetwork
from ygg.admin import AdminError, Arguments, Commands
from ygg.admin.jumping import Jumping, jumper_commands


@on_loops
async def test_direct_links_are_switched_on_tuned_and_switched_off() -> None:
    async with LoopbackNetwork() as network, node(1, network) as core:
        jumping = Jumping(core)
        commands = Commands(*jumper_commands(jumping))

        async def ask(name: str, **given: Any) -> Any:
            value = commands.find(name).run(Arguments(given))
            return await value if hasattr(value, "__await__") else value

        assert await ask("getJumper") == {
            "enabled": False, "active": False, "addresses": [], "check_interval": "5s", "published": [], "links": [],
        }  # fmt: skip
        await ask("setJumper", enabled=True, addresses="tls://9.9.9.9:443", check_interval="1s")
        await until(lambda: core.own_node_info)
        found = await ask("getJumper")
        assert (found["enabled"], found["published"]) == (True, ["tls://9.9.9.9:443"])
        before = jumping.jumper
        await ask("setJumper", enabled=True)
        assert jumping.jumper is before
        with pytest.raises(AdminError):
            await ask("setJumper", addresses="tls://10.0.0.1:443")
        with pytest.raises(AdminError):
            await ask("setJumper", check_interval="never")
        assert jumping.jumper is before
        assert (await ask("setJumper", enabled="off"))["published"] == []
        assert core.own_node_info == {}
        await jumping.stop()
