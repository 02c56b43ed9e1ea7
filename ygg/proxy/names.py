"""Names of nodes that need no question to anyone: keys, addresses in names, and a table of one's own."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import IPv6Address, ip_address

from ygg.errors import HostUnreachable, ResolveError
from ygg.identity.overlay import OVERLAY
from ygg.vtun.addresses import Host, key_in, packed

Lookup = Callable[[str], Awaitable[Host]]
"""Returns the address or key of a name; raises a `ResolveError` for one that it does not know."""

KEY_ZONE, ADDRESS_ZONE = "pk.ygg", "meship"
"""Names below the first have a public key in front, those below the second an address in base32."""


class Names:
    """Finds hosts of the overlay by what they are called.

    In this order: numeric addresses of 200::/7, public keys as 64 hex digits, `<key>.pk.ygg` (further labels in front
    are passed over), `<address in base32>.meship`, the table `hosts`, and `lookup`, for all other ways.
    """

    def __init__(self, hosts: Mapping[str, Host] | None = None, lookup: Lookup | None = None) -> None:
        self._hosts = {name.lower().rstrip("."): host for name, host in (hosts or {}).items()}
        self._lookup = lookup

    async def resolve(self, name: str) -> Host:
        """Return an address or key. Raises `ResolveError`, and `HostUnreachable` for addresses of no node."""
        name = name.strip("[]").lower().rstrip(".")
        found: Host | None = _numeric(name)
        if found is None:
            found = key_in(name) or _computed(name) or self._hosts.get(name)
        if found is None and self._lookup is not None:
            found = await self._lookup(name)
        if found is None:
            raise ResolveError(f"no such host: {name[:80]!r}")
        return found

    def reverse(self, address: IPv6Address) -> str:
        """Return a name that leads to an address: that of the table, else the one below `meship`, which has it."""
        for name, host in self._hosts.items():
            if packed(host) == address.packed:
                return name
        return f"{base64.b32encode(address.packed).decode().rstrip('=').lower()}.{ADDRESS_ZONE}"


async def named(names: Names | None, host: Host | None) -> Host | None:
    """Return the host that a name is of, where there are names; else what is given. Raises as `Names.resolve()`."""
    return await names.resolve(host) if names is not None and isinstance(host, str) else host


def _numeric(name: str) -> IPv6Address | None:
    try:
        address = ip_address(name)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address in OVERLAY:
        return address
    raise HostUnreachable(f"{address} is not in 200::/7")


def _computed(name: str) -> Host | None:
    labels = name.split(".")
    if len(labels) > 2 and ".".join(labels[-2:]) == KEY_ZONE:
        return key_in(labels[-3])
    if len(labels) == 2 and labels[1] == ADDRESS_ZONE and len(labels[0]) == 26:
        try:
            return IPv6Address(base64.b32decode(labels[0].upper() + "======"))
        except (binascii.Error, ValueError):
            return None
    return None
