"""Networks: what the links of a running node go over, by names that JSON has for it; and the commands that change it.

A network is `native`, which is the node's own, null, which refuses, or `{"Type": "socks", "ProxyURL": "socks5://…"}`.
"""

from __future__ import annotations

from typing import Any

from ygg.admin.arguments import Arguments
from ygg.admin.commands import Command
from ygg.admin.errors import AdminError
from ygg.errors import URLError
from ygg.network import Network, RejectNetwork, SocksNetwork
from ygg.transport import TransportManager
from ygg.transport.pattern import HostPattern
from ygg.url import PeerURL

NATIVE = "native"
"""Name of the node's own network."""

_SETTINGS = ("default_network", "default_network_config", "network_mappings", "unset_network_mappings")
MAPPINGS_MAX = 1024
"""Patterns at once: each is tried for every dial."""


class Networks:
    """Which network serves which hosts of a node's links, by their configuration. `native` is its own."""

    def __init__(self, manager: TransportManager, native: Network) -> None:
        self._manager, self._native = manager, native
        self._default: Any = NATIVE
        self._mappings: dict[str, Any] = {}

    def set(self, default: Any, mappings: dict[str, Any], unset: list[str]) -> None:
        """Take a default network and mappings, and drop others: all, or none where one is wrong. Links follow at once.

        Raises `AdminError`.
        """
        mappings = {_normal(pattern): value for pattern, value in mappings.items()}
        gone = {_normal(pattern) for pattern in unset}
        kept = {pattern: value for pattern, value in self._mappings.items() if pattern not in gone} | mappings
        if len(kept) > MAPPINGS_MAX:
            raise AdminError(f"there are {MAPPINGS_MAX} mappings at most")
        made = {pattern: self._network(value) for pattern, value in mappings.items()}
        base = self._network(default)
        if default != self._default:
            self._manager.default_network = RejectNetwork() if base is None else base
        for pattern in self._mappings.keys() - kept.keys():
            self._manager.unmap_network(pattern)
        for pattern, network in made.items():
            if pattern not in self._mappings or self._mappings[pattern] != mappings[pattern]:
                self._manager.map_network(pattern, network)
        self._default, self._mappings = default, kept

    @property
    def default(self) -> Any:
        """The network of all other hosts."""
        return self._default

    def view(self) -> dict[str, Any]:
        """Return what `getTransport` answers; passwords of proxies are `xxxxx`."""
        return {
            "default_network": _name(self._default),
            "default_network_config": _shown(self._default),
            "network_mappings": {pattern: _name(value) for pattern, value in sorted(self._mappings.items())},
            "network_mapping_configs": {pattern: _shown(value) for pattern, value in sorted(self._mappings.items())},
        }

    def _network(self, value: Any) -> Network | None:
        if value is None:
            return None
        if value == NATIVE:
            return self._native
        if isinstance(value, dict) and value.keys() == {"Type", "ProxyURL"} and value["Type"] == "socks":
            try:
                return SocksNetwork(str(value["ProxyURL"]), self._native)
            except URLError as error:
                raise AdminError(str(error)) from None
        raise AdminError('a network is "native", null, or {"Type": "socks", "ProxyURL": "socks5://host:port"}')


def network_commands(networks: Networks) -> list[Command]:
    """Return the commands of a node's networks."""

    def put(given: Arguments) -> dict[str, Any]:
        default = networks.default
        if "default_network" in given:
            name = given.text("default_network")
            default = None if name.lower() in ("null", "none") else name.lower()
        if "default_network_config" in given:
            default = given.json("default_network_config")
        mappings = given.json("network_mappings")
        if not isinstance(mappings, dict | None):
            raise AdminError("network_mappings must be an object of networks by pattern")
        networks.set(default, mappings or {}, given.names("unset_network_mappings"))
        return networks.view()

    return [
        Command("getTransport", "Show which network serves which hosts", lambda _: networks.view()),
        Command("setTransport", "Change which network serves which hosts", put, _SETTINGS),
    ]


def _normal(pattern: str) -> str:
    try:
        return HostPattern(pattern).text
    except (URLError, ValueError) as error:
        raise AdminError(f"the pattern {pattern[:64]!r} is none: {error}") from None


def _name(value: Any) -> str | None:
    return str(value["Type"]) if isinstance(value, dict) else value


def _shown(value: Any) -> Any:
    return value | {"ProxyURL": PeerURL.parse(value["ProxyURL"]).redacted()} if isinstance(value, dict) else value
