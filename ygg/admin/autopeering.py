"""AutoPeering: public peers of a running node, switched on, off and tuned; and the commands that do so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ygg.admin.arguments import Arguments
from ygg.admin.commands import Command
from ygg.admin.errors import AdminError
from ygg.autopeer import BUILTIN, AutoPeerConfig, AutoPeerManager, PeerFetcher, PublicPeer
from ygg.network import Network
from ygg.node.core import Core
from ygg.url import format_duration

MOST_SHOWN = 100
"""Candidates that are told at once."""

_SETTINGS = (
    "enabled", "sources", "fetch_interval", "check_interval", "minimum_connected", "minimum_connected_from_fetch",
    "countries", "transport_schemes",
)  # fmt: skip


class AutoPeering:
    """An `AutoPeerManager` of a node that comes and goes. It is off at first; peers it chose stay when it ends."""

    def __init__(self, core: Core, network: Network) -> None:
        self._core = core
        self.config = AutoPeerConfig()
        """Numbers and filters in force, or of the next start."""
        self.fetcher = PeerFetcher(network=network)
        """Where the peers come from."""
        self.manager: AutoPeerManager | None = None
        """What chooses them; None while it is off."""
        self._busy = asyncio.Lock()

    async def set(self, config: AutoPeerConfig, *, enabled: bool) -> None:
        """Take new settings, and be on or off from now on."""
        async with self._busy:
            self.config = config
            if self.manager is not None and not enabled:
                await self._stop()
            elif self.manager is not None:
                self.manager.config = config
            elif enabled:
                self.manager = AutoPeerManager(self.fetcher, self._core, config)
                self.manager.start()

    async def stop(self) -> None:
        """Be off from now on. Idempotent."""
        async with self._busy:
            await self._stop()

    async def _stop(self) -> None:
        if self.manager is not None:
            manager, self.manager = self.manager, None
            await manager.close()

    @property
    def candidates(self) -> Sequence[PublicPeer]:
        """The peers that it chooses from, the best first; none while it is off."""
        return self.manager.candidates() if self.manager is not None else ()


def autopeer_commands(autopeering: AutoPeering) -> list[Command]:
    """Return the commands of a node's public peers."""

    async def put(given: Arguments) -> dict[str, Any]:
        config, fetcher = _settings(autopeering.config, given), autopeering.fetcher
        interval = given.seconds("fetch_interval", fetcher.interval)
        enabled = given.flag("enabled", autopeering.manager is not None)
        if "sources" in given:
            fetcher.sources = [BUILTIN if name.upper() == "BUILTIN" else name for name in given.names("sources")]
        fetcher.interval = interval
        await autopeering.set(config, enabled=enabled)
        return autopeer_view(autopeering)

    def refresh(_: Arguments) -> dict[str, Any]:
        autopeering.fetcher.refresh_soon()
        return {}

    def candidates(_: Arguments) -> dict[str, Any]:
        return {"candidates": [_peer_view(peer) for peer in autopeering.candidates[:MOST_SHOWN]]}

    return [
        Command("getAutoPeer", "Show how public peers are chosen", lambda _: autopeer_view(autopeering)),
        Command("setAutoPeer", "Change how public peers are chosen, and whether", put, _SETTINGS),
        Command("getAutoPeerCandidates", "Show the public peers that are chosen from, the best first", candidates),
        Command("refreshAutoPeer", "Read the lists of public peers again", refresh),
    ]


def autopeer_view(autopeering: AutoPeering) -> dict[str, Any]:
    """Return what `getAutoPeer` answers. URLs of lists are without user and query."""
    config, fetcher, manager = autopeering.config, autopeering.fetcher, autopeering.manager
    return {
        "enabled": manager is not None,
        "active": manager is not None and not manager.idle,
        "sources": [status.redacted or status.source for status in fetcher.status()],
        "fetch_interval": format_duration(fetcher.interval),
        "check_interval": format_duration(config.check_interval),
        "minimum_connected": config.minimum_connected,
        "minimum_connected_from_fetch": config.minimum_connected_from_fetch,
        "countries": sorted(config.countries),
        "transport_schemes": sorted(config.schemes),
        "peers": len(fetcher.peers),
        "chosen": [url.partition("?")[0] for url in manager.chosen] if manager is not None else [],
    }


def _settings(config: AutoPeerConfig, given: Arguments) -> AutoPeerConfig:
    changed: dict[str, Any] = {"check_interval": given.seconds("check_interval", config.check_interval)}
    for name in ("minimum_connected", "minimum_connected_from_fetch"):
        changed[name] = given.integer(name, getattr(config, name))
    for name, argument in (("countries", "countries"), ("schemes", "transport_schemes")):
        if argument in given:
            changed[name] = given.names(argument)
    try:
        return replace(config, **changed)
    except ValueError as error:
        raise AdminError(str(error)) from None


def _peer_view(peer: PublicPeer) -> dict[str, Any]:
    members = {"uri": peer.identity, "country": peer.country, "up": peer.up, "uptime_percent": peer.uptime}
    return {name: value for name, value in members.items() if value is not None}
