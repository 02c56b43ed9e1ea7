"""Another way is taken within a second of a link's end, in virtual time, over networks of many shapes."""

import itertools
import random
from collections.abc import Callable

import pytest

from tests.c.slowlinks import MS, SECOND, Net, net_of
from ygg.simulation import StreamWire

Edge = tuple[int, int]
Wires = dict[Edge, tuple[StreamWire, StreamWire]]

DELAY = 5 * MS


def line_with_a_chord(chance: random.Random) -> set[Edge]:
    near = chance.randrange(1, 5)
    return {(number, number + 1) for number in range(1, 8)} | {(near, chance.randrange(near + 2, 9))}


def ring(chance: random.Random) -> set[Edge]:
    return {(number, number + 1) for number in range(1, 8)} | {(1, 8)}


def at_random(chance: random.Random) -> set[Edge]:
    tree = {(chance.randrange(1, number), number) for number in range(2, 21)}
    return tree | set(chance.sample(list(itertools.combinations(range(1, 21), 2)), 10))


def build(net: Net, edges: set[Edge], chance: random.Random) -> Wires:
    """Make nodes, their keys in an order of chance, and join them."""
    numbers = sorted({number for edge in edges for number in edge})
    places = dict(zip(numbers, chance.sample(numbers, len(numbers)), strict=True))
    net.add(*numbers)
    wires = {(places[a], places[b]): net.join(places[a], places[b], 1e9, DELAY) for a, b in sorted(edges)}
    net.run(15)
    return wires


def ways(net: Net, edges: set[Edge], first: int, last: int) -> bool:
    """Whether links join two nodes."""
    seen, front = {first}, {first}
    while front:
        front = {b for edge in edges for a, b in (edge, edge[::-1]) if a in front} - seen
        seen |= front
    return last in seen


class Flow:
    """Datagrams from one node to another, one every 20 ms."""

    def __init__(self, net: Net, source: int, target: int) -> None:
        self.net, self.ends, self.address = net, (source, target), net.nodes[target].address
        self.socket = net.stacks[source].udp(None, 0)
        self.receiver = net.stacks[target].udp(None, 9)

    def takes(self) -> float:
        """Send until something arrives; return the seconds that took."""
        began = self.net.now
        self.receiver.recv_many()
        while self.net.now - began < 10 * SECOND:
            self.socket.send(b"here", self.address, 9)
            self.net.run(0.02)
            if self.receiver.recv_many():
                return (self.net.now - began) / SECOND
        return float("inf")

    def links(self, wires: Wires) -> list[Edge]:
        """Where it goes by."""
        before = {edge: [wire.carried for wire in pair] for edge, pair in wires.items()}
        for _ in range(100):
            self.socket.send(bytes(1000), self.address, 9)
            self.net.run(0.003)
        self.net.run(0.1)
        return [edge for edge, pair in wires.items()
                if max(wire.carried - was for wire, was in zip(pair, before[edge], strict=True)) > 50_000]


def end(wires: tuple[StreamWire, StreamWire]) -> None:
    """Have a link end, and both its ends know."""
    for wire in wires:
        wire.silent = True
        wire.link.close()


def a_flow(net: Net, wires: Wires, chance: random.Random) -> tuple[Flow, Edge]:
    """A flow that has begun, and a link that it takes and could do without."""
    ends = list(itertools.permutations(net.nodes, 2))
    for one, other in chance.sample(ends, min(20, len(ends))):
        flow = Flow(net, one, other)
        assert flow.takes() < 3
        spare = [edge for edge in flow.links(wires) if ways(net, set(wires) - {edge}, one, other)]
        if spare:
            return flow, chance.choice(spare)
        flow.receiver.close()
    raise AssertionError("no link can be spared")


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("shape", [line_with_a_chord, ring, at_random])
def test_another_way_is_taken_within_a_second(shape: Callable[[random.Random], set[Edge]], seed: int) -> None:
    """Also where all that is left are nodes below the one that has lost its parent."""
    chance = random.Random(f"{shape.__name__} {seed}")
    with net_of() as net:
        wires = build(net, shape(chance), chance)
        flow, edge = a_flow(net, wires, chance)
        end(wires[edge])
        assert flow.takes() <= 1


@pytest.mark.parametrize("delay", [5, 40, 80])
@pytest.mark.parametrize("count", [4, 8])
def test_nothing_but_the_ways_takes_time(count: int, delay: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rings of links with a delay in ms each way, one of which ends.

    In a ring a node that has lost its parent is at most `count` - 2 hops from one that knows another way: what it says
    goes there, and that way comes back. Then it tells who writes to it, and what is written comes, round the ring both.
    """
    monkeypatch.setattr(f"{__name__}.DELAY", delay * MS)
    ways = 2 * (count - 2) + 2 * (count - 1)
    rest = 0.06         # a datagram each 20 ms, and what comes together is handled together, for 10 ms
    for seed in range(20):
        chance = random.Random(f"ways {count} {delay} {seed}")
        with net_of() as net:
            wires = build(net, {(number, number % count + 1) for number in range(1, count + 1)}, chance)
            flow, edge = a_flow(net, wires, chance)
            net.run(0.5)
            end(wires[edge])
            assert flow.takes() <= ways * delay / 1000 + rest


@pytest.mark.parametrize(("shape", "seed"), [(line_with_a_chord, 126), (at_random, 111), (at_random, 138)])
def test_a_path_that_breaks_far_away_is_found_within_a_second(
        shape: Callable[[random.Random], set[Edge]], seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first lookup goes by filters that lead to the break still, and nothing near by changes."""
    monkeypatch.setattr(f"{__name__}.DELAY", 20 * MS)
    chance = random.Random(f"{shape.__name__} {seed}")
    with net_of() as net:
        wires = build(net, shape(chance), chance)
        flow, edge = a_flow(net, wires, chance)
        net.run(0.5)
        end(wires[edge])
        assert flow.takes() <= 1


@pytest.mark.parametrize("seed", [0, 23, 84, 104, 8, 68, 75])
def test_links_that_end_in_turn_are_gone_round_within_a_second(seed: int) -> None:
    """Each comes back before the next one ends; some end right before the source, or twice beside the same node."""
    chance = random.Random(f"in turn {seed}")
    with net_of() as net:
        wires = build(net, ring(chance), chance)
        for _ in range(8):
            flow, edge = a_flow(net, wires, chance)
            end(wires[edge])
            assert flow.takes() <= 1
            flow.receiver.close()
            net.run(5)
            wires[edge] = net.join(*edge, 1e9, DELAY)
            net.run(5)


@pytest.mark.parametrize("seed", range(12))
def test_a_node_that_leaves_is_gone_round_within_a_second(seed: int) -> None:
    chance = random.Random(f"leaves {seed}")
    with net_of() as net:
        wires = build(net, at_random(chance), chance)
        flow, edge = a_flow(net, wires, chance)
        between = [number for number in edge if number not in flow.ends]
        gone = between[0] if between else None
        lost = {other for other in wires if gone in other} if gone else {edge}
        if not ways(net, set(wires) - lost, *flow.ends):
            lost = {edge}
        for other in lost:
            end(wires[other])
        assert flow.takes() <= 1
