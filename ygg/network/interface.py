"""Leaving by a chosen network interface (protocol 0.5, TCP: source interface)."""

import socket
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

from ygg.errors import AddressNotAvailable, NetworkDown

_SIOCGIFFLAGS = 0x8913
_IFF_UP = 0x1


def is_up(interface: str) -> bool:
    """Tell whether `interface` exists and is up."""
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        request = struct.pack("16sH14x", interface.encode()[:15], 0)
        try:
            answer = fcntl.ioctl(probe, _SIOCGIFFLAGS, request)
        except OSError:
            return False
    return bool(struct.unpack_from("16sH", answer)[1] & _IFF_UP)


def addresses_of(interface: str) -> list[IPv4Address | IPv6Address]:
    """Return the addresses of `interface`, without zones; empty when it does not exist."""
    import ifaddr

    return [
        ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
        for adapter in ifaddr.get_adapters()
        if adapter.name == interface
        for ip in adapter.ips
    ]


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


def source_address(interface: str, destination: str) -> str:
    """Return the address of `interface` to dial `destination` from: same family, same scope class, zone included.

    Raises `AddressNotAvailable` when the interface has none or does not exist, `NetworkDown` when it is down.
    """
    target = ip_address(destination)
    if interface not in {name for _, name in socket.if_nameindex()}:
        raise AddressNotAvailable(f"no interface {interface}")
    if not is_up(interface):
        raise NetworkDown(f"interface {interface} is down")
    for ip in addresses_of(interface):
        if ip.version == target.version and ip.is_link_local == target.is_link_local and not ip.is_multicast:
            return with_zone(str(ip), interface)
    raise AddressNotAvailable(f"interface {interface} has no address to dial {destination} from")


def bind_to_device(sock: socket.socket, interface: str) -> None:
    """Tie `sock` to `interface` where the system can and lets us; the source address does the rest elsewhere."""
    option = getattr(socket, "SO_BINDTODEVICE", None)
    if option is None:
        return
    try:
        sock.setsockopt(socket.SOL_SOCKET, option, interface.encode() + b"\0")
    except OSError:
        pass
