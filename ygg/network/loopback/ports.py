"""Who is bound to which address and port, with the kernel's rules for wildcards and conflicts."""

from ipaddress import IPv4Address, IPv6Address
from typing import Any, Generic, TypeVar

from ygg.errors import AddressInUse
from ygg.network.addresses import IPAddress

T = TypeVar("T")

EPHEMERAL = range(32768, 61000)
"""Ports given out when none is asked for."""


class Ports(Generic[T]):
    """A table of bound ports. `::` is bound for both families, `0.0.0.0` for IPv4 alone."""

    def __init__(self) -> None:
        self._bound: dict[int, dict[IPAddress, T]] = {}
        self._next = 0

    def __len__(self) -> int:
        """Return how many ports are bound."""
        return len(self._bound)

    def bind(self, address: IPAddress, port: int, owner: T, *, beside: "Ports[Any] | None" = None) -> int:
        """Give `owner` the port, or for 0 one that is free here and `beside`, and return it. Raises `AddressInUse`."""
        if not port:
            port = self._free(address, beside)
        elif self._taken(address, port):
            raise AddressInUse
        self._bound.setdefault(port, {})[address] = owner
        return port

    def release(self, address: IPAddress, port: int) -> None:
        """Free what `bind()` gave."""
        owners = self._bound.get(port, {})
        owners.pop(address, None)
        if not owners:
            self._bound.pop(port, None)

    def find(self, address: IPAddress, port: int) -> T | None:
        """Return the owner that serves `address`, the most specific first."""
        owners = self._bound.get(port, {})
        for candidate in (address, IPv4Address(0) if address.version == 4 else None, IPv6Address(0)):
            if candidate is not None and candidate in owners:
                return owners[candidate]
        return None

    def _free(self, address: IPAddress, beside: "Ports[Any] | None") -> int:
        for _ in EPHEMERAL:
            port = EPHEMERAL[self._next]
            self._next = (self._next + 1) % len(EPHEMERAL)
            if not self._taken(address, port) and not (beside is not None and beside._taken(address, port)):
                return port
        raise AddressInUse("no free port")

    def _taken(self, address: IPAddress, port: int) -> bool:
        return any(_overlap(address, other) for other in self._bound.get(port, ()))


def sockaddr(address: IPAddress, port: int, *, wide: bool) -> tuple[Any, ...]:
    """Return the form the socket module gives an address; a `wide` socket is one of IPv6, to which IPv4 is mapped."""
    if address.version == 4:
        return (f"::ffff:{address}", port, 0, 0) if wide else (str(address), port)
    return str(address), port, 0, 0


def source_of(target: IPAddress) -> IPAddress:
    """Return the address the kernel would reach an address of this host from."""
    return IPv4Address("127.0.0.1") if target.version == 4 and target.is_loopback else target


def _overlap(one: IPAddress, other: IPAddress) -> bool:
    both = IPv6Address(0)
    if one == other or both in (one, other):
        return True
    return one.version == other.version and (one.is_unspecified or other.is_unspecified)
