"""The machine's network interfaces as discovery needs them; the one module that knows where they are read from.

Names, indexes and addresses come from `ifaddr`, the up/running/multicast flags from the SIOCGIFFLAGS ioctl, link
addresses and default routes from `netifaces`. That last one is optional (extra `interfaces`), since it has to be
compiled: without it Linux is asked for them, and elsewhere they are unknown, while everything else works.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import struct
import sys
from dataclasses import dataclass
from enum import IntFlag
from types import ModuleType

from ygg.multicast import linux

_LINUX = sys.platform.startswith("linux")


class Flags(IntFlag):
    """Interface flags (netdevice(7)); the multicast bit differs between Linux and the BSDs."""

    UP = 0x1
    """Switched on."""
    LOOPBACK = 0x8
    """Leads back to this machine."""
    POINT_TO_POINT = 0x10
    """Has one other end."""
    RUNNING = 0x40
    """Connected to something."""
    MULTICAST = 0x1000 if _LINUX else 0x8000
    """Takes datagrams for groups."""


_SIOCGIFFLAGS = 0x8913 if _LINUX else 0xC0206911
_IFREQ = struct.Struct("16sH14x")


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface at one moment."""

    name: str
    """As the system calls it."""
    index: int
    """The kernel's index, which a recreated interface does not keep."""
    flags: Flags
    """What it is able to do, and whether it is up."""
    addresses: tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]
    """Its unicast addresses, without zones, in the system's order."""
    link_address: str | None = None
    """Hardware address, where the system tells."""

    @property
    def link_local(self) -> tuple[ipaddress.IPv6Address, ...]:
        """Its IPv6 link-local unicast addresses."""
        return tuple(a for a in self.addresses if isinstance(a, ipaddress.IPv6Address) and a.is_link_local)

    @property
    def carries_multicast(self) -> bool:
        """Whether it is up, running, multicast-capable and no point-to-point link (protocol 0.5, section 10.2)."""
        wanted = Flags.UP | Flags.RUNNING | Flags.MULTICAST
        return self.flags & (wanted | Flags.POINT_TO_POINT) == wanted


@dataclass(frozen=True, slots=True)
class DefaultRoute:
    """Where packets for the rest of the world go."""

    interface: str
    """Name of the interface."""
    gateway: str
    """Address of the next hop."""
    family: socket.AddressFamily
    """AF_INET or AF_INET6."""


def list_interfaces() -> list[Interface]:
    """Return the interfaces that have an address now; one that vanishes meanwhile is left out."""
    import ifaddr

    found = []
    for adapter in ifaddr.get_adapters():
        flags = _flags(adapter.name)
        if flags is None or adapter.index is None:
            continue
        addresses = tuple(ipaddress.ip_address(_bare(ip.ip)) for ip in adapter.ips)
        found.append(Interface(adapter.name, adapter.index, flags, addresses, _link_address(adapter.name)))
    return found


def default_routes() -> list[DefaultRoute]:
    """Return the default routes, at most one of each family; none where `netifaces` is missing, but on Linux."""
    netifaces = _netifaces()
    if netifaces is None:
        routes = linux.default_routes() if _LINUX else []
        return [DefaultRoute(route.interface, route.gateway, route.family) for route in routes]
    gateways = netifaces.gateways()["default"]
    families = ((netifaces.AF_INET, socket.AF_INET), (netifaces.AF_INET6, socket.AF_INET6))
    return [DefaultRoute(gateways[key][1], gateways[key][0], family) for key, family in families if key in gateways]


def _bare(address: str | tuple[str, int, int]) -> str:
    # ifaddr gives IPv6 as (address, flow label, scope), IPv4 as text
    text = address if isinstance(address, str) else address[0]
    return text.partition("%")[0]


def _flags(name: str) -> Flags | None:
    try:
        import fcntl
    except ImportError:  # Windows has no such ioctl: take the interface for a working one
        return Flags.UP | Flags.RUNNING | Flags.MULTICAST
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | getattr(socket, "SOCK_CLOEXEC", 0)) as probe:
        try:
            reply = fcntl.ioctl(probe, _SIOCGIFFLAGS, _IFREQ.pack(name.encode()[:15], 0))
        except OSError as error:
            if error.errno in (errno.ENODEV, errno.ENXIO):
                return None
            raise
    return Flags(_IFREQ.unpack(reply)[1])


def _link_address(name: str) -> str | None:
    netifaces = _netifaces()
    if netifaces is None:
        return linux.link_address(name) if _LINUX else None
    try:
        entries = netifaces.ifaddresses(name).get(netifaces.AF_LINK, [])
    except ValueError:  # gone since it was listed
        return None
    return entries[0].get("addr") if entries else None


def _netifaces() -> ModuleType | None:
    try:
        import netifaces
    except ImportError:
        return None
    module: ModuleType = netifaces
    return module
