"""Eight nodes whose links and neighbours come and go: all that some way connects answer each other soon after."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.churn import NODES, Edge, Event, Plan
from tests.simnet import SECOND, CountedLink, Routers
from ygg.testing import in_order
from ygg_c.node.node import Node

NUMBERS = in_order(*range(1, NODES + 1))


class Lab:
    """The network of a plan, in virtual time."""

    def __init__(self, plan: Plan, silent: bool) -> None:
        self.plan = plan
        self.silent = silent
        self.network = Routers(("churn", plan.shape, plan.seed), make=Node)
        self.nodes: dict[int, Node] = {number: self.network.add(NUMBERS[number]) for number in range(NODES)}
        self.links: dict[Edge, CountedLink] = {}
        self.join(plan.joined)

    def join(self, edges: set[Edge] | frozenset[Edge]) -> None:
        """Connect what is to be connected and is not, where both ends are there."""
        for a, b in sorted(edges):
            if (a, b) not in self.links and a in self.nodes and b in self.nodes:
                self.links[a, b] = self.network.join(self.nodes[a], self.nodes[b])

    def cut(self, edges: set[Edge] | frozenset[Edge]) -> None:
        """Close links at both ends; or have them fall silent, which nobody is told."""
        for edge in sorted(edges):
            link = self.links.pop(edge, None)
            if link is not None and self.silent:
                link.silent = True
            elif link is not None and link in self.network.links:
                link.cut()

    def leave(self, number: int) -> None:
        """Stop a node."""
        self.cut({edge for edge in self.links if number in edge})
        self.network.remove(self.nodes.pop(number))

    def apply(self, event: Event) -> None:
        """Do what an event says."""
        for number in sorted(event.leave | event.restart):
            self.leave(number)
        self.cut(event.cut)
        for number in sorted(event.come | event.restart):
            self.nodes[number] = self.network.add(NUMBERS[number])
        self.join(self.plan.joined)

    def heal(self, most: float) -> tuple[float, list[tuple[int, int]]]:
        """Have all connected pairs ask each other every second; return the seconds until all have, and who has not.

        When no answer comes, the path is called suspect, as the stack does with pings: links that are dead and idle are
        noticed by what is sent on them.
        """
        begun = self.network.now
        missing = set(self.plan.pairs())
        while missing and self.network.now - begun < most * SECOND:
            for a, b in sorted(missing):
                self.ask(a, b, missing)
            self.network.run(1, lambda: not missing)
            for a, b in sorted(missing):
                self.nodes[a].suspect(self.nodes[b].key)
        return (self.network.now - begun) / SECOND, sorted(missing)

    def ask(self, a: int, b: int, missing: set[tuple[int, int]]) -> None:
        """Send a request from one node to another."""
        asker, asked = self.nodes[a], self.nodes[b]
        asker.turn(self.network.now, self.network.wall)
        asker.request(asked.key, "self", lambda *answer: missing.discard((a, b)))
        self.network.turn(asker)

    def close(self) -> None:
        """Stop all nodes."""
        self.network.close()
        self.nodes.clear()
        self.links.clear()


@pytest.fixture
def labs() -> Iterator[list[Lab]]:
    """Close the labs of a test."""
    labs: list[Lab] = []
    yield labs
    for lab in labs:
        lab.close()


def churn(labs: list[Lab], plan: Plan, count: int, silent: bool, most: float) -> list[tuple[float, str]]:
    """Run a plan; return how long the network took to heal after each event."""
    lab = Lab(plan, silent)
    labs.append(lab)
    taken = [(lab.heal(most), "start")]
    for event in plan.events(count):
        lab.apply(event)
        taken.append((lab.heal(most), event.name))
        lab.network.run(5)
    assert [(name, missing) for (_, missing), name in taken if missing] == []
    return [(seconds, name) for (seconds, _), name in taken]


@pytest.mark.parametrize("shape", ["line", "ring", "random"])
@pytest.mark.parametrize("seed", [1, 2])
def test_all_are_reached_after_what_is_told(labs: list[Lab], shape: str, seed: int) -> None:
    """Restarts, cuts, partitions, a root that leaves, and their ends, where links close: within twelve seconds."""
    churn(labs, Plan(shape, seed), 8, silent=False, most=12)


@pytest.mark.parametrize("shape", ["line", "ring", "random"])
def test_all_are_reached_after_what_is_not_told(labs: list[Lab], shape: str) -> None:
    """The same where links fall silent: dead ones are noticed three seconds after something was sent."""
    churn(labs, Plan(shape, 3), 6, silent=True, most=16)


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["line", "ring", "random"])
@pytest.mark.parametrize("silent", [False, True], ids=["told", "silent"])
@pytest.mark.parametrize("seed", range(10, 15))
def test_long_churn(labs: list[Lab], shape: str, silent: bool, seed: int) -> None:
    """Five seeds of forty disturbances each."""
    churn(labs, Plan(shape, seed), 40, silent=silent, most=20)
