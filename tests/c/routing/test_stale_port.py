"""The number by which a parent knows its child, when links come and go: nobody is left at a place that is another's."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.c.farside import ANNOUNCE, SIG_REQ, SIG_RES, Clock, FarSide, sign
from tests.simnet import MILLISECOND, CountedLink, Routers
from ygg.testing import in_order
from ygg_c.link import wire

from .test_tree import agree


@pytest.fixture
def network() -> Iterator[Routers]:
    """Give an empty network."""
    network = Routers("ports")
    yield network
    network.close()


def forget(network: Routers, link: CountedLink, node: Any) -> None:
    """Have one end drop its link, of which the other hears nothing."""
    link.silent = True
    link.links[link.ends.index(node)].close("EOF")
    network.turn(node)


def family(network: Routers) -> tuple[Any, Any, list[Any], list[CountedLink]]:
    """Return root, parent and its three children, and the links of these."""
    root, parent, *children = (network.add(number) for number in in_order(1, 2, 3, 4, 5))
    network.join(root, parent)
    links = [network.join(parent, child) for child in children]
    network.run(20)
    assert agree(network.nodes)
    return root, parent, children, links


def right(network: Routers) -> bool:
    """Tell whether every node's coordinates end in the number its parent has for it."""
    ports = {(node.key, peer["key"]): peer["port"] for node in network.nodes for peer in node.peers()}
    return agree(network.nodes) and all(
        not node.coords or any(ports.get((other.key, node.key)) == node.coords[-1] for other in network.nodes)
        for node in network.nodes
    )


@pytest.mark.parametrize("gap", [0, 5, 240, 1500])
def test_children_taken_back_in_another_order(network: Routers, gap: int) -> None:
    """A parent loses its children and takes them back before they have noticed."""
    _root, parent, children, links = family(network)
    for link in links:
        forget(network, link, parent)
    network.run(gap / 1000)
    for child in reversed(children):
        network.join(parent, child)
    network.run(3)
    assert right(network)


@pytest.mark.parametrize("gap", [0, 5, 240, 1500])
def test_a_parent_that_restarts(network: Routers, gap: int) -> None:
    """It knows nothing of its children's numbers, and takes them back in another order."""
    root, parent, children, links = family(network)
    number = in_order(1, 2, 3, 4, 5)[1]
    for link in links:
        forget(network, link, parent)
    network.remove(parent)
    network.run(gap / 1000)
    again = network.add(number)
    network.join(root, again)
    for child in reversed(children):
        network.join(again, child)
    network.run(6)
    assert right(network)


def test_a_newcomer_gets_no_number_that_a_record_names(network: Routers) -> None:
    """While a child is away, nobody else is given its place; back again it has its number."""
    _root, parent, (first, *_), (link, *_) = family(network)
    before = first.coords
    forget(network, link, parent)
    newcomer = network.add(9)
    network.join(parent, newcomer)
    network.run(0.3)
    network.join(parent, first)
    network.run(3)
    assert first.coords == before
    assert newcomer.coords != before
    assert right(network)


def respond(far: FarSide, port: int) -> None:
    """Answer the open requests under a port."""
    for request in far.got(SIG_REQ):
        signed = wire.encode_tree_bytes(far.clock.router.key, far.key, request["seq"], request["nonce"], port)
        far.send(SIG_RES, **request, port=port, psig=sign(signed, far.secret))


def test_a_second_answer_with_another_number_counts(clock: Clock) -> None:
    """The answer to a request repeated on a new link takes the place of the one that was kept."""
    root = FarSide(clock, 8)
    root.become_root()
    clock.pass_time(1)
    root.answer()
    assert clock.router.coords == [108]
    again = FarSide(clock, 8, polite=False)
    again.frames = [frame for frame in again.frames if frame[0] == SIG_REQ]
    respond(again, 44)
    clock.pass_time(0.1)
    assert clock.router.coords == [44]


def test_a_parent_with_ever_other_numbers_makes_no_storm(clock: Clock) -> None:
    """It is followed at growing gaps: eight announcements in four minutes, and the last number stands."""
    root = FarSide(clock, 8)
    root.become_root()
    clock.pass_time(1)
    root.answer()
    root = FarSide(clock, 8, polite=False)
    root.got(ANNOUNCE)
    announced = 0
    for turn in range(2400):
        respond(root, 1000 + turn)
        clock.pass_time(0.1)
        root.raw(b"\x01\x01")
        announced += len(root.got(ANNOUNCE))
    assert 4 <= announced <= 9
    root.become_root(seq=2)
    for _ in range(150):
        respond(root, 5)
        clock.pass_time(1)
        root.raw(b"\x01\x01")
    assert clock.router.coords == [5]


def test_a_node_of_many_moves_in_milliseconds(network: Routers) -> None:
    """The new number is announced with the answer, not a tick later."""
    _root, parent, children, links = family(network)
    network.run(2)
    for link in links:
        forget(network, link, parent)
    for child in reversed(children):
        network.join(parent, child)
    begun = network.now
    assert network.run(0.5, lambda: right(network))
    assert network.now - begun < 100 * MILLISECOND
