"""Which of several links to one neighbour is used, in virtual time: the one on which a burst is there first; and which
neighbour becomes the parent.
"""

import itertools
from dataclasses import replace

import pytest

from tests.c.farside import ANNOUNCE, Clock, FarSide, announce
from tests.c.routing.test_tree import parent_of
from tests.c.slowlinks import MS, SECOND, Bulk, Net, net_of
from ygg.simulation import StreamWire
from ygg.testing import secret_key


def shares(net: Net, wires: list[StreamWire], seconds: int) -> list[list[int]]:
    """Return what each wire carries in each second, in kB."""
    found = []
    for _ in range(seconds):
        before = [wire.carried for wire in wires]
        net.run(1)
        found.append([(wire.carried - was) // 1000 for wire, was in zip(wires, before, strict=True)])
    return found


def used(share: list[int]) -> int:
    return share.index(max(share))


def switches(found: list[list[int]]) -> int:
    links = [used(share) for share in found]
    return sum(first != second for first, second in itertools.pairwise(links))


@pytest.mark.parametrize("first", [0, 1])
def test_a_fast_link_is_used_beside_a_slow_one_that_answers_sooner(first: int) -> None:
    """Small packets take the link of the shorter round trip; what fills it shows how slow it is."""
    kinds = [(3e6, 5 * MS), (60e6, 10 * MS)]
    with net_of() as net:
        net.add(1, 2)
        wires = [net.join(1, 2, *kinds[(number + first) % 2])[0] for number in range(2)]
        if first:
            wires.reverse()
        net.run(6)
        bulk = Bulk(net, 1, 2)
        assert wires[0].carried > wires[1].carried
        bulk.start()
        found = shares(net, wires, 8)
        assert used(found[-1]) == 1
        assert switches(found) <= 1
        assert bulk.rate(net.now // SECOND - 4, net.now // SECOND) > 30
        small = wires[0].carried, wires[1].carried
        bulk.client.on_event = None
        net.run(60)
        assert wires[0].carried - small[0] < 1e6


def test_links_alike_are_not_used_in_turns() -> None:
    with net_of() as net:
        net.add(1, 2)
        wires = [net.join(1, 2, 8e6, 10 * MS)[0] for _ in range(2)]
        net.run(6)
        for port in (7, 8, 9):
            Bulk(net, 1, 2, port).start()
        assert switches(shares(net, wires, 15)) <= 1


def test_a_link_that_others_share_is_left_once_and_not_taken_back_in_turns() -> None:
    """The far side fills it as well for a time, so that it seems slower by half and then faster again."""
    with net_of() as net:
        net.add(1, 2)
        wires = [net.join(1, 2, 20e6, delay * MS)[0] for delay in (8, 10)]
        net.run(6)
        Bulk(net, 1, 2).start()
        found = []
        for rate in (20e6, 5e6, 20e6, 5e6, 20e6):
            wires[0].conditions = replace(wires[0].conditions, rate=rate)
            found += shares(net, wires, 4)
        assert switches(found) <= 2


def test_the_parent_is_kept_until_refresh_and_then_changed_for_half_the_cost(clock: Clock) -> None:
    """The worked example: between refreshes nothing changes, at refresh the root itself wins."""
    root, near, direct = secret_key(8), FarSide(clock, 3, rtt=0.005), FarSide(clock, 8, rtt=0.050)
    middle = secret_key(4)
    direct.frames.clear()
    near.send(ANNOUNCE, **announce(root, root, 1, 5, 0))
    near.send(ANNOUNCE, **announce(middle, root, 1, 5, 3))
    near.send(ANNOUNCE, **announce(near.secret, middle, 1, 5, 4))
    clock.pass_time(1)
    # The direct link costs nothing, for the root is no hop away from itself.
    assert parent_of(clock.router) == direct.key
    for far in (near, direct):
        far.answer()
    direct.link.close()
    clock.pass_time(1)
    assert parent_of(clock.router) == near.key
    near.answer()
    again = FarSide(clock, 8, rtt=0.050)
    clock.pass_time(2)
    for far in (near, again):
        far.raw(b"\x01\x01")
    assert parent_of(clock.router) == near.key
    for _ in range(120):
        clock.pass_time(2)
        for far in (near, again):
            far.raw(b"\x01\x01")
            far.answer()
    assert parent_of(clock.router) == again.key
