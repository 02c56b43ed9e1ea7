"""What a node tells about itself to a person or a program: keys as bytes, times in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network


@dataclass(frozen=True, slots=True)
class SelfInfo:
    """This node."""

    public_key: bytes
    address: IPv6Address
    subnet: IPv6Network
    root: bytes
    """Key of the node this one takes for the root of the tree."""
    coordinates: tuple[int, ...]
    """Ports from the root down to this node; empty at the root."""
    routing_entries: int
    """Tree records held."""


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """One link there is or shall be."""

    url: str
    """Without its query."""
    source_interface: str
    """Interface it leaves by; empty for any."""
    up: bool
    inbound: bool
    persistent: bool
    """Whether it is redialed."""
    key: bytes | None
    """The neighbour's public key; None while down, as `address` and `latency` are."""
    address: IPv6Address | None
    port: int
    """The number this node gives the neighbour; shared by all links to it."""
    priority: int
    """0 to 255; of several links to one neighbour those with the lowest are used."""
    cost: int
    """Smoothed round trip in ms, at least 1; 0 while down."""
    bytes_received: int
    bytes_sent: int
    """Bytes of the stream, handshake included."""
    receive_rate: int
    send_rate: int
    """Bytes per second over the last second."""
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
    address: IPv6Address
    parent: bytes
    """The parent's key; a root is its own."""
    sequence: int


@dataclass(frozen=True, slots=True)
class PathEntry:
    """A known way to a node."""

    key: bytes
    address: IPv6Address
    path: tuple[int, ...]
    """Ports from the root down to it."""
    sequence: int
    """Unix time in seconds at which the node signed it."""
    broken: bool
    """Whether a hop has reported it broken since."""


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """An encrypted session."""

    key: bytes
    address: IPv6Address
    bytes_received: int
    bytes_sent: int
    """Payload bytes."""
    uptime: float
    """Seconds since it was made."""
