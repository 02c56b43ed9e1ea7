"""How eager a jumper is, and within which bounds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_network

from ygg.identity.keys import PUBLIC_SIZE
from ygg.jumper.addresses import AddressPolicy


@dataclass(frozen=True, slots=True)
class JumperConfig:
    """What to publish, whom to connect to directly, and for how long. Raises `ValueError` for what makes no sense."""

    publish: bool = True
    """Tell others the addresses of this node's listeners; False only makes links, and tells nothing."""
    addresses: Iterable[str] = ()
    """URIs to publish beside those of the listeners, such as the outside of a port forwarding."""
    networks: Iterable[str] = ()
    """Prefixes outside the public internet that may be published and dialed too, such as `192.168.7.0/24`."""
    schemes: Iterable[str] = ("tls", "tcp", "quic")
    """Schemes of the URIs that are published and dialed."""
    keys: Iterable[bytes] = ()
    """Public keys (32 bytes each) of the nodes to connect to; empty is every node in use."""
    interval: float = 5.0
    """Seconds between checks."""
    rate: float = 4096.0
    """Bytes per second, both ways together, from which on a destination is in use."""
    idle: float = 120.0
    """Seconds a destination may be out of use before its link is dropped."""
    margin: float = 1.2
    """The longest round trip a direct link may have, as a multiple of the one through the network before."""
    maximum_links: int = 8
    """Direct links at once."""
    concurrency: int = 2
    """Destinations asked and dialed at once."""
    per_minute: int = 6
    """Destinations asked and dialed within a minute, at most."""
    rest: float = 300.0
    """Seconds before a destination without a better link is asked again; doubles with every failure, up to a day."""
    policy: AddressPolicy = field(init=False, repr=False, compare=False)
    """Which URIs may be published and dialed."""

    def __post_init__(self) -> None:
        for name in ("addresses", "networks", "schemes"):
            if isinstance(getattr(self, name), str):
                raise ValueError(f"{name} must be a list")  # a lone string would be taken for its letters
            object.__setattr__(self, name, tuple(getattr(self, name)))
        object.__setattr__(self, "schemes", tuple(scheme.lower() for scheme in self.schemes))
        object.__setattr__(self, "keys", frozenset(self.keys))
        if any(len(key) != PUBLIC_SIZE for key in self.keys):
            raise ValueError(f"keys must have {PUBLIC_SIZE} bytes each")
        for name in ("interval", "rate", "margin", "concurrency", "per_minute", "rest"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive")
        for name in ("idle", "maximum_links"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative")
        policy = AddressPolicy(frozenset(self.schemes), tuple(ip_network(prefix) for prefix in self.networks))
        for address in self.addresses:
            policy.check(address)
        object.__setattr__(self, "policy", policy)
