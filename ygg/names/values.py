"""What questions and answers are made of: what is asked for, who is asked, and what is known then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address

from ygg.vtun.addresses import Host

PORT = 53
"""The port of DNS."""


class Kind(Enum):
    """What of a name is asked for: records of DNS by their numbers (RFC 1035, RFC 3596)."""

    A = 1
    """Addresses of IPv4."""
    AAAA = 28
    """Addresses of IPv6."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The addresses of a name, of one kind."""

    addresses: tuple[IPv4Address | IPv6Address, ...]
    """None, where there is the name but no address of the kind."""
    ttl: float
    """Seconds for which it holds."""


@dataclass(frozen=True)
class Zone:
    """Names, and the servers that know them."""

    servers: Sequence[tuple[Host, int]]
    """Address and port of each; the first has a head start."""
    ends: tuple[str, ...]
    """What the names end in; aliases that lead elsewhere are not followed. Empty: any name."""

    def has(self, name: str) -> bool:
        """Tell whether a name is one of these."""
        return not self.ends or any(name == end or name.endswith(f".{end}") for end in self.ends)
