"""Who is bound to which address and port, with the kernel's rules for wildcards and conflicts."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import product
from typing import Any, Generic, TypeVar

from ygg.errors import AddressInUse, AddressNotAvailable

Address = IPv4Address | IPv6Address
"""An address of either family."""
T = TypeVar("T")

EPHEMERAL = range(32768, 61000)
"""Ports given out when none is asked for."""


class Ports(Generic[T]):
    """A table of bound ports. `::` is bound for both families, `0.0.0.0` for IPv4 alone."""

    def __init__(self) -> None:
        self._bound: dict[int, dict[Address, T]] = {}
        self._next = 0

    def bind(self, address: Address, port: int, owner: T, *, beside: "Ports[Any] | None" = None) -> int:
        """Give `owner` the port, or for 0 one that is free here and `beside`, and return it. Raises `AddressInUse`."""
        if not port:
            port = self._free(address, beside)
        elif self._taken(address, port):
            raise AddressInUse
        self._bound.setdefault(port, {})[address] = owner
        return port

    def release(self, address: Address, port: int) -> None:
        """Free what `bind()` gave."""
        owners = self._bound.get(port, {})
        owners.pop(address, None)
        if not owners:
            self._bound.pop(port, None)

    def find(self, address: Address, port: int) -> T | None:
        """Return the owner that serves `address`, the most specific first."""
        owners = self._bound.get(port, {})
        for candidate in (address, IPv4Address(0) if address.version == 4 else None, IPv6Address(0)):
            if candidate is not None and candidate in owners:
                return owners[candidate]
        return None

    def _free(self, address: Address, beside: "Ports[Any] | None") -> int:
        for _ in EPHEMERAL:
            port = EPHEMERAL[self._next]
            self._next = (self._next + 1) % len(EPHEMERAL)
            if not self._taken(address, port) and not (beside and beside._taken(address, port)):
                return port
        raise AddressInUse("no free port")

    def _taken(self, address: Address, port: int) -> bool:
        return any(_overlap(address, other) for other in self._bound.get(port, ()))


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


def unspecified(address: str) -> Address:
    """Return what binds every address of the family of `address`."""
    return IPv4Address(0) if ip_address(address).version == 4 else IPv6Address(0)


def plain(text: str) -> Address:
    """Return the address `text` spells, an IPv4 address in IPv6 clothes without them."""
    address = ip_address(text)
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def sockaddr(address: Address, port: int, *, wide: bool) -> tuple[Any, ...]:
    """Return the form the socket module gives an address; a `wide` socket is one of IPv6, to which IPv4 is mapped."""
    if address.version == 4:
        return (f"::ffff:{address}", port, 0, 0) if wide else (str(address), port)
    return str(address), port, 0, 0


def source_of(target: Address) -> Address:
    """Return the address the kernel would reach an address of this host from."""
    return IPv4Address("127.0.0.1") if target.version == 4 and target.is_loopback else target


def _overlap(one: Address, other: Address) -> bool:
    both = IPv6Address(0)
    if one == other or both in (one, other):
        return True
    return one.version == other.version and (one.is_unspecified or other.is_unspecified)
