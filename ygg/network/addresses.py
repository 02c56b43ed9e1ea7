"""Addresses of hosts in the forms that networks use: text, the socket module's tuples, and Python's objects."""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import product
from typing import Any

from ygg.errors import AddressNotAvailable
from ygg.url import host_port

IPAddress = IPv4Address | IPv6Address
"""An address of either family."""


def spell(sockaddr: Any) -> str:
    """Return `host:port` for the kernel's form of an address; an IPv4 address in IPv6 clothes comes out plain."""
    if not isinstance(sockaddr, tuple):
        return str(sockaddr)
    host, port, scope = sockaddr[0], sockaddr[1], sockaddr[3] if len(sockaddr) > 3 else 0
    ip = ip_address(host)
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped:
            host = str(ip.ipv4_mapped)
        elif scope and not ip.scope_id:
            host = f"{host}%{socket.if_indextoname(scope)}"
    return host_port(host, port)


def plain(text: str) -> IPAddress:
    """Return the address `text` spells, an IPv4 address in IPv6 clothes without them."""
    address = ip_address(text)
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def with_zone(address: str, interface: str | None) -> str:
    """Return `address` with its zone: a link-local one without takes the interface's name.

    Raises `AddressNotAvailable` when it needs a zone and there is no interface to take it from.
    """
    ip = ip_address(address)
    if not isinstance(ip, IPv6Address) or not ip.is_link_local or ip.scope_id:
        return address
    if not interface:
        raise AddressNotAvailable("link-local address requires a zone")
    return f"{address}%{interface}"


def common_family(local: Sequence[str], remote: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the first address of each end that suits the other's; an end without addresses suits all.

    Raises `AddressNotAvailable` when one end has IPv4 alone and the other IPv6.
    """
    if not (local and remote):
        return next(iter(local), None), next(iter(remote), None)
    for near, far in product(local, remote):
        if ip_address(near).version == ip_address(far).version:
            return near, far
    raise AddressNotAvailable("the two ends are of different address families")


def unspecified(address: str) -> IPAddress:
    """Return what binds every address of the family of `address`."""
    return IPv4Address(0) if ip_address(address).version == 4 else IPv6Address(0)
