"""The commands that change which peers a node has, for as long as it runs or in its configuration file too."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from ygg.admin.arguments import Arguments
from ygg.admin.commands import Command
from ygg.admin.errors import AdminError
from ygg.config.peersfile import PeersFile
from ygg.errors import ConfigError, PeerExistsError, PeerUnknownError, UnknownSchemeError, URLError
from ygg.node.core import Core
from ygg.url import PeerURL

_PEER = ("uri", "interface", "persist")


def peer_commands(core: Core, file: PeersFile | None = None) -> list[Command]:
    """Return the commands of a node; those of its file are refused where it has none."""
    changes = _Changes(core, file)

    def retry(_: Arguments) -> dict[str, Any]:
        core.retry_peers_now()
        return {}

    return [
        Command("addPeer", "Add a peer to the peer list", changes.add, _PEER),
        Command("removePeer", "Remove a peer from the peer list", changes.remove, _PEER),
        Command("retryPeers", "Redial every peer that is down, now", retry),
        Command("getCounters", "Show how often each thing was dropped or refused", lambda _: core.counters()),
    ]


class _Changes:
    def __init__(self, core: Core, file: PeersFile | None) -> None:
        self._core, self._file = core, file
        self._busy = asyncio.Lock()

    async def add(self, given: Arguments) -> dict[str, Any]:
        url, interface, file = self._asked(given)
        if file is None:
            self._add(url, interface)
            return {}
        async with self._busy:
            new = True
            try:
                self._add(url, interface)
            except PeerExistsError:
                new = False
            try:
                missing = await asyncio.to_thread(file.add, given.text("uri"), interface)
            except ConfigError:
                if new:
                    with contextlib.suppress(PeerUnknownError):
                        self._core.remove_peer(url, source_interface=interface)
                raise
            if not new and not missing:
                raise PeerExistsError
        return {}

    async def remove(self, given: Arguments) -> dict[str, Any]:
        url, interface, file = self._asked(given)
        if file is None:
            self._core.remove_peer(url, source_interface=interface)
            return {}
        async with self._busy:
            # The file first: where it cannot be changed the peer stays.
            was_there = await asyncio.to_thread(file.remove, given.text("uri"), interface)
            try:
                self._core.remove_peer(url, source_interface=interface)
            except PeerUnknownError:
                if not was_there:
                    raise
        return {}

    def _asked(self, given: Arguments) -> tuple[PeerURL, str, PeersFile | None]:
        persist = given.flag("persist")
        if persist and self._file is None:
            raise AdminError("persist: this node has no configuration file")
        try:
            url = PeerURL.parse(given.text("uri"))
        except URLError as error:
            # Those of one option say which.
            told = AdminError(f"unable to parse peering URI: {error}") if type(error) is URLError else error
            raise told from None
        return url, given.text("interface"), self._file if persist else None

    def _add(self, url: PeerURL, interface: str) -> None:
        try:
            self._core.add_peer(url, source_interface=interface)
        except UnknownSchemeError:  # without the names of the schemes: clients compare the text
            raise AdminError(UnknownSchemeError.text) from None
