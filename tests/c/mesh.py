"""Whole nodes joined by byte streams in memory, in virtual time."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ygg.testing import secret_key
from ygg_c.base.sodium import SeededRandom
from ygg_c.link.link import Link, PySink
from ygg_c.node.node import Node

SECOND = 1_000_000_000
START = 1_700_000_000


class Mesh:
    """Nodes by number (seed byte), and the streams between them."""

    def __init__(self) -> None:
        self.now = SECOND
        self.nodes: dict[int, Node] = {}
        self.streams: dict[Link, Link] = {}
        self.flying: list[tuple[Link, bytes]] = []
        self.deadlines: dict[int, int | None] = {}
        self.lose: Callable[[bytes], bool] = lambda data: False

    def add(self, number: int, group: bytes = b"", life: int = 0) -> Node:
        node = Node(secret_key(number), group_password=group, random=SeededRandom((number, life) if life else number))
        self.nodes[number] = node
        self.deadlines[number] = 0
        node.on_work = lambda: self.deadlines.__setitem__(number, 0)
        node.on_link_closed = self._closed
        node.turn(self.now, self.wall)
        return node

    def remove(self, number: int) -> None:
        self.nodes.pop(number).close()
        del self.deadlines[number]

    @property
    def wall(self) -> int:
        return START + self.now // SECOND

    def connect(self, first: int, second: int) -> None:
        a, b = self.nodes[first], self.nodes[second]
        left = a.add_link(b.key, 0, PySink(self._flush))
        right = b.add_link(a.key, 0, PySink(self._flush))
        self.streams[left], self.streams[right] = right, left

    def _flush(self, link: Link) -> None:
        while data := link.take():
            self.flying.append((link, data))

    def _closed(self, link: Link, reason: str) -> None:
        other = self.streams.pop(link, None)
        if other is not None:
            self.streams.pop(other, None)
            other.close()

    def step(self) -> bool:
        """Carry what flies and give every node that wants one a turn; False when nothing happened."""
        flying, self.flying = self.flying, []
        for link, data in flying:
            other = self.streams.get(link)
            if other is not None:
                other.receive(data)
        busy = bool(flying)
        for number, node in list(self.nodes.items()):
            deadline = self.deadlines[number]
            if flying or (deadline is not None and deadline <= self.now):
                busy = True
                self.deadlines[number] = None
                returned = node.turn(self.now, self.wall)
                if self.deadlines.get(number, 0) is None:
                    self.deadlines[number] = returned
        return busy

    def run(self, seconds: float) -> None:
        """Let time pass, stopping at each deadline."""
        end = self.now + int(seconds * SECOND)
        while True:
            for _ in range(10000):
                if not self.step():
                    break
            else:
                raise AssertionError("the nodes do not come to rest")
            due = [deadline for deadline in self.deadlines.values() if deadline is not None]
            self.now = max(self.now, min([end, *due]))
            if self.now >= end and not any(deadline <= end for deadline in due):
                return

    def close(self) -> None:
        for number in list(self.nodes):
            self.remove(number)
        self.streams.clear()
        self.flying.clear()


@contextmanager
def mesh_of(*numbers: int) -> Iterator[Mesh]:
    """A line of nodes that have found their tree."""
    mesh = Mesh()
    try:
        for number in numbers:
            mesh.add(number)
        for first, second in itertools.pairwise(numbers):
            mesh.connect(first, second)
        mesh.run(8)
        yield mesh
    finally:
        mesh.close()
