"""`open_node()`: from what a person says of a node to one that runs.

All is opened in the order in which one part needs the other, on one stack: a failure half-way, or a cancellation,
closes what is open, the last first, as does the end. What is not asked for is not imported.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Collection, Generator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ygg.embed.identity import Identity, certificate_of, config_of
from ygg.embed.node import EmbeddedNode
from ygg.errors import PeerExistsError
from ygg.names import Names
from ygg.network import NativeNetwork, Network
from ygg.node.admission import DEFAULT_LIMITS, IncomingLimits
from ygg.node.core import Core
from ygg.transport.base import Transport
from ygg.transport.every import every_transport
from ygg.url import PeerURL
from ygg.vtun.addresses import Host, Resolver
from ygg.vtun.options import OptionArguments
from ygg.vtun.vtun import DEFAULT_MTU, VTun
from ygg_c.base.clock import Clock
from ygg_c.base.sodium import Random

if TYPE_CHECKING:
    from ygg.autopeer import AutoPeerConfig, AutoPeerManager, PeerFetcher
    from ygg.autopeer.sources import Source
    from ygg.config.config import Config
    from ygg.jumper import Jumper, JumperConfig
    from ygg.multicast import InterfaceRule, Multicast

PLAIN_SCHEMES = ("tcp", "tls")
"""Schemes of public peers where countries are named and schemes are not: those that need no extra."""


@dataclass
class _Wishes:
    """What `open_node()` was told."""

    identity: Identity
    peers: list[str | PeerURL]
    listen: list[str | PeerURL]
    sources: PeerFetcher | list[Source] | None
    countries: list[str]
    schemes: list[str]
    autopeer: AutoPeerConfig | None
    link_local: bool | list[InterfaceRule]
    direct: bool | JumperConfig
    network: Network | None
    networks: dict[str, Network | None]
    transports: list[Transport]
    mtu: int
    options: OptionArguments
    names: bool | Mapping[str, Host] | Resolver
    core: dict[str, Any] = field(repr=False)


def open_node(
    identity: Identity = None,
    *,
    peers: Iterable[str | PeerURL] = (),
    listen: Iterable[str | PeerURL] = (),
    sources: PeerFetcher | Source | Iterable[Source] | None = None,
    countries: str | Iterable[str] = (),
    schemes: str | Iterable[str] = (),
    autopeer: AutoPeerConfig | None = None,
    link_local: bool | Iterable[InterfaceRule] = False,
    direct: bool | JumperConfig = False,
    network: Network | None = None,
    networks: Mapping[str, Network | None] | None = None,
    transports: Iterable[Transport] = (),
    mtu: int = DEFAULT_MTU,
    options: OptionArguments | None = None,
    names: bool | Mapping[str, Host] | Resolver = True,
    allowed_public_keys: Collection[bytes] | None = None,
    group_password: str | bytes | None = None,
    node_info: Mapping[str, Any] | None = None,
    node_info_privacy: bool | None = None,
    incoming_limits: IncomingLimits = DEFAULT_LIMITS,
    random: Random | None = None,
    clock: Clock | None = None,
) -> Opening:
    """Open a node with all that a program needs: `async with ygg.open_node("node.key", peers=["tls://…"]) as node: …`.

    `node = await ygg.open_node(…)` is the same without the end, which `await node.close()` is then.

    `identity` is a path (`load_or_make`: the key is loaded, or made and kept there), a `PrivateKey`, a `Certificate`, a
    `Config` or the path of one, or None for an identity of this run. Of a configuration the peers, listeners, keys,
    password and NodeInfo count too, and what is given besides is added to them, or takes their place where there can be
    but one; its TUN device and admin socket do not, and its rules of discovery do with `link_local=True`.

    `peers` are URLs to stay connected to, of all schemes there are; `listen` are URLs to accept links at.

    Public peers are chosen when one of `sources` (lists, or a `PeerFetcher`; the compiled-in one where there is none),
    `countries`, `schemes` (`tcp` and `tls` where only countries are named) and `autopeer` (all settings) is given.
    `link_local` has nodes on the same link find each other: True by the platform's rules, or by the rules given.
    `direct` makes direct links to the destinations in use (`ygg.jumper`).

    `network` carries links in place of the operating system's, and remains its owner's to close; `networks` maps hosts
    to others (`TransportManager.map_network`); `transports` are of your own, and take the place of those with the same
    schemes. `mtu` in bytes and `options` are the VTun's, the others those of `Core`.

    Hosts may be called by the names that the overlay has (`ygg.names.Names`, which asks DNS servers in the overlay for
    those that need it); by a table's besides, with `names={"friend.example": address or key}`; by a resolver of your
    own; or by none, with False.

    Opening raises `URLError`, `UnknownSchemeError` among them, `ConfigError`, and what listening raises. It waits for
    no peer: `await node.connected(timeout)` does.
    """
    return Opening(
        _Wishes(
            identity,
            peers=list(peers),
            listen=list(listen),
            sources=_sources(sources),
            countries=_names(countries),
            schemes=_names(schemes),
            autopeer=autopeer,
            link_local=link_local if isinstance(link_local, bool) else list(link_local),
            direct=direct,
            network=network,
            networks=dict(networks or {}),
            transports=list(transports),
            mtu=mtu,
            options=options or {},
            names=names,
            core={
                "allowed_public_keys": allowed_public_keys,
                "group_password": group_password,
                "node_info": node_info,
                "node_info_privacy": node_info_privacy,
                "incoming_limits": incoming_limits,
                "random": random,
                "clock": clock,
            },
        )
    )


def _sources(sources: PeerFetcher | Source | Iterable[Source] | None) -> PeerFetcher | list[Source] | None:
    """Return one source as a list of one; nothing of lists is imported for this."""
    if sources is None or not isinstance(sources, str | os.PathLike | enum.Enum | Iterable):
        return sources
    return list(sources) if isinstance(sources, Iterable) and not isinstance(sources, str) else [sources]


def _names(names: str | Iterable[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


class Opening(AbstractAsyncContextManager[EmbeddedNode]):
    """A node that is not open yet: enter it, or await it, once."""

    def __init__(self, wishes: _Wishes) -> None:
        self._wishes = wishes
        self._node: EmbeddedNode | None = None
        self._used = False

    def __await__(self) -> Generator[Any, None, EmbeddedNode]:
        return self._open().__await__()

    async def __aenter__(self) -> EmbeddedNode:
        self._node = await self._open()
        return self._node

    async def __aexit__(self, *_: object) -> None:
        if self._node is not None:
            await self._node.close()

    async def _open(self) -> EmbeddedNode:
        if self._used:
            raise ValueError("a node is opened once: call open_node() again")
        self._used = True
        async with AsyncExitStack() as parts:
            node = await self._opened(parts)
            node_parts = parts.pop_all()
        node.adopt(node_parts)
        return node

    async def _opened(self, parts: AsyncExitStack) -> EmbeddedNode:
        wishes = self._wishes
        config = config_of(wishes.identity)
        if config is not None:
            _add(wishes, config)
        certificate = certificate_of(wishes.identity if config is None else config)
        peers = [PeerURL.parse(url) for url in wishes.peers]
        network = wishes.network
        if network is None:
            network = await parts.enter_async_context(NativeNetwork())
        manager = every_transport(network, certificate)
        for transport in wishes.transports:
            for scheme in set(manager.schemes) & {scheme.lower() for scheme in transport.schemes}:
                manager.unregister(scheme)
            manager.register(transport)
        for pattern, other in wishes.networks.items():
            manager.map_network(pattern, other)
        for url in peers:
            manager.require(url.scheme)
        given = {name: value for name, value in wishes.core.items() if value is not None}
        core = await parts.enter_async_context(Core(certificate, manager, **given))
        vtun = await parts.enter_async_context(VTun.over(core, wishes.mtu, **wishes.options))
        vtun.names = _resolver(wishes.names, vtun)
        for listened in wishes.listen:
            await core.listen(listened)
        for url in peers:
            _add_peer(core, url)
        for interface, urls in (config.interface_peers if config is not None else {}).items():
            for text in urls:
                _add_peer(core, PeerURL.parse(text), interface)
        return EmbeddedNode(
            core,
            vtun,
            network,
            autopeer=await self._autopeer(parts, core, network),
            discovery=await self._discovery(parts, core, network, config),
            jumper=await self._jumper(parts, core),
        )

    async def _autopeer(self, parts: AsyncExitStack, core: Core, network: Network) -> AutoPeerManager | None:
        wishes = self._wishes
        if not (wishes.sources or wishes.countries or wishes.schemes or wishes.autopeer):
            return None
        from ygg.autopeer import BUILTIN, AutoPeerConfig, AutoPeerManager, PeerFetcher

        config = wishes.autopeer or AutoPeerConfig()
        if wishes.countries:
            config = replace(config, countries=wishes.countries, schemes=config.schemes or PLAIN_SCHEMES)
        if wishes.schemes:
            config = replace(config, schemes=wishes.schemes)
        fetcher = wishes.sources
        if not isinstance(fetcher, PeerFetcher):
            fetcher = PeerFetcher(fetcher or (BUILTIN,), network=network)
        return await parts.enter_async_context(AutoPeerManager(fetcher, core, config))

    async def _discovery(
        self, parts: AsyncExitStack, core: Core, network: Network, config: Config | None
    ) -> Multicast | None:
        rules = self._wishes.link_local
        if not rules:
            return None
        from ygg.config.defaults import multicast_rules
        from ygg.multicast import InterfaceRule, Multicast
        from ygg.multicast.rules import rules_from

        if isinstance(rules, bool):
            if config is None:
                rules = [InterfaceRule(*rule) for rule in multicast_rules()]
            else:
                rules = rules_from(config.multicast_interfaces)
        return await parts.enter_async_context(Multicast(core, network, rules))

    async def _jumper(self, parts: AsyncExitStack, core: Core) -> Jumper | None:
        if not self._wishes.direct:
            return None
        from ygg.jumper import Jumper, JumperConfig

        config = self._wishes.direct
        return await parts.enter_async_context(Jumper(core, config if isinstance(config, JumperConfig) else None))


def _resolver(names: bool | Mapping[str, Host] | Resolver, vtun: VTun) -> Resolver | None:
    """Return what knows the hosts of a VTun by their names."""
    if not isinstance(names, bool | Mapping):
        return names
    return Names(names if isinstance(names, Mapping) else None, vtun=vtun) if names is not False else None


def _add(wishes: _Wishes, config: Config) -> None:
    """Have what a configuration says count where nothing else is wished."""
    wishes.peers = [*config.peers, *wishes.peers]
    wishes.listen = [*config.listen, *wishes.listen]
    for name in ("allowed_public_keys", "group_password", "node_info", "node_info_privacy"):
        if wishes.core[name] is None:
            wishes.core[name] = getattr(config, name)


def _add_peer(core: Core, url: PeerURL, interface: str = "") -> None:
    try:
        core.add_peer(url, source_interface=interface)
    except PeerExistsError:
        pass  # one that is named twice, or found by discovery, is there
