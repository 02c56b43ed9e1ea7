"""What is for a neighbour goes to it by its own link, whatever parents and the tree do."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.c.farside import ANNOUNCE, BROKEN, LOOKUP, MAX, NOTIFY, SIG_REQ, TRAFFIC, Clock, FarSide, announce, sign
from tests.simnet import Routers
from ygg.testing import in_order
from ygg_c.base.address import address_for_key, partial_key_for_address
from ygg_c.link import wire
from ygg_c.node.node import Node
from ygg_c.testing.payloads import send_payload

S, D = b"\x11" * 32, b"\x22" * 32


@pytest.fixture
def parent(clock: Clock) -> Iterator[FarSide]:
    """Give a parent whose filter leads everywhere, and which answers no lookup."""
    parent = FarSide(clock, 8)
    parent.become_root()
    clock.pass_time(1)
    parent.answer()
    parent.filter()
    parent.frames.clear()
    yield parent
    del parent.clock, parent.link


def sibling_of(clock: Clock, parent: FarSide, **options: Any) -> FarSide:
    """Return a neighbour that is another child of the parent's, at [77]."""
    sibling = FarSide(clock, 3, **options)
    sibling.send(ANNOUNCE, **announce(sibling.secret, parent.secret, 1, 1, 77))
    clock.pass_time(1.3)
    parent.frames.clear()
    return sibling


def traffic(path: list[int], dest: bytes, **changes: Any) -> dict[str, Any]:
    """Return the fields of a Traffic message."""
    return {"path": path, "from": [9], "source": S, "dest": dest, "watermark": MAX, "payload": b"payload", **changes}


def test_our_own_traffic_needs_no_lookup(clock: Clock, parent: FarSide) -> None:
    """It leaves at once, with the neighbour's coordinates, and ends there."""
    sibling = sibling_of(clock, parent)
    clock.router.send(sibling.key, b"x")
    clock.turn()
    keys = {"source": clock.router.key, "dest": sibling.key}
    assert sibling.got(TRAFFIC) == [{"path": [77], "from": [108], **keys, "watermark": 0, "payload": b"x"}]
    assert parent.frames == []


def test_an_unproven_neighbour_is_no_neighbour(clock: Clock, parent: FarSide) -> None:
    """Whoever replays its handshake gets nothing; once it has answered, what had waited leaves first."""
    sibling = sibling_of(clock, parent, polite=False)
    clock.router.send(sibling.key, b"one")
    clock.turn()
    assert sibling.got(TRAFFIC) == []
    assert len(parent.got(LOOKUP)) == 1
    for request in sibling.got(SIG_REQ):
        sibling.respond(request)
    clock.pass_time(1.3)
    clock.router.send(sibling.key, b"two")
    clock.turn()
    assert [message["payload"] for message in sibling.got(TRAFFIC)] == [b"one", b"two"]


def test_a_neighbour_that_has_just_proven_itself_is_looked_for(clock: Clock, parent: FarSide) -> None:
    """It may not be able to look for us and answer yet: a lookup finds it once it can."""
    sibling = sibling_of(clock, parent, polite=False)
    for request in sibling.got(SIG_REQ):
        sibling.respond(request)
    clock.router.send(sibling.key, b"early")
    clock.turn()
    assert sibling.got(TRAFFIC) == []
    assert len(parent.got(LOOKUP)) == 1


def test_an_address_of_a_neighbours_is_known(clock: Clock, parent: FarSide) -> None:
    """Nobody is asked who holds it."""
    sibling = sibling_of(clock, parent)
    clock.router.find(partial_key_for_address(address_for_key(sibling.key)))
    clock.turn()
    assert parent.got(LOOKUP) == []
    sibling.link.close()
    clock.router.find(partial_key_for_address(address_for_key(sibling.key)))
    clock.turn()
    assert len(parent.got(LOOKUP)) == 1


def test_coordinates_are_those_of_now(clock: Clock, parent: FarSide) -> None:
    """A neighbour that moves in the tree is written to at its new place."""
    sibling = sibling_of(clock, parent)
    clock.router.send(sibling.key, b"x")
    sibling.send(ANNOUNCE, **announce(sibling.secret, parent.secret, 2, 1, 78))
    clock.router.send(sibling.key, b"x")
    clock.turn()
    assert [message["path"] for message in sibling.got(TRAFFIC)] == [[77], [78]]


def test_a_neighbour_that_is_lost_is_looked_for(clock: Clock, parent: FarSide) -> None:
    """Meanwhile its last place in the tree serves."""
    sibling = sibling_of(clock, parent)
    clock.router.send(sibling.key, b"x")
    clock.turn()
    sibling.link.close()
    clock.pass_time(1.5)
    parent.raw(b"\x01\x01")
    clock.router.send(sibling.key, b"y")
    clock.turn()
    assert [message["path"] for message in parent.got(TRAFFIC)] == [[77]]
    assert len(parent.got(LOOKUP)) == 1


def test_nobody_can_call_the_way_to_a_neighbour_broken(clock: Clock, parent: FarSide) -> None:
    """No lookup, no copies."""
    sibling = sibling_of(clock, parent)
    clock.router.send(sibling.key, b"x")
    parent.send(BROKEN, path=[108], watermark=MAX, source=clock.router.key, dest=sibling.key)
    assert parent.got(LOOKUP) == []
    assert not clock.router.known_paths()[0]["broken"]


@pytest.mark.parametrize("path", [[77], [77, 5], [108, 9], [5, 5], [108]])
def test_transit_for_a_neighbour_goes_to_it(clock: Clock, parent: FarSide, path: list[int]) -> None:
    """Wherever its path leads; it goes no further from there, and so cannot loop."""
    sibling = sibling_of(clock, parent)
    parent.send(TRAFFIC, **traffic(path, sibling.key))
    assert sibling.got(TRAFFIC) == [traffic(path, sibling.key, watermark=0)]
    assert parent.got(TRAFFIC) == []


def test_what_ends_its_way_here_goes_no_further(clock: Clock, parent: FarSide) -> None:
    """A watermark of zero is for us or for nobody."""
    sibling = sibling_of(clock, parent)
    parent.send(TRAFFIC, **traffic([77], sibling.key, watermark=0))
    assert sibling.got(TRAFFIC) == []
    parent.send(TRAFFIC, **traffic([5], clock.router.key, watermark=0))
    assert clock.router.take_delivered() == [(S, b"payload")]


def test_the_source_of_a_stale_path_is_told_though_it_arrived(clock: Clock, parent: FarSide) -> None:
    """A path with no next hop, or with another, is broken."""
    sibling = sibling_of(clock, parent)
    parent.send(TRAFFIC, **traffic([108, 9], sibling.key, **{"from": [60]}))
    assert len(sibling.got(TRAFFIC)) == 1
    assert [message["dest"] for message in parent.got(BROKEN)] == [sibling.key]
    parent.send(TRAFFIC, **traffic([77], sibling.key, source=D, **{"from": [60]}))
    assert parent.got(BROKEN) == []
    other = FarSide(clock, 4)
    other.send(ANNOUNCE, **announce(other.secret, parent.secret, 1, 1, 79))
    parent.send(TRAFFIC, **traffic([79, 2], sibling.key, source=D, **{"from": [60]}))
    assert [message["source"] for message in parent.got(BROKEN)] == [D]
    assert other.got(TRAFFIC) == []


def test_notifies_and_broken_messages_too(clock: Clock, parent: FarSide) -> None:
    """To the node whose lookup is answered, and to the source of what was dropped."""
    sibling = sibling_of(clock, parent)
    signed = wire.encode_uv(5) + wire.encode_path([1])
    notify = {"source": parent.key, "dest": sibling.key, "seq": 5, "info_path": [1], "sig": sign(signed, parent.secret)}
    parent.send(NOTIFY, path=[9, 9], watermark=MAX, **notify)
    assert sibling.got(NOTIFY) == [{"path": [9, 9], "watermark": 0, **notify}]
    parent.send(BROKEN, path=[9, 9], watermark=MAX, source=sibling.key, dest=D)
    assert sibling.got(BROKEN) == [{"path": [9, 9], "watermark": 0, "source": sibling.key, "dest": D}]
    parent.send(LOOKUP, source=sibling.key, dest=clock.router.key, **{"from": [9, 9]})
    assert [message["watermark"] for message in sibling.got(NOTIFY)] == [0]


@pytest.fixture
def network() -> Iterator[Routers]:
    """Give an empty network of nodes."""
    network = Routers("neighbours", make=Node)
    yield network
    network.close()


def ask(network: Routers, asker: Node, key: bytes, seconds: float) -> float | None:
    """Return how many seconds a node takes to answer, asked every second; None: it does not."""
    answers: list[Any] = []
    begun = network.now
    while not answers and network.now - begun < seconds * 1_000_000_000:
        asker.turn(network.now, network.wall)
        asker.request(key, "self", lambda *answer: answers.append(answer))
        network.turn(asker)
        network.run(1, lambda: answers)
    return (network.now - begun) / 1_000_000_000 if answers else None


def test_a_parent_that_swallows_everything_does_not_part_neighbours(network: Routers) -> None:
    """Lookups, answers and traffic go into it and never come out; two children that are neighbours do not notice."""
    evil, first, second = (network.add(number) for number in in_order(1, 2, 3))
    up = [network.join(evil, first), network.join(evil, second)]
    network.join(first, second)
    network.run(5)
    assert first.root == second.root == evil.key
    for link in up:
        link.swallowed = {LOOKUP, NOTIFY, BROKEN, TRAFFIC}
    for asker, asked in ((first, second), (second, first)):
        taken = ask(network, asker, asked.key, 20)
        assert taken is not None
        assert taken < 0.1


def test_a_node_that_moved_away_from_one_that_swallows_is_found(network: Routers) -> None:
    """What it sends shows where it is now: nobody says that the old path is broken, and what is sent on it is lost."""
    hub, left, right, asker, mover = (network.add(number) for number in in_order(1, 2, 3, 4, 5))
    network.join(hub, left)
    network.join(hub, right)
    network.join(hub, asker)
    old = network.join(left, mover)
    network.run(8)
    first = ask(network, asker, mover.key, 10)
    assert first is not None
    old.cut()
    left_up = next(link for link in network.links if left in link.ends)
    left_up.swallowed = {BROKEN, TRAFFIC}
    network.join(right, mover)
    network.run(3)
    assert mover.coords[:-1] == right.coords
    # It alone speaks, on a path that works; the way back is learned from that, within a second or two.
    for _ in range(3):
        mover.turn(network.now, network.wall)
        send_payload(mover, asker.key, b"\x00")
        network.turn(mover)
        network.run(1)
    assert [path["path"] for path in asker.known_paths() if path["key"] == mover.key] == [mover.coords]


def test_sessions_show_that_a_path_works(network: Routers) -> None:
    """Their keys roll on only when both ways work: a path in use is hardly ever looked for anew, and never ends."""
    hub, first, second = (network.add(number) for number in in_order(1, 2, 3))
    links = [network.join(hub, first), network.join(hub, second)]
    network.run(8)
    assert ask(network, first, second.key, 10) is not None
    before = links[0].heard.get(LOOKUP, 0)
    for _ in range(600):
        for node, other in ((first, second), (second, first)):
            node.turn(network.now, network.wall)
            send_payload(node, other.key, b"\x00")
            network.turn(node)
        network.run(0.5)
        assert second.key in [path["key"] for path in first.known_paths()]
    assert links[0].heard[LOOKUP] - before <= 2 * 2 * 300 / 45 + 2
    assert first.sessions()[0]["packets_received"] >= 590
