"""The commands of a node: those of the stock daemon, and more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ygg.admin import views
from ygg.admin.arguments import Arguments
from ygg.admin.autopeering import AutoPeering, autopeer_commands
from ygg.admin.commands import Command, Commands
from ygg.admin.errors import AdminError
from ygg.admin.events import subscribe_command
from ygg.admin.jumping import Jumping, jumper_commands
from ygg.admin.networks import Networks, network_commands
from ygg.admin.peers import peer_commands
from ygg.config.config import Config
from ygg.config.peersfile import PeersFile
from ygg.config.shown import shown
from ygg.errors import QueryTimeout
from ygg.identity.address import address_of
from ygg.node.core import Core

if TYPE_CHECKING:
    from ygg.multicast import Multicast

_QUERY = ("key",)


@dataclass
class NodeParts:
    """What the commands of a node tell of and change. What stands beside it may come and go meanwhile."""

    core: Core
    """The node."""
    multicast: Callable[[], Multicast | None] = field(default_factory=lambda: _none)
    """Returns its discovery."""
    tun: Callable[[], tuple[str, int] | None] = field(default_factory=lambda: _none)
    """Returns name and MTU of its TUN device, where one is attached."""
    config: Config | None = None
    """What it was told."""
    peers_file: PeersFile | None = None
    """Where its peers are kept."""
    autopeering: AutoPeering | None = None
    """Public peers that it keeps to."""
    jumping: Jumping | None = None
    """Direct links that it makes."""
    networks: Networks | None = None
    """What its links go over."""


def _none() -> None:
    """Return that there is no such part."""


def node_commands(parts: NodeParts) -> Commands:
    """Return the commands of a node."""
    core = parts.core
    commands = Commands(
        Command("getSelf", "Show details about this node", lambda _: views.self_view(core.self_info())),
        Command(
            "getPeers", "Show directly connected peers",
            lambda given: views.peers_view(core.peers(), given.text("sort")), ("sort",),
        ),
        Command("getTree", "Show known Tree entries", lambda _: views.tree_view(core.tree())),
        Command("getPaths", "Show established paths through this node", lambda _: views.paths_view(core.paths())),
        Command(
            "getSessions", "Show established traffic sessions with remote nodes",
            lambda _: views.sessions_view(core.sessions()),
        ),
        Command("getTun", "Show information about the node's TUN interface", lambda _: _tun_view(parts.tun())),
        Command(
            "getMulticastInterfaces", "Show which interfaces multicast is enabled on",
            lambda _: views.multicast_view(found.status() if (found := parts.multicast()) else ()),
        ),
        *peer_commands(core, parts.peers_file),
        *_remote_commands(core),
        *_node_info_commands(core),
        subscribe_command(core),
    )  # fmt: skip
    if (config := parts.config) is not None:
        text = "Show what this node was configured with, without what is secret"
        commands.add(Command("getConfig", text, lambda _: {"config": shown(config)}))
    if parts.autopeering is not None:
        commands.add(*autopeer_commands(parts.autopeering))
    if parts.jumping is not None:
        commands.add(*jumper_commands(parts.jumping))
    if parts.networks is not None:
        commands.add(*network_commands(parts.networks))
    if core.logs_lookups:
        text = "Dump a record of lookups received in the past day"
        commands.add(Command("lookups", text, lambda _: views.lookups_view(core.lookups())))
    return commands


def _tun_view(device: tuple[str, int] | None) -> dict[str, Any]:
    return {"enabled": False} if device is None else {"enabled": True, "name": device[0], "mtu": device[1]}


def _remote_commands(core: Core) -> list[Command]:
    async def node_info(given: Arguments) -> dict[str, Any]:
        if "key" not in given or not given.text("key"):
            raise AdminError("no remote public key supplied")
        key = given.key()
        return {key.hex(): await core.node_info(key)}

    async def remote_self(given: Arguments) -> dict[str, Any]:
        key = given.key()
        return {str(address_of(key)): await _within(core.remote_self(key))}

    async def remote_peers(given: Arguments) -> dict[str, Any]:
        key = given.key()
        return {str(address_of(key)): _keys(await _within(core.remote_peers(key)))}

    async def remote_tree(given: Arguments) -> dict[str, Any]:
        key = given.key()
        return {str(address_of(key)): _keys(await _within(core.remote_tree(key)))}

    text = "Debug use only"
    return [
        Command("getNodeInfo", "Request nodeinfo from a remote node by its public key", node_info, _QUERY),
        Command("debug_remoteGetSelf", text, remote_self, _QUERY),
        Command("debug_remoteGetPeers", text, remote_peers, _QUERY),
        Command("debug_remoteGetTree", text, remote_tree, _QUERY),
    ]


async def _within(answer: Any) -> Any:
    try:
        return await answer
    except QueryTimeout:
        raise AdminError("timeout") from None


def _keys(keys: list[bytes]) -> dict[str, Any]:
    return {"keys": [key.hex() for key in keys]} if keys else {}


def _node_info_commands(core: Core) -> list[Command]:
    def get(_: Arguments) -> dict[str, Any]:
        return {"nodeinfo": core.own_node_info}

    def put(given: Arguments) -> dict[str, Any]:
        info = given.json("nodeinfo")
        if not isinstance(info, dict | None):
            raise AdminError("nodeinfo must be an object")
        core.replace_node_info(info, privacy=given.flag("privacy") if "privacy" in given else None)
        return {"nodeinfo": core.own_node_info}

    return [
        Command("getOwnNodeInfo", "Show what this node tells others about itself", get),
        Command("setNodeInfo", "Have this node tell others something else about itself", put, ("nodeinfo", "privacy")),
    ]
