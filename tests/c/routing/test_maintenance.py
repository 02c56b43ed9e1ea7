"""Maintenance of tree, filters and lookups between ticks: how soon it is done, and how often strangers can cause it."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.c.farside import (
    ANNOUNCE,
    BLOOM,
    EMPTY_FILTER,
    FULL_FILTER,
    LOOKUP,
    NOTIFY,
    SECOND,
    SIG_REQ,
    Clock,
    FarSide,
    announce,
)
from tests.c.node.test_gateway import ipv6
from tests.simnet import MILLISECOND, Routers
from ygg.testing import in_order, secret_key
from ygg_c.ip.port import PacketPort
from ygg_c.node.gateway import Gateway
from ygg_c.node.node import Node

from .test_multicast import alive, child, holding
from .test_pathfinder import notify
from .test_tree import agree, parent_of

X, Y = b"\x11" * 32, b"\x22" * 32


@pytest.fixture
def network() -> Iterator[Routers]:
    """Give an empty network."""
    network = Routers("maintenance")
    yield network
    network.close()


def milliseconds(network: Routers, condition: Any, most: float) -> float:
    """Return how long it takes until a condition holds."""
    begun = network.now
    assert network.run(most / 1000, condition)
    return (network.now - begun) / MILLISECOND


# How soon


@pytest.mark.parametrize("delay", [0, 1, 50])
def test_the_first_packet_arrives_soon(delay: int) -> None:
    """A packet for a node peered this instant waits for tree, filters, lookups, session: eleven trips and some gaps."""
    network = Routers("first", make=Node)
    a, b = network.add(1), network.add(2)
    taken: list[bytes] = []
    gateways = [Gateway(a), Gateway(b)]
    ports = [PacketPort(lambda packets: None), PacketPort(taken.extend)]
    for gateway, port in zip(gateways, ports, strict=True):
        gateway.attach(port)
    network.run(10.7)
    network.join(a, b, delay / 1000)
    a.turn(network.now, network.wall)
    ports[0].send([ipv6(a.address, b.address)])
    network.turn(a)
    assert milliseconds(network, lambda: taken, 1000) <= 11 * delay + 40
    for gateway in gateways:
        gateway.close()
    network.close()


@pytest.mark.parametrize("fraction", [0, 0.3, 0.7])
def test_both_ends_may_begin(fraction: float) -> None:
    """Lookups and Inits cross; an Ack and the payload behind it wait for the same path."""
    network = Routers("both", make=Node)
    nodes = [network.add(1), network.add(2)]
    answers: list[bytes] = []
    network.run(10 + fraction)
    network.join(*nodes)
    for node, other in itertools.permutations(nodes):
        node.turn(network.now, network.wall)
        node.request(other.key, "self", lambda key, kind, data: answers.append(key))
        network.turn(node)
    assert milliseconds(network, lambda: len(answers) == 2, 100) > 0
    nodes.clear()
    del node, other
    network.close()


@pytest.mark.parametrize(("size", "most"), [(5, 100), (20, 2500)])
@pytest.mark.parametrize("order", ["any", "rising", "falling"])
def test_a_line_finds_its_tree(network: Routers, size: int, most: int, order: str) -> None:
    """Nodes joined all at once agree after a few milliseconds a hop; long lines use up what may be done early."""
    numbers = {"any": list(range(1, size + 1)), "rising": in_order(*range(1, size + 1)),
               "falling": in_order(*range(1, size + 1))[::-1]}[order]
    nodes = [network.add(number) for number in numbers]
    network.run(3.3)
    for a, b in itertools.pairwise(nodes):
        network.join(a, b)
    assert milliseconds(network, lambda: agree(nodes), most) > size
    network.run(most / 1000)
    network.send(nodes[0], nodes[-1], b"across")
    assert milliseconds(network, nodes[-1].take_delivered, 1000) <= 4 * size
    nodes.clear()


def test_a_lookup_that_was_in_vain_is_repeated(clock: Clock) -> None:
    """When a filter comes that leads to the key; not for another that does not, and not when it has been answered."""
    first, second = child(clock, 3), child(clock, 4)
    clock.router.send(X, b"waits")
    clock.turn()
    first.filter(holding(Y))
    clock.pass_time(0.1)
    assert first.got(LOOKUP) == []
    first.filter(holding(X))
    clock.pass_time(0.1)
    assert len(first.got(LOOKUP)) == 1
    second.filter(holding(Y))
    clock.pass_time(0.1)
    assert (first.got(LOOKUP), second.got(LOOKUP)) == ([], [])
    second.filter(holding(X))
    clock.pass_time(0.1)
    assert (len(first.got(LOOKUP)), len(second.got(LOOKUP))) == (1, 1)


def test_an_answered_lookup_is_not_repeated(clock: Clock) -> None:
    """Whatever filters come."""
    secret = secret_key(9)
    first, second = child(clock, 3), child(clock, 4)
    first.filter(holding(secret[32:]))
    clock.pass_time(0.1)
    clock.router.find(secret[32:])
    clock.turn()
    assert len(first.got(LOOKUP)) == 1
    notify(first)
    second.filter(holding(secret[32:]))
    clock.pass_time(0.5)
    assert (first.got(LOOKUP), second.got(LOOKUP)) == ([], [])


def test_lookups_are_repeated_a_few_times(clock: Clock) -> None:
    """A neighbour whose filter comes and goes makes us ask no more than four times between two of our own."""
    far = child(clock, 3)
    clock.router.send(X, b"waits")
    clock.turn()
    for body in [holding(X), holding(Y)] * 50:
        far.filter(body)
        clock.pass_time(0.1)
        alive(far)
    assert 1 <= len(far.got(LOOKUP)) <= 4


def test_a_lost_parent_is_replaced_at_once(network: Routers) -> None:
    """A square loses a side: traffic goes the other way round before a tick."""
    a, b, c, d = (network.add(number) for number in in_order(1, 2, 3, 4))
    ab = network.join(a, b)
    network.join(b, c, delay=0.02)
    network.join(c, d)
    network.join(d, a)
    network.run(260)            # past a refresh, c has its cheaper parent
    assert (parent_of(b), parent_of(c)) == (a.key, d.key)
    network.send(a, b, b"before")
    network.run(1.3)
    assert len(b.take_delivered()) == 1
    ab.cut()
    assert milliseconds(network, lambda: parent_of(b) == c.key, 1000) <= 10
    network.run(0.15)
    network.send(a, b, b"lost")
    network.run(0.05)
    network.send(a, b, b"after")
    assert milliseconds(network, b.take_delivered, 1000) <= 150
    assert agree(network.nodes)


def test_a_path_may_change_twice_in_a_second(clock: Clock) -> None:
    """A node that moves numbers its notifies above those it has sent in this second, but never far above the clock."""
    parents = [FarSide(clock, number) for number in in_order(*range(1, 251))[:30]][::-1]
    numbers = []
    for parent in parents:
        parent.become_root()
        clock.pass_time(0.3)
        for other in parents:
            alive(other)
        assert clock.router.root == parent.key
        parent.send(LOOKUP, source=X, dest=clock.router.key, **{"from": []})
        numbers += [answer["seq"] for answer in parent.got(NOTIFY)]
        assert max(numbers, default=0) <= clock.wall + 5
    assert numbers == sorted(numbers)
    assert sorted(set(numbers)) == list(range(numbers[0], numbers[-1] + 1))
    assert numbers[-1] == clock.wall + 5


# What must not be soon


def test_a_node_that_lost_its_parent_waits_a_second_to_be_root(clock: Clock) -> None:
    """Not a moment less, however often it looks around meanwhile, and not much more."""
    small, other = FarSide(clock, 8), FarSide(clock, 3)
    small.become_root()
    clock.pass_time(0.5)
    small.answer()
    other.answer()
    assert clock.router.root == small.key
    small.link.close()
    clock.turn()
    for step in range(9):
        clock.pass_time(0.1)
        other.send(ANNOUNCE, **announce(secret_key(9), secret_key(9), step + 1, 1, 0))
        assert parent_of(clock.router) == small.key
    clock.pass_time(0.09)
    assert parent_of(clock.router) == small.key
    clock.pass_time(0.2)
    assert parent_of(clock.router) == clock.router.key


def test_zeros_wait_for_a_tick_and_another(clock: Clock) -> None:
    """Ones go at once, and take no zero with them."""
    first, second, third = (child(clock, number) for number in (3, 4, 5))
    alive(first, second, third)
    first.filter(holding(X))
    clock.pass_time(0.1)
    assert second.got(BLOOM)[-1] == holding(clock.router.key, X)
    clock.pass_time(0.75)           # to shortly before a tick
    alive(first, second, third)
    first.filter(holding())
    begun = clock.now
    third.filter(holding(Y))
    clock.pass_time(0.1)
    assert second.got(BLOOM) == [holding(clock.router.key, X, Y)]
    keys, withdrawn = [Y], False
    while not withdrawn:
        assert clock.now - begun < 2.5 * SECOND
        keys.append(bytes([len(keys)]) * 32)
        third.filter(holding(*keys))
        clock.pass_time(0.25)
        alive(first, second, third)
        for body in second.got(BLOOM):
            withdrawn = body == holding(clock.router.key, *keys)
            assert withdrawn or body == holding(clock.router.key, X, *keys)
    assert clock.now - begun >= SECOND


# How often


def test_a_hostile_neighbour_cannot_hurry_us(clock: Clock) -> None:
    """Whatever it sends, others hear no more of it than a burst and five times a second."""
    hostile, honest = child(clock, 8), child(clock, 3)
    hostile.polite = False
    root = secret_key(in_order(*range(1, 256))[0])
    before = clock.router.counters()
    seconds, steps = 10, 400
    for step in range(steps):
        # Its place in the tree changes, the root changes, its filter comes and goes, and our questions are answered.
        parent = (root, clock.secret, hostile.secret)[step % 3]
        hostile.send(ANNOUNCE, **announce(hostile.secret, parent, 100 + step, step, 1 + step % 5))
        hostile.send(ANNOUNCE, **announce(root, root, 1 + step, step, 0))
        hostile.filter(FULL_FILTER if step % 2 else EMPTY_FILTER)
        for request in hostile.got(SIG_REQ):
            hostile.respond(request)
        clock.pass_time(seconds / steps)
        honest.raw(b"\x01\x01")
        honest.answer()
    after = clock.router.counters()
    ticks = seconds + 1
    early = after["maintenance_early"] - before["maintenance_early"]
    assert early <= 10 + 4 * seconds
    assert 0 < after["maintenance_limited"] - before["maintenance_limited"] <= 4 * ticks + early
    heard: dict[int, int] = {}
    for kind, _ in honest.frames:
        heard[kind] = heard.get(kind, 0) + 1
    # Each time at most a filter, and a record of each of root, neighbour and ourselves.
    assert heard.get(BLOOM, 0) <= early + ticks
    assert heard.get(ANNOUNCE, 0) <= 3 * (early + ticks)
    hostile.frames.clear()


def test_links_that_come_and_go_cannot_hurry_us(clock: Clock) -> None:
    """A neighbour that connects again and again causes a bounded amount of maintenance."""
    before = clock.router.counters()["maintenance_early"]
    for _ in range(500):
        FarSide(clock, 3, polite=False).link.close()
        clock.pass_time(0.01)
    assert clock.router.counters()["maintenance_early"] - before <= 10 + 4 * 5


def test_a_settled_node_keeps_to_its_ticks(network: Routers) -> None:
    """Nothing happens, so nothing is done early."""
    nodes = [network.add(number) for number in range(1, 5)]
    for a, b in itertools.pairwise(nodes):
        network.join(a, b)
    network.run(20)
    before = [node.counters()["maintenance_early"] for node in nodes]
    network.run(100)
    assert [node.counters()["maintenance_early"] for node in nodes] == before
    nodes.clear()
