from typing import TypedDict

from ygg_c.base.sodium import Random
from ygg_c.link.link import Link, LinkHost, Sink

class _PeerState(TypedDict):
    """One link: its neighbour's key (32 bytes), the counters of ygg_c.link.link.Link, `latency` and `uptime` in ns."""

    key: bytes
    port: int
    priority: int
    cost: int
    rx_bytes: int
    tx_bytes: int
    rx_rate: int
    tx_rate: int
    latency: int
    uptime: int
    order: int

class _TreeState(TypedDict):
    """One tree record: 32-byte keys and the record's sequence number."""

    key: bytes
    parent: bytes
    sequence: int

class _PathState(TypedDict):
    """One path: the key it leads to, the ports from the root down to it, and the sequence number (unix seconds)."""

    key: bytes
    path: list[int]
    sequence: int
    broken: bool

class _LookupState(TypedDict):
    """One lookup: the asker's key, its ports from the root down, what it looks for (a key as lookups have it: its tail
    is zeros), and when, in unix seconds.
    """

    key: bytes
    path: list[int]
    target: bytes
    time: int

class _SelfState(TypedDict):
    """This node: key, coordinates (ports from the root down to it) and how many tree records it holds."""

    key: bytes
    coords: list[int]
    root: bytes
    routing_entries: int

class Router(LinkHost):
    """Links, spanning tree, filters, paths and forwarding of one node. `secret` is the seed and public key, 64
    bytes.
    """

    def __init__(self, secret: bytes, *, random: Random | None = None) -> None: ...
    @property
    def key(self) -> bytes:
        """The 32-byte public key."""
    @property
    def coords(self) -> list[int]:
        """The ports from the root down to this node."""
    @property
    def root(self) -> bytes:
        """The key this node takes for the root."""
    def add_link(self, key: bytes, priority: int, sink: Sink) -> Link:
        """Take a stream whose handshake proved `key`; ValueError when the key is this node's own or not 32 bytes."""
    def close(self) -> None:
        """Close every link; to be called before the last reference goes."""
    def find(self, key: bytes) -> None:
        """Look for the node behind a full or partial 32-byte key."""
    def suspect(self, key: bytes) -> None:
        """Say that what is sent to a 32-byte key seems not to arrive: another way is looked for, ever less often."""
    def confirm(self, key: bytes) -> None:
        """Say that what is sent to a 32-byte key arrives."""
    def credit(self, key: bytes) -> int:
        """Return how many bytes may be sent towards a 32-byte key now without being dropped; 262144 when its path is
        unknown.
        """
    def peers(self) -> list[_PeerState]:
        """Return the state of each link, oldest first."""
    def tree_records(self) -> list[_TreeState]:
        """Return the tree records held."""
    def known_paths(self) -> list[_PathState]:
        """Return the paths held."""
    keep_lookups: bool
    """Whether the node keeps who looks for whom, the latest lookup of each of 4096 askers; False at first."""
    def lookups(self) -> list[_LookupState]:
        """Return the lookups that have come while `keep_lookups` was on, the latest last. Nothing in them is proven."""
    def self_state(self) -> _SelfState:
        """Return what this node is in the tree."""
    def counters(self) -> dict[str, int]:
        """Return how often each thing was done, dropped or refused, by name; `maintenance_early` is what was done
        between two ticks.
        """
