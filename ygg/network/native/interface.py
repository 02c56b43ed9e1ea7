"""Leaving by a chosen network interface (protocol 0.5, TCP: source interface)."""

import socket
import struct
from collections.abc import Iterable
from ipaddress import ip_address

from ygg.errors import AddressNotAvailable, NetworkDown
from ygg.network.addresses import IPAddress, with_zone

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


def addresses_of(interface: str) -> list[IPAddress]:
    """Return the addresses of `interface`, without zones; empty when it does not exist."""
    import ifaddr

    return [
        ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
        for adapter in ifaddr.get_adapters()
        if adapter.name == interface
        for ip in adapter.ips
    ]


def choose_source(interface: str | None, hints: Iterable[IPAddress], destination: str) -> str | None:
    """Return the address to dial `destination` from, of `interface` or of `hints` or both; `None` for the system's.

    Raises as `source_address()`, and `AddressNotAvailable` for a link-local hint without a zone.
    """
    target = ip_address(destination)
    fitting = [hint for hint in hints if _fits(hint, target) and hint.is_loopback == target.is_loopback]
    if interface:
        return source_address(interface, destination, fitting)
    return with_zone(str(fitting[0]), None) if fitting else None


def _fits(address: IPAddress, target: IPAddress) -> bool:
    """Tell whether an address has the family and the scope class of another."""
    return address.version == target.version and address.is_link_local == target.is_link_local


def source_address(interface: str, destination: str, preferred: Iterable[IPAddress] = ()) -> str:
    """Return the address of `interface` to dial `destination` from: same family, same scope class, zone included.

    One that is among the `preferred` comes first. Raises `AddressNotAvailable` when the interface has none or does not
    exist, `NetworkDown` when it is down.
    """
    target = ip_address(destination)
    if interface not in {name for _, name in socket.if_nameindex()}:
        raise AddressNotAvailable(f"no interface {interface}")
    if not is_up(interface):
        raise NetworkDown(f"interface {interface} is down")
    wanted = {hint.packed for hint in preferred}
    fitting = [ip for ip in addresses_of(interface) if _fits(ip, target)]
    for ip in sorted(fitting, key=lambda ip: ip.packed not in wanted):
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
