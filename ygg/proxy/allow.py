"""Who may use a service: nodes by their keys, hosts by their addresses, and subnets."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Any

from ygg.identity.address import address_of
from ygg.vtun.addresses import key_in


class Allowed:
    """A list of clients that are served; all others are not.

    Each entry is a public key (64 hex digits), a numeric address, or a subnet such as `300:1234:5678:9abc::/64`. A key
    stands for the node: it is compared with the client's key where that is known, else its address is with the
    client's. Programs on this machine that come by a UNIX socket are served always: the socket's mode says who may.
    Raises ValueError for an entry that is none of these.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self._keys: set[bytes] = set()
        self._addresses: set[Any] = set()
        self._networks: list[Any] = []
        for entry in entries:
            self._add(entry)

    def _add(self, entry: str) -> None:
        if (key := key_in(entry)) is not None:
            self._keys.add(key)
            self._addresses.add(address_of(key))
            return
        try:
            network = ip_network(entry)
        except ValueError as error:
            raise ValueError(f"{entry!r} is no public key, address or subnet: {error}") from None
        if network.prefixlen == network.max_prefixlen:
            self._addresses.add(network.network_address)
        else:
            self._networks.append(network)

    def admits(self, peer: Any, key: bytes | None = None) -> bool:
        """Tell whether a client is served, by its socket address and its node's key, if that is known; not without."""
        if key is not None and key in self._keys:
            return True
        if not isinstance(peer, tuple):
            return peer is not None
        address: Any = ip_address(str(peer[0]).partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        return address in self._addresses or any(address in network for network in self._networks)
