"""Filters exchanged along the tree, and where lookups go."""


from tests.c.farside import BLOOM, EMPTY_FILTER, FULL_FILTER, LOOKUP, Clock, FarSide
from ygg_c.base.address import lookup_key_for_key
from ygg_c.link import wire
from ygg_c.link.bloom import BloomFilter

X, Y, Z = b"\x11" * 32, b"\x22" * 32, b"\x33" * 32


def holding(*keys: bytes) -> bytes:
    """Return the filter that leads to some keys."""
    return BloomFilter([lookup_key_for_key(key) for key in keys]).encode()


def child(clock: Clock, number: int, priority: int = 0) -> FarSide:
    """Return a neighbour that has the router as parent, at rest."""
    far = FarSide(clock, number, priority)
    far.become_child()
    clock.pass_time(2)
    alive(far)
    return far


def alive(*sides: FarSide) -> None:
    """Answer what has to be answered."""
    for far in sides:
        far.answer()
        far.raw(b"\x01\x01")


def test_a_tree_link_gets_a_filter_with_our_key(clock):
    """The first filter of a lone node holds itself."""
    far = child(clock, 3)
    assert far.got(BLOOM) == [EMPTY_FILTER, holding(clock.router.key)]


def test_other_neighbours_get_the_empty_filter(clock):
    """A neighbour that is neither parent nor child is told nothing."""
    far = FarSide(clock, 3)
    clock.pass_time(2)
    assert far.got(BLOOM) == [EMPTY_FILTER]


def test_what_one_reaches_is_told_to_the_others(clock):
    """Never back to where it came from."""
    first, second = child(clock, 3), child(clock, 4)
    alive(first, second)
    first.filter(holding(first.key, X))
    clock.pass_time(1)
    assert second.got(BLOOM)[-1] == holding(clock.router.key, first.key, X)
    assert first.got(BLOOM)[-1] == holding(clock.router.key)


def test_a_bit_that_two_reach_is_told_to_all(clock):
    """What several neighbours reach is reached from each through another."""
    sides = [child(clock, number) for number in (3, 4, 5)]
    alive(*sides)
    for far in sides[:2]:
        far.filter(holding(X))
    clock.pass_time(1)
    for far in sides:
        assert far.got(BLOOM)[-1] == holding(clock.router.key, X)
    alive(*sides)


def test_ones_go_at_once_and_zeros_a_tick_later(clock):
    """A key that is gone is withdrawn, though nothing else is added."""
    first, second = child(clock, 3), child(clock, 4)
    alive(first, second)
    first.filter(holding(X, Y))
    clock.pass_time(1)
    assert second.got(BLOOM)[-1] == holding(clock.router.key, X, Y)
    alive(first, second)
    first.filter(holding(X))
    clock.pass_time(1)
    assert second.got(BLOOM) == []
    alive(first, second)
    clock.pass_time(1)
    assert second.got(BLOOM) == [holding(clock.router.key, X)]
    alive(first, second)
    first.filter(holding(Z))
    clock.pass_time(1)
    assert second.got(BLOOM) == [holding(clock.router.key, X, Z)]       # and so it is the second time
    alive(first, second)
    clock.pass_time(1)
    assert second.got(BLOOM) == [holding(clock.router.key, Z)]


def test_a_filter_is_repeated_every_hour(clock):
    """An unchanged filter goes out again after 3600 ticks."""
    far = child(clock, 3)
    far.got(BLOOM)
    for step in range(1798):
        if step % 100 == 0:
            far.become_child(seq=2 + step)
        clock.pass_time(2)
        far.raw(b"\x01\x01")
        far.answer()
    assert far.got(BLOOM) == []
    for _ in range(4):
        clock.pass_time(2)
        far.raw(b"\x01\x01")
    assert far.got(BLOOM) == [holding(clock.router.key)]


def test_lookups_follow_the_filters(clock):
    """To every tree neighbour that may lead to the key, but not back, and to no one else."""
    asker, yes, no, off = child(clock, 3), child(clock, 4), child(clock, 5), FarSide(clock, 6)
    alive(asker, yes, no, off)
    for far, body in ((asker, FULL_FILTER), (yes, holding(X)), (no, holding(Y)), (off, FULL_FILTER)):
        far.filter(body)
    lookup = {"source": asker.key, "dest": X, "from": [5, 6]}
    assert asker.send(LOOKUP, **lookup)
    assert yes.got(LOOKUP) == [lookup]
    assert [far.got(LOOKUP) for far in (asker, no, off)] == [[], [], []]


def test_lookups_are_not_taken_from_outside_the_tree(clock):
    """They are dropped and counted."""
    off, far = FarSide(clock, 6), child(clock, 3)
    far.filter()
    off.send(LOOKUP, source=off.key, dest=X, **{"from": [1]})
    assert far.got(LOOKUP) == []
    assert clock.router.counters()["lookups_offtree"] == 1


def test_a_lookup_takes_the_preferred_link(clock):
    """Of several links to one neighbour, the one with the lowest priority number, and only one."""
    worse = child(clock, 3, priority=5)
    better = FarSide(clock, 3, priority=1)
    asker = child(clock, 4)
    alive(worse, better, asker)
    worse.filter()
    asker.send(LOOKUP, source=asker.key, dest=X, **{"from": [1]})
    assert (len(better.got(LOOKUP)), len(worse.got(LOOKUP))) == (1, 0)


def test_lookup_floods_are_limited(clock):
    """Past a burst of a thousand, sixteen hundred a second are sent on for one source, four thousand for all."""
    asker, far = child(clock, 3), child(clock, 4)
    far.filter()
    frame = wire.encode_frame(LOOKUP, wire.encode(LOOKUP, source=asker.key, dest=X, **{"from": [1]}))
    asker.raw(frame * 5000)
    while asker.link.held:
        clock.turn()
    first = len(far.got(LOOKUP))
    assert 900 <= first <= 1000
    assert clock.router.counters()["lookups_limited"] == 5000 - first
    clock.pass_time(1)
    asker.raw(frame * 5000)
    while asker.link.held:
        clock.turn()
    assert 700 <= len(far.got(LOOKUP)) <= 1000
