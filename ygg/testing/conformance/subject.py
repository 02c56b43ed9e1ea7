"""What is checked, and what a check is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ygg.network.base import Network


@dataclass(frozen=True, slots=True)
class Subject:
    """A network to be checked, and what there is to check it with."""

    network: Network
    """The network that dials."""
    host: str
    """An address at which `server` can listen and that `network` reaches."""
    server: Network | None = None
    """The network that listens when `network` cannot, as behind a proxy."""
    wildcard: str | None = ""
    """A host that binds all addresses of `server`; `None` when it has no such thing."""
    foreign: str | None = "203.0.113.1"
    """An address that is not `server`'s; `None` when any will do."""
    unknown: str = "no-such-host.invalid"
    """A name without addresses."""
    datagrams: bool = True
    """Whether it has datagrams."""

    @property
    def listening(self) -> Network:
        """The network that listens."""
        return self.server or self.network


Check = Callable[[Subject], Awaitable[None]]
"""One check: returns when the network does it right, else raises."""
