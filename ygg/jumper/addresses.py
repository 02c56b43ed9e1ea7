"""The addresses a node publishes of itself, and the checks a stranger's pass before one is dialed.

They are the member `direct` of NodeInfo: a list of peer URIs, best first, whose hosts are numeric addresses. Names are
left out, for a stranger's name can lead anywhere, and elsewhere at the next look. Of a URI only scheme, address and
port are used; the key is pinned to the node that published it, so that no node can send others to a third party's.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ygg.errors import URLError
from ygg.identity.overlay import OVERLAY
from ygg.url import PeerURL

MEMBER = "direct"
"""Name of the NodeInfo member."""
MOST_URIS = 8
"""URIs a node publishes, and those looked at in another's list."""
MOST_CHARACTERS = 256
"""Longest URI looked at."""

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
"""An address of either family."""
Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network
"""A network of either family."""

_GLOBAL = ipaddress.IPv6Network("2000::/3")
# Within it, but tunnels to other addresses or no hosts at all: Teredo, ORCHID and kin; 6to4; documentation.
_SPECIAL = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Which URIs may be published and dialed."""

    schemes: frozenset[str]
    """URL schemes, lower case."""
    networks: tuple[Prefix, ...] = ()
    """Prefixes outside the public internet that are fine too."""

    def admits(self, address: IPAddress) -> bool:
        """Tell whether an address is one of the public internet, or of `networks`; never the overlay's or multicast."""
        if address.is_multicast or address.is_unspecified or address in OVERLAY:
            return False
        return is_public(address) or any(address in prefix for prefix in self.networks)

    def check(self, text: object) -> PeerURL:
        """Return scheme, address and port of a URI, nothing else of it. Raises `URLError` with the reason."""
        if not isinstance(text, str):
            raise URLError("not a string")
        if len(text) > MOST_CHARACTERS:
            raise URLError(f"longer than {MOST_CHARACTERS} characters")
        url = PeerURL.parse(text)
        if url.scheme not in self.schemes:
            raise URLError("scheme not wanted")
        if not url.port:
            raise URLError("no port")
        try:
            address = ipaddress.ip_address(url.host)
        except ValueError:
            raise URLError("the host is not a numeric address") from None
        if getattr(address, "scope_id", None) or not self.admits(address):
            raise URLError("address out of reach")
        return PeerURL(url.scheme, str(address), url.port)


def is_public(address: IPAddress) -> bool:
    """Tell whether an address is a unicast one of the public internet, and leads to no other address by tunnel."""
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast and not address.is_reserved
    return address in _GLOBAL and address.is_global and not any(address in prefix for prefix in _SPECIAL)


def published_by(key: bytes, info: Mapping[str, Any], policy: AddressPolicy) -> list[PeerURL]:
    """Return the URIs that the node of a 32-byte key publishes and that may be dialed, with the key pinned."""
    listed = info.get(MEMBER)
    found: dict[PeerURL, None] = {}
    for text in listed[:MOST_URIS] if isinstance(listed, list) else ():
        try:
            found[policy.check(text).with_query([("key", key.hex())])] = None
        except URLError:
            continue
    return list(found)


def own_uris(
    stated: Iterable[str],
    listeners: Iterable[PeerURL],
    policy: AddressPolicy,
    local_addresses: Callable[[], Iterable[IPAddress]],
) -> list[str]:
    """Return what to publish: the stated URIs, then those of the listeners that others can use.

    A listener bound to every address stands for each of the machine's. One with a password, which is not told, is
    left out.
    """
    found: dict[str, None] = dict.fromkeys(str(policy.check(text)) for text in stated)
    for url in listeners:
        if not url.options.password:
            for host in _hosts(url.host, local_addresses):
                try:
                    found[str(policy.check(str(PeerURL(url.scheme, host, url.port))))] = None
                except URLError:
                    continue
    return list(found)[:MOST_URIS]


def _hosts(host: str, local_addresses: Callable[[], Iterable[IPAddress]]) -> list[str]:
    try:
        if host and not ipaddress.ip_address(host).is_unspecified:
            return [host]
    except ValueError:
        return []
    # "0.0.0.0" takes IPv4 alone; "::" and no host take both.
    return [str(address) for address in local_addresses() if host != "0.0.0.0" or address.version == 4]


def machine_addresses() -> list[IPAddress]:
    """Return the machine's addresses, those of the overlay and of a single link left to the filter."""
    import ifaddr

    return [
        ipaddress.ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    ]
