"""A link without a kernel: interfaces a test makes and breaks, datagrams on socket pairs, a node that takes notes."""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

from ygg.errors import AddressNotAvailable, PeerExistsError
from ygg.multicast.interfaces import Flags, Interface
from ygg.network import Listener
from ygg.url import PeerURL

WORKING = Flags.UP | Flags.RUNNING | Flags.MULTICAST
KEY = bytes(31) + b"\1"


def interface(name: str = "eth0", index: int = 1, *addresses: str, flags: Flags = WORKING) -> Interface:
    """Return an interface, with the address fe80::INDEX unless told others."""
    texts = addresses or (f"fe80::{index}",)
    return Interface(name, index, flags, tuple(ipaddress.ip_address(text) for text in texts))


class FakeListener(Listener):
    """A listener that nobody reaches."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._closed = False

    @property
    def address(self) -> str:
        return self._address

    async def accept(self) -> tuple[asyncio.Transport, str]:
        raise NotImplementedError

    def close(self) -> None:
        self._closed = True

    async def wait_closed(self) -> None:
        assert self._closed

    def is_closing(self) -> bool:
        return self._closed


@dataclass
class Link:
    """A link of the node that is up."""

    url: str
    up: bool = True


@dataclass
class FakeNode:
    """The part of a node that discovery uses; it notes what it was asked for."""

    public_key: bytes = KEY
    listeners: list[FakeListener] = field(default_factory=list)
    listened: list[tuple[str, str]] = field(default_factory=list)
    called: list[tuple[str, str]] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    refusal: Exception | None = None
    """What `listen` raises."""
    unusable: set[str] = field(default_factory=set)
    """Addresses that cannot be bound."""
    gate: asyncio.Event | None = None
    """What every call waits for."""

    def peers(self) -> Sequence[Link]:
        return self.links

    async def listen(self, url: str, *, source_interface: str, admit_all: bool) -> Listener:
        assert admit_all
        if self.refusal is not None:
            raise self.refusal
        parsed = PeerURL.parse(url)
        if parsed.host.partition("%")[0] in self.unusable:
            raise AddressNotAvailable
        self.listened.append((url, source_interface))
        port = parsed.port or 40000 + len(self.listeners)
        self.listeners.append(FakeListener(f"[{parsed.host}]:{port}"))
        return self.listeners[-1]

    async def call_peer(self, url: str, *, source_interface: str) -> bytes:
        self.called.append((url, source_interface))
        if self.gate is not None:
            await self.gate.wait()
        identity = PeerURL.parse(url).identity
        if identity in [link.url for link in self.links]:
            raise PeerExistsError
        self.links.append(Link(identity))
        return bytes(32)

    def open_listeners(self) -> list[str]:
        return [listener.address for listener in self.listeners if not listener.is_closing()]


class FakeSocket:
    """A `GroupSocket` on a socket pair: a test reads what it sends, and sends what it receives."""

    def __init__(self) -> None:
        self.near, self._far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.near.setblocking(False)
        self._far.setblocking(False)
        self.joined = 0
        self.sent: list[tuple[bytes, str]] = []
        self.trouble: OSError | None = None

    def fileno(self) -> int:
        return self.near.fileno()

    def join(self) -> None:
        self.joined += 1

    def send(self, data: bytes, source: ipaddress.IPv6Address) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.sent.append((data, str(source)))

    def receive(self) -> tuple[bytes, ipaddress.IPv6Address] | None:
        if self.trouble is not None:
            raise self.trouble
        try:
            data = self.near.recv(200)
        except BlockingIOError:
            return None
        return data[16:], ipaddress.IPv6Address(data[:16])

    def close(self) -> None:
        self.near.close()
        self._far.close()

    @property
    def closed(self) -> bool:
        return self.near.fileno() < 0

    def arrive(self, data: bytes, sender: str = "fe80::99") -> bool:
        """Have a datagram arrive; False when the kernel has no room for it."""
        try:
            self._far.send(ipaddress.IPv6Address(sender).packed + data)
        except BlockingIOError:
            return False
        return True


class Air:
    """Opens the sockets, and keeps them by interface index for the test; an index in `refused` gets none."""

    def __init__(self) -> None:
        self.sockets: dict[int, FakeSocket] = {}
        self.opened = 0
        self.refused: set[int] = set()

    def open(self, index: int) -> FakeSocket:
        if index in self.refused:
            raise AddressNotAvailable
        self.opened += 1
        self.sockets[index] = FakeSocket()
        return self.sockets[index]
