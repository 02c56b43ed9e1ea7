"""The commands of a node."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.admin.service import asked, serving
from tests.aio import in_virtual_time, on_loops, until
from tests.nodes import node, ups
from ygg import Core, LoopbackNetwork
from ygg.admin import AdminError, Arguments, NodeParts, node_commands
from ygg.errors import ConfigError, KeyFormatError, PeerExistsError, PeerUnknownError, PriorityError, QueryTimeout
from ygg.testing import private_key, public_key

STOCK = {
    "addpeer", "debug_remotegetpeers", "debug_remotegetself", "debug_remotegettree", "getmulticastinterfaces",
    "getnodeinfo", "getpaths", "getpeers", "getself", "getsessions", "gettree", "gettun", "list", "lookups",
    "removepeer",
}  # fmt: skip


async def ask(core: Core, command: str, **arguments: Any) -> Any:
    value = node_commands(NodeParts(core)).find(command).run(Arguments(arguments))
    return await value if hasattr(value, "__await__") else value


@on_loops
async def test_every_command_of_the_stock_daemon_is_there() -> None:
    async with LoopbackNetwork() as network:
        async with node(1, network, log_lookups=True) as core:
            listed = (await ask(core, "list"))["list"]
            assert {entry["command"] for entry in listed} >= STOCK
        async with node(1, network) as core:
            listed = (await ask(core, "list"))["list"]
            assert "lookups" not in {entry["command"] for entry in listed}


@on_loops
async def test_state_of_two_nodes_and_what_each_tells_the_other() -> None:
    async with (
        LoopbackNetwork() as network, node(1, network, log_lookups=True) as here,
        node(2, network, node_info={"name": "two"}, log_lookups=True) as there,
    ):  # fmt: skip
        url = str((await there.listen("tcp://127.0.0.1:0")).url)
        assert await ask(here, "addPeer", uri=f"{url}?password=") == {}
        await until(lambda: ups(here) and ups(there) and len(here.tree()) == len(there.tree()) == 2)
        key, address = there.public_key.hex(), str(there.address)
        info = await ask(here, "getNodeInfo", key=key)
        assert info[key]["name"] == "two"
        assert await ask(here, "debug_remoteGetSelf", key=key) == {address: {"key": key, "routing_entries": "2"}}
        assert await ask(here, "debug_remoteGetPeers", key=key) == {address: {"keys": [here.public_key.hex()]}}
        tree = await ask(here, "debug_remoteGetTree", key=key)
        assert sorted(tree[address]["keys"]) == sorted([key, here.public_key.hex()])
        own = await ask(here, "getSelf")
        assert (own["key"], own["address"], own["subnet"]) == (
            here.public_key.hex(), str(here.address), str(here.subnet),
        )  # fmt: skip
        assert own["routing_entries"] == 2
        assert not own["build_version"].startswith("0.4.")
        (peer,) = (await ask(here, "getPeers"))["peers"]
        assert (peer["remote"], peer["up"], peer["key"]) == (url, True, key)
        assert [entry["key"] for entry in (await ask(here, "getTree"))["tree"]] == sorted([key, own["key"]])
        assert [entry["key"] for entry in (await ask(here, "getSessions"))["sessions"]] == [key]
        assert [entry["key"] for entry in (await ask(here, "getPaths"))["paths"]] == [key]
        assert await ask(here, "removePeer", uri=url) == {}
        assert await ask(here, "getPeers") == {"peers": []}


@on_loops
async def test_errors_have_the_stock_daemons_texts() -> None:
    async with LoopbackNetwork() as network, node(1, network) as core:
        await ask(core, "addpeer", uri="tcp://127.0.0.1:1")
        for command, arguments, kind, text in (
            ("addpeer", {"uri": "tcp://127.0.0.1:1?priority=3"}, PeerExistsError, "peer is already configured"),
            ("addpeer", {"uri": "foo"}, AdminError, "unable to parse peering URI: "),
            ("addpeer", {"uri": "foo://h:1"}, Exception, "link schema unknown"),
            ("addpeer", {"uri": "tcp://h:1?priority=999"}, PriorityError, "priority value is invalid"),
            ("removepeer", {"uri": "tcp://127.0.0.1:2"}, PeerUnknownError, "peer is not configured"),
            ("getnodeinfo", {}, AdminError, "no remote public key supplied"),
            ("getnodeinfo", {"key": "zz"}, KeyFormatError, "failed to decode public key: "),
            ("debug_remotegetself", {"key": "00"}, KeyFormatError, "invalid public key length"),
        ):  # fmt: skip
            with pytest.raises(kind, match=text):
                await ask(core, command, **arguments)


@in_virtual_time
async def test_who_does_not_answer() -> None:
    async with LoopbackNetwork() as network, node(1, network) as core:
        for command, kind, text in (
            ("getNodeInfo", QueryTimeout, "^timed out waiting for response$"),
            ("debug_remoteGetSelf", AdminError, "^timeout$"), ("debug_remoteGetPeers", AdminError, "^timeout$"),
            ("debug_remoteGetTree", AdminError, "^timeout$"),
        ):  # fmt: skip
            with pytest.raises(kind, match=text):
                await ask(core, command, key=public_key(9).hex())


@on_loops
async def test_hundreds_of_queries_to_other_nodes_wait_for_none_of_each_other(tmp_path: Path) -> None:
    """As a crawler asks them: most do not answer, and neither those that do nor local questions wait for these."""
    async with (
        LoopbackNetwork() as network, node(1, network) as here, node(2, network, node_info={"name": "two"}) as there,
        serving(tmp_path / "s", *(one for one in node_commands(NodeParts(here)) if one.name != "list")) as server,
    ):  # fmt: skip
        here.add_peer(str((await there.listen("tcp://127.0.0.1:0")).url))
        await until(lambda: ups(here) and len(here.tree()) == 2)
        away = [asyncio.create_task(asked(server, "getNodeInfo", key=public_key(number).hex()))
                for number in range(100, 300)]  # fmt: skip
        await until(lambda: server.counters()["requests"] == len(away))
        key = there.public_key.hex()
        queries = ("getNodeInfo", "debug_remoteGetSelf", "debug_remoteGetPeers", "debug_remoteGetTree")
        for query in queries:
            answers = await asyncio.gather(*(asked(server, query, key=key) for _ in range(10)))
            assert {answer["status"] for answer in answers} == {"success"}
        assert (await asked(server, "getSelf"))["response"]["key"] == here.public_key.hex()
        assert server.counters()["displaced"] == 0
        for task in away:
            task.cancel()
        await asyncio.gather(*away, return_exceptions=True)


@on_loops
async def test_who_looks_for_whom() -> None:
    async with (
        LoopbackNetwork() as network, node(1, network) as here, node(2, network, log_lookups=True) as there,
        node(3, network) as far,
    ):  # fmt: skip
        here.add_peer(str((await there.listen("tcp://127.0.0.1:0")).url))
        far.add_peer(str(there.listeners[0].url))
        await until(lambda: ups(here) and ups(far))
        await until(lambda: len({core.self_info().root for core in (here, there, far)}) == 1)
        await here.node_info(far.public_key)
        (first, *_) = [entry for entry in (await ask(there, "lookups"))["infos"]
                       if entry["key"] == here.public_key.hex()]  # fmt: skip
        assert first["addr"] == str(here.address)
        assert first["path"] == list(here.self_info().coordinates)
        assert abs(first["time"] - there.engine.wall) < 60
        assert here.lookups() == []


@on_loops
async def test_node_info_at_run_time() -> None:
    async with LoopbackNetwork() as network, node(1, network, node_info={"name": "a"}) as core:
        assert await ask(core, "getOwnNodeInfo") == {"nodeinfo": {"name": "a"}}
        assert await ask(core, "setNodeInfo", nodeinfo='{"name": "b"}', privacy="true") == {"nodeinfo": {"name": "b"}}
        assert json.loads(core.engine.nodeinfo) == {"name": "b"}
        for wrong in ({"nodeinfo": "[]"}, {"nodeinfo": {"x": "y" * 20000}}):
            with pytest.raises((AdminError, ConfigError)):
                await ask(core, "setNodeInfo", **wrong)
        assert core.own_node_info == {"name": "b"}
        await ask(core, "setNodeInfo")
        assert core.own_node_info == {}


@on_loops
async def test_no_answer_has_the_private_key() -> None:
    async with LoopbackNetwork() as network, node(1, network, log_lookups=True) as core:
        secret = private_key(1).hex()[:64]
        for command in node_commands(NodeParts(core)):
            if command.fields or command.name == "subscribe":
                continue
            assert secret not in json.dumps(await ask(core, command.name))
        assert await ask(core, "retryPeers") == {}
        assert await ask(core, "getTun") == {"enabled": False}
        tun = node_commands(NodeParts(core, tun=lambda: ("ygg0", 1280))).find("gettun").run(Arguments())
        assert tun == {"enabled": True, "name": "ygg0", "mtu": 1280}
