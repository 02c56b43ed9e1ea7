"""Which of many incoming connections come from one place.

Addresses of one network are cheap for the one who has them: an IPv4 address is one, of IPv6 a /64 is what a host gets
and a /48 what a site gets. So a place is told by its networks, from the narrowest to a wide one, and connections crowd
where many share one of them; in a wide network each counts less, for honest strangers live there too. Connections
whose addresses say nothing (loopback, behind which there may be a proxy with all its clients, UNIX sockets, memory, the
overlay, whose addresses cost nothing) are told apart by their keys alone, and count as one wide network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from ipaddress import IPv4Address, ip_address
from typing import TypeVar

from ygg.identity.overlay import OVERLAY

T = TypeVar("T")

Networks = tuple[Hashable, ...]
"""The networks an address is in, the narrowest first; empty where addresses do not tell hosts apart."""
Grouping = Callable[[str], Networks]
"""Tells the networks of a host, given as a numeric address or as a transport names it."""

IPV4_WIDTHS = (32, 24, 16)
"""Prefixes in bits of the networks of an IPv4 address."""
IPV6_WIDTHS = (64, 48, 32)
"""The same of an IPv6 address."""
LINK_LOCAL_WIDTHS = (128, 64)
"""The same where all neighbours are in one /64 and each is known by its own address."""
WEIGHTS = (16, 4, 1)
"""What each connection counts in a crowd, in the narrowest network and in the wider ones."""
UNTOLD_WEIGHT = 4
"""The same where addresses do not tell hosts apart."""


def networks_of(host: str) -> Networks:
    """Return the networks of a numeric address, narrowest first; none for any other host."""
    try:
        address = ip_address(host)
    except ValueError:
        return ()
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback or address in OVERLAY:
        return ()
    if isinstance(address, IPv4Address):
        widths: Sequence[int] = IPV4_WIDTHS
    else:
        widths = LINK_LOCAL_WIDTHS if address.is_link_local else IPV6_WIDTHS
    zone = getattr(address, "scope_id", None)
    return tuple((width, int(address) >> address.max_prefixlen - width, zone) for width in widths)


def host_of(remote: str) -> str:
    """Return the host of `host:port`, without brackets; what names its clients otherwise as it is."""
    host, _, port = remote.rpartition(":")
    return host.strip("[]") if port.isdecimal() else remote


def crowding(places: Iterable[Networks]) -> Callable[[Networks], int]:
    """Return what tells how crowded a place is, given all that are taken."""
    counts: Counter[Hashable] = Counter()
    for networks in places:
        counts.update(networks or [()])

    def crowd(networks: Networks) -> int:
        if not networks:
            return UNTOLD_WEIGHT * counts[()]
        return max(weight * counts[network] for weight, network in zip(WEIGHTS, networks, strict=False))

    return crowd


def most_crowded(places: Iterable[tuple[T, Networks]]) -> T:
    """Return the first in the most crowded place. `places` is not empty."""
    listed = list(places)
    crowd = crowding(networks for _, networks in listed)
    return max(listed, key=lambda place: crowd(place[1]))[0]
