"""Jumping: direct links of a running node, switched on, off and tuned; and the commands that do so."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from ygg.admin.arguments import Arguments
from ygg.admin.commands import Command
from ygg.admin.errors import AdminError
from ygg.identity.address import address_of
from ygg.jumper import Jumper, JumperConfig
from ygg.node.core import Core
from ygg.url import format_duration


class Jumping:
    """A `Jumper` of a node that comes and goes. It is off at first; the links it made end with it."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.config = JumperConfig()
        """Settings in force, or of the next start."""
        self.jumper: Jumper | None = None
        """What makes the links; None while it is off."""
        self._busy = asyncio.Lock()

    async def set(self, config: JumperConfig, *, enabled: bool) -> None:
        """Take new settings, and be on or off from now on. New ones start anew: links that were made end."""
        async with self._busy:
            if config != self.config or not enabled:
                await self._stop()
            self.config = config
            if enabled and self.jumper is None:
                self.jumper = Jumper(self._core, config)
                self.jumper.start()

    async def stop(self) -> None:
        """Be off from now on. Idempotent."""
        async with self._busy:
            await self._stop()

    async def _stop(self) -> None:
        if self.jumper is not None:
            jumper, self.jumper = self.jumper, None
            await jumper.close()


def jumper_commands(jumping: Jumping) -> list[Command]:
    """Return the commands of a node's direct links."""

    async def put(given: Arguments) -> dict[str, Any]:
        changed: dict[str, Any] = {"interval": given.seconds("check_interval", jumping.config.interval)}
        if "addresses" in given:
            changed["addresses"] = given.names("addresses")
        try:
            config = replace(jumping.config, **changed)
        except ValueError as error:
            raise AdminError(str(error)) from None
        await jumping.set(config, enabled=given.flag("enabled", jumping.jumper is not None))
        return jumper_view(jumping)

    names = ("enabled", "addresses", "check_interval")
    return [
        Command("getJumper", "Show which direct links are made", lambda _: jumper_view(jumping)),
        Command("setJumper", "Change how direct links are made, and whether", put, names),
    ]


def jumper_view(jumping: Jumping) -> dict[str, Any]:
    """Return what `getJumper` answers."""
    jumper = jumping.jumper
    links = jumper.links if jumper is not None else []
    return {
        "enabled": jumper is not None,
        "active": bool(links),
        "addresses": list(jumping.config.addresses),
        "check_interval": format_duration(jumping.config.interval),
        "published": jumper.published if jumper is not None else [],
        "links": [{"key": link.key.hex(), "address": str(address_of(link.key)), "remote": link.url} for link in links],
    }
