"""ygg_c.routing.lookups: when a lookup goes out, and when it is repeated."""

import pytest

from tests.c.farside import BROKEN, EMPTY_FILTER, FULL_FILTER, LOOKUP, MAX, TRAFFIC
from tests.c.routing.test_pathfinder import T, notify, paths
from tests.c.worldkit import line_of
from ygg.testing import public_key
from ygg_c.base.address import address_for_key, partial_key_for_address
from ygg_c.testing.payloads import send_payload


def test_an_address_is_enough_to_look(clock, far):
    """A partial key from an IPv6 address finds the whole key, but a packet held for it is for exactly that key."""
    partial = partial_key_for_address(address_for_key(T))
    clock.router.find(partial)
    clock.turn()
    assert [lookup["dest"] for lookup in far.got(LOOKUP)] == [partial]
    clock.router.send(partial, b"for the partial key")
    notify(far)
    assert paths(clock) == {T: [1, 7]}
    assert far.got(TRAFFIC) == []


def test_a_path_that_stays_broken_is_looked_for_a_few_times(clock, far):
    """After 0.1, 0.2 and 0.4 seconds more; then once a second, as often as we are told."""
    clock.router.find(T)
    notify(far)
    clock.pass_time(2)
    far.frames.clear()
    times = []
    for step in range(90):
        far.send(BROKEN, path=[], watermark=MAX, source=clock.router.key, dest=T)
        times += [step * 0.01] * len(far.got(LOOKUP))
        clock.pass_time(0.01)
    assert times == pytest.approx([0, 0.1, 0.3, 0.7])
    notify(far, seq=1_700_000_100, info_path=(1, 8))
    far.frames.clear()
    clock.pass_time(0.05)
    assert far.got(LOOKUP) == []


def test_there_is_one_a_second_unless_the_filters_lead_further(clock, far):
    """A key that no filter leads to is looked for again as soon as one does, and then not before the second is over."""
    far.filter(EMPTY_FILTER)
    clock.router.find(T)
    clock.turn()
    assert far.got(LOOKUP) == []
    clock.pass_time(0.1)
    far.filter(FULL_FILTER)
    clock.turn()
    assert len(far.got(LOOKUP)) == 1
    clock.pass_time(0.5)
    clock.router.find(T)
    clock.turn()
    assert far.got(LOOKUP) == []
    clock.pass_time(0.6)
    clock.router.find(T)
    clock.turn()
    assert len(far.got(LOOKUP)) == 1


def test_that_there_is_no_way_is_told_when_a_lookup_has_had_no_answer_for_a_second():
    """And not when one is answered, though its path has gone since; nor before the answer can be expected."""
    with line_of(1, 2, 3) as world:
        node, told = world.nodes[1].engine, []
        node.on_no_way = lambda: told.append(world.now)
        for key, number in ((public_key(3), 0), (public_key(9), 1)):
            for _ in range(4):
                send_payload(node, key, b"\1hello")
                world.run(0.2)
            assert told == []
            world.run(61 if number == 0 else 0.3)
            send_payload(node, key, b"\1hello")
            world.run(0.1)
            assert len(told) == number
        node.on_no_way = None
