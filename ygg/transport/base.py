"""What a transport is: a way to make a byte stream out of what a network offers, chosen by URL scheme."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ygg.errors import OperationNotSupported
from ygg.network.base import BACKLOG, DIAL_TIMEOUT, Listener, Network
from ygg.url import PeerURL


@dataclass(frozen=True, slots=True)
class DialOptions:
    """What a dial is told beside its URL."""

    source_interface: str | None = None
    """Interface the connection must leave by."""
    timeout: float = DIAL_TIMEOUT
    """Seconds for each address to answer, and for a handshake of the transport's own."""


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """What a listener is told beside its URL."""

    source_interface: str | None = None
    """Interface the listener is bound to."""
    backlog: int = BACKLOG
    """Connections held until they are accepted."""


class Transport(ABC):
    """A way to carry links. Subclass it, name its `schemes`, and register an instance with a `TransportManager`.

    The connections it returns are `asyncio.Transport`s; a link takes them over with `set_protocol()`. Wrapping another
    transport is enough: see `examples/`.
    """

    schemes: ClassVar[Sequence[str]] = ()
    """URL schemes it serves, lower case."""

    @abstractmethod
    async def dial(self, network: Network, url: PeerURL, options: DialOptions) -> asyncio.Transport:
        """Return a connection to `url` through `network`, reading paused until it is taken over.

        Raises a `YggError`; must leave nothing behind when cancelled.
        """

    async def listen(self, network: Network, url: PeerURL, options: ListenOptions) -> Listener:
        """Return a listener bound to `url` in `network`. The default has none."""
        raise OperationNotSupported(f"{url.scheme} has no listener")
