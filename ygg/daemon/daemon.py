"""Daemon: a node with the peers, listeners, discovery and TUN device of a configuration."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from ygg.admin import AdminServer, NodeParts, node_commands
from ygg.admin.autopeering import AutoPeering
from ygg.admin.endpoint import listen_endpoint
from ygg.admin.jumping import Jumping
from ygg.admin.networks import Networks
from ygg.config.config import Config
from ygg.config.peersfile import PeersFile
from ygg.daemon.clockfile import ClockFile
from ygg.errors import PeerExistsError, YggError
from ygg.multicast import Multicast
from ygg.multicast.rules import rules_from
from ygg.network import NativeNetwork, Network
from ygg.node.core import Core
from ygg.node.gateway import Gateway
from ygg.transport.every import every_transport
from ygg.tun import TunAdapter
from ygg.url import PeerURL

NO_INTERFACE = ("none", "dummy")
"""Values of IfName that make no TUN device."""

log = logging.getLogger("ygg.daemon")


class Daemon:
    """Runs what a configuration describes, as an async context manager.

    A peer, listener or TUN device that cannot be had is logged and left out, as the stock daemon does; all the rest
    runs. `network` is the operating system's unless given, and then remains its owner's to close. `clock_file` is where
    the node's clock is kept over restarts, for machines whose own may be set back (`ygg.daemon.clockfile`).
    `config_file` is the file that the configuration is of; peers that are to be persisted are written there.
    """

    def __init__(
        self,
        config: Config,
        network: Network | None = None,
        clock_file: Path | None = None,
        config_file: Path | None = None,
    ) -> None:
        """Describe a node; nothing runs yet. Raises `ConfigError` for what no node can be made of."""
        self.config = config
        """What it was told."""
        config.members()  # has all of it checked: what a file could not hold is not passed on to the system
        self._rules = rules_from(config.multicast_interfaces)
        self._given = network
        self._clock_file = clock_file
        self._peers_file = None if config_file is None else PeersFile(config_file)
        self.network = network or NativeNetwork()
        """What its links go over."""
        self.core = Core(
            config.certificate,
            every_transport(self.network, config.certificate),
            allowed_public_keys=config.allowed_public_keys,
            group_password=config.group_password,
            node_info=config.node_info,
            node_info_privacy=config.node_info_privacy,
            log_lookups=config.log_lookups,
        )
        """The node."""
        self.multicast: Multicast | None = None
        """Discovery, where the configuration has rules for it."""
        self.adapter: TunAdapter | None = None
        """What the TUN device is attached by, whose `counters()` tell what was dropped; None without a device."""
        self.networks = Networks(self.core.manager, self.network)
        """What its links go over, which can be changed while it runs."""
        self.autopeering = AutoPeering(self.core, self.network)
        """Public peers; off until it is told otherwise."""
        self.jumping = Jumping(self.core)
        """Direct links; off until it is told otherwise."""
        self.interface = ""
        """Name of the TUN device; empty without one."""
        self.admin: AdminServer | None = None
        """The admin socket; None without one."""
        self._parts = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as parts:
            if self._given is None:
                await parts.enter_async_context(self.network)
            await parts.enter_async_context(self.core)
            if self._clock_file is not None:
                await parts.enter_async_context(ClockFile(self._clock_file, self.core.engine))
            log.info("Your public key is %s", self.core.public_key.hex())
            log.info("Your IPv6 address is %s", self.core.address)
            log.info("Your IPv6 subnet is %s", self.core.subnet)
            self._attach(parts)
            for uri in self.config.listen:
                await self._listen(uri)
            if self._rules:
                self.multicast = await parts.enter_async_context(Multicast(self.core, self.network, self._rules))
            self._add_peers(self.config.peers)
            for interface, uris in self.config.interface_peers.items():
                self._add_peers(uris, interface)
            parts.push_async_callback(self.autopeering.stop)
            parts.push_async_callback(self.jumping.stop)
            await self._serve_admin(parts)
            self._parts = parts.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._parts.aclose()

    async def _serve_admin(self, parts: contextlib.AsyncExitStack) -> None:
        try:
            endpoint = listen_endpoint(self.config.admin_listen)
            if endpoint is None:
                return
            commands = node_commands(
                NodeParts(
                    self.core, lambda: self.multicast, self._device, config=self.config, peers_file=self._peers_file,
                    autopeering=self.autopeering, jumping=self.jumping, networks=self.networks,
                )
            )  # fmt: skip
            self.admin = await parts.enter_async_context(AdminServer(commands, endpoint))
        except (YggError, OSError) as error:
            log.warning("There is no admin socket: %s. AdminListen: none does without.", str(error))
            return
        log.info("The admin socket listens at %s", self.admin.endpoint)

    def _device(self) -> tuple[str, int] | None:
        return None if self.adapter is None else (self.interface, self.adapter.mtu)

    async def _listen(self, uri: str) -> None:
        try:
            await self.core.listen(uri)
        except (YggError, OSError) as error:
            log.error("Listen: %s is left out: %s", _shown(uri), str(error))

    def _add_peers(self, uris: Iterable[str], interface: str = "") -> None:
        for uri in uris:
            try:
                self.core.add_peer(uri, source_interface=interface)
            except PeerExistsError:
                pass  # the stock daemon says nothing of those listed twice
            except YggError as error:
                log.error("%s: %s is left out: %s", "InterfacePeers" if interface else "Peers", _shown(uri), str(error))

    def _attach(self, parts: contextlib.AsyncExitStack) -> None:
        if self.config.if_name in NO_INTERFACE:
            return
        try:
            from ygg.tun.linux import OSTun

            device = OSTun(self.core.address, self.config.if_name or "auto", self.config.if_mtu)
        except (ImportError, OSError) as error:
            reason = "it needs Linux" if isinstance(error, ImportError) else str(error)
            log.warning("There is no TUN device: %s. IfName: none does without.", reason)
            return
        parts.callback(device.close)
        gateway = Gateway(self.core, device.mtu)
        parts.callback(gateway.close)
        self.adapter = adapter = TunAdapter(gateway, device.mtu)
        adapter.attach(device)
        parts.callback(adapter.close)
        self.interface = device.name
        log.info("The TUN device is %s, with an MTU of %d bytes", device.name, adapter.mtu)


def _shown(uri: str) -> str:
    """Return a URI as logs may show it: without what may be secret."""
    try:
        return PeerURL.parse(uri).with_query().redacted()
    except YggError:
        return "an entry that is no URI"
