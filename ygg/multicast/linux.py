"""Link addresses and default routes as Linux tells them (netdevice(7), proc(5)), for want of `netifaces`."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import NamedTuple

ROUTES_4 = Path("/proc/net/route")
"""IPv4 routes, under a line of headings."""
ROUTES_6 = Path("/proc/net/ipv6_route")
"""IPv6 routes."""
_SIOCGIFHWADDR = 0x8927
_IFREQ = struct.Struct("16sH6s8x")  # name; kind of hardware (linux/if_arp.h) and address
_ARPHRD_ETHER, _ARPHRD_LOOPBACK = 1, 772
_RTF_UP, _RTF_GATEWAY = 0x1, 0x2  # linux/route.h


class Route(NamedTuple):
    """A default route by a gateway."""

    metric: int
    """The least is used."""
    interface: str
    """Name of the interface."""
    gateway: str
    """Address of the next hop."""
    family: socket.AddressFamily
    """AF_INET or AF_INET6."""


def link_address(name: str) -> str | None:
    """Return the Ethernet address of an interface, None where it has none or is not there."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as probe:
        try:
            reply = fcntl.ioctl(probe, _SIOCGIFHWADDR, _IFREQ.pack(name.encode()[:15], 0, b""))
        except OSError:  # gone since it was listed
            return None
    _, kind, address = _IFREQ.unpack(reply)
    return address.hex(":") if kind in (_ARPHRD_ETHER, _ARPHRD_LOOPBACK) else None


def default_routes() -> list[Route]:
    """Return for each family the default route of the least metric that has a gateway; none where there is none."""
    found = (min(routes, default=None) for routes in (_routes_4(), _routes_6()))
    return [route for route in found if route is not None]


def _routes_4() -> Iterator[Route]:
    # One line a route: interface, target, gateway, flags, two counters, metric, mask and more. Addresses are in the
    # byte order of the machine, in hexadecimal.
    for line in _read(ROUTES_4).splitlines()[1:]:
        name, target, gateway, flags, _, _, metric, mask, *_ = line.split()
        if int(target, 16) == int(mask, 16) == 0 and _by_gateway(flags):
            address = IPv4Address(socket.ntohl(int(gateway, 16)))
            yield Route(int(metric), name, str(address), socket.AF_INET)


def _routes_6() -> Iterator[Route]:
    # Target and the length of its prefix, source and its length, gateway, metric, two counters, flags, interface.
    for line in _read(ROUTES_6).splitlines():
        target, length, _, _, gateway, metric, _, _, flags, name = line.split()
        if int(target, 16) == int(length, 16) == 0 and _by_gateway(flags):
            yield Route(int(metric, 16), name, str(IPv6Address(bytes.fromhex(gateway))), socket.AF_INET6)


def _by_gateway(flags: str) -> bool:
    wanted = _RTF_UP | _RTF_GATEWAY
    return int(flags, 16) & wanted == wanted


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # a kernel without IPv6
        return ""
