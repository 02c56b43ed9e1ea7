"""Link-local discovery: nodes on one link find each other without being configured (protocol 0.5, section 10)."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ygg.errors import OperationNotSupported
from ygg.multicast.group import GroupSocket
from ygg.multicast.interfaces import Interface, list_interfaces
from ygg.multicast.rules import InterfaceRule, first_match
from ygg.multicast.station import BeaconSocket, DiscoveryNode, Station
from ygg.network import Network
from ygg.network.native.network import NativeNetwork
from ygg.periodic import Background, PeriodicService

TURN = 1.0
"""Seconds between two turns, at least."""
TURN_SPREAD = 1.048576
"""Seconds by which that gap varies at random, so that nodes started together do not stay in step."""

_log = logging.getLogger("ygg.multicast")


@dataclass(frozen=True, slots=True)
class MulticastStatus:
    """Discovery on one interface."""

    name: str
    """The interface."""
    address: str
    """Where its listener is bound, `[address%interface]:port`; empty when there is none."""
    beacon: bool
    """Whether this node announces itself there."""
    listen: bool
    """Whether it hears others there."""
    password: bool
    """Whether a password is needed."""
    counters: dict[str, int]
    """Beacons `sent`, `received` and `dialed`, and those dropped by reason."""


class Multicast(Background):
    """Finds the nodes on the links this machine is on, and is found, as long as it is entered.

    `network` must be the operating system's, for that is where interfaces are; any other is refused with
    `OperationNotSupported`. While it is down, discovery rests. Links made here stay up when discovery ends.
    """

    def __init__(
        self,
        node: DiscoveryNode,
        network: Network,
        rules: Iterable[InterfaceRule],
        *,
        rng: random.Random | None = None,
        interfaces: Callable[[], list[Interface]] = list_interfaces,
        open_socket: Callable[[int], BeaconSocket] = GroupSocket,
    ) -> None:
        if not isinstance(network, NativeNetwork):
            raise OperationNotSupported(
                f"link-local discovery needs the operating system's network, not {type(network).__name__}"
            )
        self._node = node
        self._network = network
        self._rules = tuple(rule for rule in rules if rule.active)
        self._random = rng or random.Random()
        self._interfaces = interfaces
        self._open_socket = open_socket
        self._stations: dict[tuple[str, int], Station] = {}
        self._busy = asyncio.Lock()
        self._service = PeriodicService(
            self.turn, self.pause, name="ygg discovery", failed=lambda: _log.exception("a turn of discovery failed")
        )

    def start(self) -> None:
        """Begin; does nothing when no rule beacons or listens, or when already started."""
        if self._rules:
            self._service.start()

    async def close(self) -> None:
        """Stop announcing, hearing and dialing; links that are up live on."""
        await self._service.stop()
        await self._close_stations(list(self._stations))

    def status(self) -> list[MulticastStatus]:
        """Return the interfaces that take part now, by name."""
        found = []
        for station in sorted(self._stations.values(), key=lambda station: station.interface.name):
            rule, name = station.rule, station.interface.name
            counters = dict(station.counters)
            found.append(
                MulticastStatus(name, station.address, rule.beacon, rule.listen, bool(rule.password), counters)
            )
        return found

    async def turn(self) -> None:
        """Follow the interfaces that came and went, and do on each what is due. Runs by itself once started."""
        async with self._busy:
            usable = self._usable() if self._network.is_up else {}
            await self._close_stations([key for key in self._stations if key not in usable])
            now = asyncio.get_running_loop().time()
            # Dials add a password and a priority to a URL; what is before them tells peers apart.
            linked = {peer.url.partition("?")[0] for peer in self._node.peers() if peer.up} if usable else ()
            for key, (interface, rule) in usable.items():
                station = self._stations.get(key)
                if station is None:
                    station = self._stations[key] = Station(self._node, interface, rule, self._open_socket)
                await station.turn(interface, linked, now)

    def pause(self) -> float:
        """Return the seconds to wait until the next turn."""
        return TURN + self._random.random() * TURN_SPREAD

    def _usable(self) -> dict[tuple[str, int], tuple[Interface, InterfaceRule]]:
        # By number too: an interface that was taken away and made again has its old name, and none of its sockets work.
        found = {}
        for interface in self._interfaces():
            rule = first_match(self._rules, interface.name)
            if rule is not None and interface.carries_multicast and interface.link_local:
                found[interface.name, interface.index] = interface, rule
        return found

    async def _close_stations(self, keys: list[tuple[str, int]]) -> None:
        for key in keys:
            await self._stations.pop(key).close()
