"""What a node tells about itself to a person or a program: keys as bytes, times in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network


@dataclass(frozen=True, slots=True)
class SelfInfo:
    """This node."""

    public_key: bytes
    """32 bytes, as all keys here."""
    address: IPv6Address
    """In 200::/7."""
    subnet: IPv6Network
    """The /64 in 300::/8 that is routed to it."""
    root: bytes
    """Key of the node this one takes for the root of the tree."""
    coordinates: tuple[int, ...]
    """Ports from the root down to this node; empty at the root."""
    routing_entries: int
    """Tree records held."""


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """One link there is or shall be."""

    url: str = field(repr=False)
    """Without its query: what `add_peer` and `remove_peer` know it by. May hold the password of a proxy."""
    redacted: str
    """The same, fit for a log: without that password."""
    source_interface: str
    """Interface it leaves by; empty for any."""
    up: bool
    """Whether the link is there now."""
    inbound: bool
    """Whether it came in through a listener."""
    persistent: bool
    """Whether it is redialed."""
    key: bytes | None
    """The neighbour's public key; None while down."""
    address: IPv6Address | None
    """The neighbour's address; None while down."""
    port: int
    """The number this node gives the neighbour; shared by all links to it."""
    priority: int
    """0 to 255; of several links to one neighbour those with the lowest are used."""
    cost: int
    """Smoothed round trip in ms, at least 1; 0 while down."""
    bytes_received: int
    """Bytes of the stream, handshake included; 0 while down."""
    bytes_sent: int
    """The same, to the neighbour."""
    receive_rate: int
    """Bytes per second over the last second."""
    send_rate: int
    """The same, to the neighbour."""
    uptime: float
    """Seconds since the link came up; 0 while down."""
    latency: float | None
    """The last round trip in seconds; None before the first."""
    last_error: str
    """Why the last attempt or link failed; empty while up."""
    last_error_age: float | None
    """Seconds since then."""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One record of the spanning tree."""

    key: bytes
    """The node it speaks of."""
    address: IPv6Address
    """That node's address."""
    parent: bytes
    """The parent's key; a root is its own."""
    sequence: int
    """Grows with every record the node makes of itself."""


@dataclass(frozen=True, slots=True)
class PathEntry:
    """A known way to a node."""

    key: bytes
    """The node."""
    address: IPv6Address
    """Its address."""
    path: tuple[int, ...]
    """Ports from the root down to it."""
    sequence: int
    """Unix time in seconds at which the node signed it."""
    broken: bool
    """Whether a hop has reported it broken since."""


@dataclass(frozen=True, slots=True)
class LookupEntry:
    """A node that has looked for some node, as its lookup says: nothing in it is signed."""

    key: bytes
    """The node that looks."""
    address: IPv6Address
    """Its address."""
    path: tuple[int, ...]
    """Ports from the root down to it."""
    time: int
    """Unix time in seconds at which its last lookup came."""


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """An encrypted session."""

    key: bytes
    """The other node."""
    address: IPv6Address
    """Its address."""
    bytes_received: int
    """Bytes of payloads."""
    bytes_sent: int
    """The same, to the other node."""
    uptime: float
    """Seconds since it was made."""
