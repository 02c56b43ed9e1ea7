"""What a crawl has found: nodes, and the links that they tell of."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ygg.identity.address import address_of


@dataclass(slots=True)
class NodeRecord:
    """A node that was found."""

    key: bytes
    """Its public key, 32 bytes."""
    peers: tuple[bytes, ...] | None = None
    """The keys of its peers as it says; None when it was not asked, or has not answered."""
    seconds: float | None = None
    """How long its answer took."""
    error: str = ""
    """Why it has not answered; empty when it has, or was not asked."""


class Link(NamedTuple):
    """Two nodes that are linked, the smaller key first."""

    a: bytes
    """The key of one."""
    b: bytes
    """The key of the other."""
    both: bool
    """Whether both of them say so; else the other has not answered, or does not say so."""


@dataclass
class Graph:
    """Nodes by key, in the order in which they were found, the one that was begun with first."""

    nodes: dict[bytes, NodeRecord] = field(default_factory=dict)
    """By public key."""
    left_out: int = 0
    """Keys that were told of beyond the bounds: what they stand for was not looked at."""

    @property
    def answered(self) -> int:
        """How many nodes have answered."""
        return sum(node.peers is not None for node in self.nodes.values())

    def links(self) -> list[Link]:
        """Return the links between nodes that were found, sorted."""
        told = {(node.key, peer) for node in self.nodes.values() for peer in node.peers or () if peer in self.nodes}
        pairs = {(min(pair), max(pair)) for pair in told if pair[0] != pair[1]}
        return sorted(Link(a, b, (a, b) in told and (b, a) in told) for a, b in pairs)

    def tree(self) -> list[tuple[bytes, bytes | None]]:
        """Return each node with the one that it was reached from by the fewest links, the nearest nodes first.

        None stands before the first node, and before those that no link leads to.
        """
        near: dict[bytes, list[bytes]] = {key: [] for key in self.nodes}
        for a, b, _ in self.links():
            near[a].append(b)
            near[b].append(a)
        before: dict[bytes, bytes | None] = {}
        for start in self.nodes:
            if start not in before:
                before[start] = None
                self._spread(start, near, before)
        return list(before.items())

    @staticmethod
    def _spread(start: bytes, near: dict[bytes, list[bytes]], before: dict[bytes, bytes | None]) -> None:
        waiting = deque([start])
        while waiting:
            key = waiting.popleft()
            for other in near[key]:
                if other not in before:
                    before[other] = key
                    waiting.append(other)

    def to_json(self) -> dict[str, Any]:
        """Return `nodes`, `links` and `left_out` as JSON values, keys as hex digits."""
        return {
            "nodes": list(map(_node, self.nodes.values())),
            "links": [{"a": link.a.hex(), "b": link.b.hex(), "both": link.both} for link in self.links()],
            "left_out": self.left_out,
        }

    def __iter__(self) -> Iterator[NodeRecord]:
        return iter(self.nodes.values())


def _node(node: NodeRecord) -> dict[str, Any]:
    found: dict[str, Any] = {"key": node.key.hex(), "address": str(address_of(node.key))}
    if node.peers is not None:
        found |= {"peers": len(node.peers), "seconds": round(node.seconds or 0.0, 4)}
    elif node.error:
        found["error"] = node.error
    return found
