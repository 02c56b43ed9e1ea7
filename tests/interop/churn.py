"""A network of eight nodes that is disturbed, and how long it takes until all that can reach each other do.

The same events, chosen by a seed, can be done to daemons alone and to daemons and nodes of ours in turn.
"""

import itertools
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import kernel
from .daemon import Daemon, wait_until
from .identity import identities
from .lab import Host, ip
from .net import Net
from .ours import Ours

SIZE = 8
PORT = 9000
LIMIT = 90.0
"""Seconds that a network may take to heal."""

Edge = tuple[int, int]


def line() -> set[Edge]:
    """Return the links of a row."""
    return {(number, number + 1) for number in range(SIZE - 1)}


def ring() -> set[Edge]:
    """Return the links of a circle."""
    return line() | {(0, SIZE - 1)}


def at_random(chance: random.Random) -> set[Edge]:
    """Return the links of a network that hangs together, with some to spare."""
    tree = {(chance.randrange(number), number) for number in range(1, SIZE)}
    return tree | set(chance.sample(list(itertools.combinations(range(SIZE), 2)), 4))


class Network:
    """Eight nodes, their places in the order of keys chosen by `chance`; the nodes of `mine` are ours.

    The nodes with lower numbers dial. What is taken away, nodes or links, is kept track of.
    """

    def __init__(self, net: Net, folder: Path, edges: set[Edge], mine: set[int], chance: random.Random) -> None:
        self._net, self._folder, self._mine = net, folder, mine
        self._keys = identities(SIZE)
        chance.shuffle(self._keys)
        self._starts = itertools.count()
        self.edges = set(edges)
        self.cuts: set[Edge] = set()
        self.nodes: dict[int, Ours | Daemon] = {}
        self._hosts: list[Host] = [net.host() for _ in range(SIZE)]
        for number in range(SIZE):
            self._start(number)
        for number in range(SIZE):
            self._dial(number)

    @property
    def root(self) -> int:
        """The running node with the smallest key."""
        return min(self.nodes, key=lambda number: self._keys[number])

    def start(self, number: int) -> None:
        """Start a node, and have it dial as its links say."""
        self._start(number)
        self._dial(number)

    def _start(self, number: int) -> None:
        host = self._hosts[number]
        folder = self._folder / f"start-{next(self._starts)}"
        folder.mkdir(parents=True)
        node: Ours | Daemon
        if number in self._mine:
            node = Ours(host, folder, self._keys[number])
            node.ask("listen", url=f"tcp://{host.address}:{PORT}")
        else:
            node = Daemon(host, folder, self._keys[number], listen=(f"tcp://{{}}:{PORT}",))
        self._net.running.append(node)
        self.nodes[number] = node

    def _dial(self, number: int) -> None:
        node = self.nodes[number]
        for one, other in sorted(self.edges):
            if one == number:
                url = f"tcp://{self._hosts[other].address}:{PORT}"
                if isinstance(node, Daemon):
                    node.peer(url)
                else:
                    node.ask("peer", url=url)

    def stop(self, number: int) -> None:
        """Stop a node."""
        node = self.nodes.pop(number)
        self._net.running.remove(node)
        node.stop()

    def cut(self, edge: Edge, cut: bool = True) -> None:
        """Have a link carry nothing, without a word to either end; or mend it."""
        for one, other in (edge, edge[::-1]):
            there = self._hosts[other].address
            if cut:     # an Ethernet address that is nobody's
                place = ("lladdr", "02:00:00:00:00:01", "dev", "eth0", "nud", "permanent")
                ip("-n", self._hosts[one].namespace, "neigh", "replace", there, *place)
            else:
                ip("-n", self._hosts[one].namespace, "neigh", "del", there, "dev", "eth0")
        (self.cuts.add if cut else self.cuts.discard)(edge)

    def _reachable(self) -> Iterator[Edge]:
        """Yield the pairs of nodes with a way between them."""
        group = {number: number for number in self.nodes}
        for _ in range(SIZE):
            for one, other in self.edges - self.cuts:
                if one in group and other in group:
                    group[one] = group[other] = min(group[one], group[other])
        return (pair for pair in itertools.combinations(self.nodes, 2) if group[pair[0]] == group[pair[1]])

    def _reaches(self, one: int, other: int) -> bool:
        node, address = self.nodes[one], self.nodes[other].address
        if isinstance(node, Ours):
            return bool(node.ask("reaches", address=address))
        return kernel.ping(node.host, address, 56, tries=1)

    def _meet(self, one: int, other: int) -> bool:
        # A daemon that looks for its caller in vain does not do so again: for a minute only what it says itself helps.
        alone = isinstance(self.nodes[one], Daemon) and isinstance(self.nodes[other], Daemon)
        return self._reaches(one, other) or (alone and self._reaches(other, one))

    def healed(self) -> float:
        """Wait until each pair with a way between them has pinged; return the seconds that took."""
        begin = time.monotonic()

        def wait(pair: Edge) -> None:
            wait_until(lambda: self._meet(*pair), f"{pair[0]} reaches {pair[1]}", LIMIT)

        with ThreadPoolExecutor(SIZE * SIZE) as pool:
            list(pool.map(wait, self._reachable()))
        return time.monotonic() - begin


def disturb(network: Network, chance: random.Random) -> Iterator[tuple[str, float]]:
    """Do to a network what a week may bring; yield each event and the seconds it took to heal."""

    def event(name: str) -> tuple[str, float]:
        return name, network.healed()

    yield event("start")
    number = chance.randrange(SIZE)
    network.stop(number)
    network.start(number)
    yield event(f"restart of {number}")
    cuts = chance.sample(sorted(network.edges), 2)
    for edge in cuts:
        network.cut(edge)
        yield event(f"cut of {edge}")
    for edge in cuts:
        network.cut(edge, False)
    yield event("both mended")
    root = network.root
    network.stop(root)
    yield event(f"the root, {root}, leaves")
    network.start(root)
    yield event("the root is back")
