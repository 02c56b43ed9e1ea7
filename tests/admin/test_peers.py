"""Commands that change peers, in the configuration file too."""

from pathlib import Path
from typing import Any

import pytest

from tests.aio import on_loops
from tests.nodes import node
from ygg import Config, Core, LoopbackNetwork
from ygg.admin import AdminError, Arguments, Commands
from ygg.admin.peers import peer_commands
from ygg.config.peersfile import PeersFile
from ygg.errors import ConfigError, PeerExistsError, PeerUnknownError


def urls(core: Core) -> list[str]:
    return sorted(link.url for link in core.peers())


@on_loops
async def test_peers_are_kept_in_the_file_where_that_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "ygg.conf"
    path.write_text("{\n  # mine\n  Peers: [ 'tcp://127.0.0.1:1' ]\n}\n")
    async with LoopbackNetwork() as network, node(1, network) as core:
        commands = Commands(*peer_commands(core, PeersFile(path)))

        async def ask(name: str, **given: Any) -> Any:
            return await commands.find(name).run(Arguments(given))

        core.add_peer("tcp://127.0.0.1:1")
        assert await ask("addPeer", uri="tcp://127.0.0.1:2", persist="true") == {}
        assert await ask("addPeer", uri="tcp://127.0.0.1:3") == {}
        assert Config.load(path).peers == ["tcp://127.0.0.1:1", "tcp://127.0.0.1:2"]
        assert await ask("addPeer", uri="tcp://127.0.0.1:3", persist=True) == {}  # it is there, and is kept from now on
        assert urls(core) == [f"tcp://127.0.0.1:{port}" for port in (1, 2, 3)]
        with pytest.raises(PeerExistsError):
            await ask("addPeer", uri="tcp://127.0.0.1:3", persist=True)
        assert await ask("removePeer", uri="tcp://127.0.0.1:2") == {}
        assert await ask("removePeer", uri="tcp://127.0.0.1:2", persist=True) == {}
        with pytest.raises(PeerUnknownError):
            await ask("removePeer", uri="tcp://127.0.0.1:2", persist=True)
        assert await ask("removePeer", uri="tcp://127.0.0.1:1", persist=True) == {}
        assert Config.load(path).peers == ["tcp://127.0.0.1:3"]
        assert urls(core) == ["tcp://127.0.0.1:3"]
        assert "# mine" in path.read_text()


@on_loops
async def test_where_the_file_cannot_be_changed_nothing_is(tmp_path: Path) -> None:
    path = tmp_path / "ygg.conf"
    path.write_text("{Peers: {}}")
    async with LoopbackNetwork() as network, node(1, network) as core:
        commands = Commands(*peer_commands(core, PeersFile(path)))
        core.add_peer("tcp://127.0.0.1:1")
        for name, uri in (("addPeer", "tcp://127.0.0.1:2"), ("removePeer", "tcp://127.0.0.1:1")):
            with pytest.raises(ConfigError):
                await commands.find(name).run(Arguments({"uri": uri, "persist": True}))
        assert urls(core) == ["tcp://127.0.0.1:1"]
        assert path.read_text() == "{Peers: {}}"
        with pytest.raises(AdminError, match="no configuration file"):
            await Commands(*peer_commands(core)).find("addpeer").run(Arguments({"uri": "tcp://h:1", "persist": "1"}))
