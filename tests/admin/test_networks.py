"""Networks of a running node's links, changed by commands."""

import json
from typing import Any

import pytest

from tests.aio import on_loops, until
from tests.nodes import node, ups
from ygg import LoopbackNetwork
from ygg.admin import AdminError, Arguments, Commands
from ygg.admin.networks import MAPPINGS_MAX, Networks, network_commands
from ygg.errors import BlockedHostError
from ygg.network import SocksNetwork

PROXY = {"Type": "socks", "ProxyURL": "socks5://user:hunter2@127.0.0.1:9050"}


@on_loops
async def test_networks_are_changed_while_links_are_up() -> None:
    async with LoopbackNetwork() as network, node(1, network) as core, node(2, network) as there:
        networks = Networks(core.manager, network)
        commands = Commands(*network_commands(networks))

        def ask(name: str, **given: Any) -> Any:
            return commands.find(name).run(Arguments(given))

        assert ask("getTransport") == {
            "default_network": "native", "default_network_config": "native", "network_mappings": {},
            "network_mapping_configs": {},
        }  # fmt: skip
        listener = await there.listen("tcp://127.0.0.1:0")
        core.add_peer(str(listener.url))
        await until(lambda: ups(core))
        found = ask("setTransport", network_mappings=json.dumps({"127.0.0.0/8": None, "*.Onion": PROXY}))
        assert found["network_mappings"] == {"127.0.0.0/8": None, "*.onion": "socks"}
        assert "hunter2" not in json.dumps(found)
        await until(lambda: not ups(core))
        with pytest.raises(BlockedHostError):
            core.manager.network_for("127.0.0.1")
        assert isinstance(core.manager.network_for("x.onion"), SocksNetwork)
        ask("setTransport", unset_network_mappings="127.0.0.0/8,*.ONION")
        core.retry_peers_now()
        await until(lambda: ups(core))
        ask("setTransport", default_network="null")
        await until(lambda: not ups(core))
        assert ask("setTransport", default_network="native")["default_network"] == "native"
        core.retry_peers_now()
        await until(lambda: ups(core))


@on_loops
async def test_a_wrong_one_changes_nothing() -> None:
    async with LoopbackNetwork() as network, node(1, network) as core:
        networks = Networks(core.manager, network)
        put = Commands(*network_commands(networks)).find("settransport")
        put.run(Arguments({"network_mappings": {"*.onion": None}}))
        before = networks.view()
        for wrong in (
            {"network_mappings": {"*.i2p": None, "*.loki": "other"}}, {"network_mappings": []},
            {"network_mappings": {"*.i2p": {"Type": "socks"}}}, {"network_mappings": {"10.0.0.0/99": None}},
            {"network_mappings": {"*.i2p": PROXY | {"ProxyURL": "http://h:1"}}}, {"default_network": "other"},
            {"network_mappings": {"*.i2p": None}, "default_network_config": "[]"},
            {"network_mappings": {f"{number}.example": None for number in range(MAPPINGS_MAX)}},
            {"unset_network_mappings": "10.0.0.0/99"},
        ):  # fmt: skip
            with pytest.raises(AdminError):
                put.run(Arguments(wrong))
            assert networks.view() == before
            assert core.manager.network_for("x.i2p") is network
