"""ygg_c.routing.records: which records of the tree are kept, and for how long."""

import itertools

from tests.c.farside import ANNOUNCE, FarSide, announce
from tests.c.routing.test_tree import parent_of
from ygg.testing import public_key, secret_key
from ygg_c.link import wire


def test_foreign_records_expire_after_five_minutes(clock):
    """Own records do not."""
    far = FarSide(clock, 3)
    far.send(ANNOUNCE, **announce(secret_key(9), secret_key(9), 1, 1, 0))
    far.link.close()
    clock.pass_time(299)
    assert len(clock.router.tree_records()) == 2
    clock.pass_time(2)
    assert [record["key"] for record in clock.router.tree_records()] == [clock.router.key]


def test_invented_keys_do_not_fill_the_memory(clock):
    """Records in nobody's ancestry make room; the neighbour's own ancestry stays."""
    far = FarSide(clock, 8)
    far.become_root()
    clock.pass_time(1)
    for number in range(1000, 5200):
        secret = secret_key(number)
        far.link.receive(_frame(announce(secret, secret, 1, 1, 0)))
    _settle(clock, far)
    held = len(clock.router.tree_records())
    assert held <= 4096 + 2
    assert clock.router.counters()["records_evicted"] > 0
    assert clock.router.root == far.key


def test_strangers_with_endless_ancestries_shut_nobody_out(clock):
    """Four links fill the table with chains of invented parents; a neighbour that comes later still finds its place."""
    strangers = {start: FarSide(clock, start) for start in range(10_000, 50_000, 10_000)}
    for start, stranger in strangers.items():
        _bring(stranger, range(start, start + 4096))
        _settle(clock, *strangers.values())
    assert len(clock.router.tree_records()) == 1 + 4 * 4095
    honest, child = FarSide(clock, 3), FarSide(clock, 4)
    _bring(honest, [3, *range(100, 120), 8, 8])
    child.become_child()
    _settle(clock, *strangers.values(), honest, child)
    assert clock.router.root == public_key(8)
    assert len(clock.router.coords) == 22
    assert parent_of(clock.router, child.key) == clock.router.key
    for start, stranger in strangers.items():
        _bring(stranger, range(start + 4095, start + 4200))
    _settle(clock, *strangers.values(), honest, child)
    assert clock.router.root == public_key(8)
    assert len(clock.router.coords) == 22
    records = {record["key"] for record in clock.router.tree_records()}
    assert len(records) <= 16384
    assert {far.key for far in (*strangers.values(), honest, child)} <= records


def test_a_neighbours_own_record_has_room_where_there_is_none(clock):
    """Whoever brought all it may, and all of it needed, still brings what a neighbour says of itself."""
    bringer, honest = FarSide(clock, 9000), FarSide(clock, 3)
    starts = range(10_000, 180_000, 10_000)
    others = [FarSide(clock, start) for start in starts]
    for start in starts:
        # From the neighbour up, so that each is needed as it comes.
        for node, parent in itertools.pairwise([secret_key(number) for number in range(start, start + 258)]):
            bringer.link.receive(_frame(announce(node, parent, 1, 1, 1)))
        _settle(clock, bringer, honest, *others)
    refused = clock.router.counters()["records_refused"]
    for number in (500, 3, 501):
        bringer.link.receive(_frame(announce(secret_key(number), secret_key(10_001), 1, 1, 1)))
    _settle(clock, bringer, honest, *others)
    assert clock.router.counters()["records_refused"] == refused + 2
    assert parent_of(clock.router, honest.key) == public_key(10_001)


def _settle(clock, *sides):
    """Let time pass until everything brought has been handled."""
    while True:
        clock.pass_time(0.5)
        for far in sides:
            far.raw(b"\x01\x01")
            far.answer()
        if not any(far.link.held or far.link.waits for far in sides):
            return


def _bring(far, numbers):
    """Have `far` announce keys, each the parent of the one before it, the last one first."""
    for parent, node in itertools.pairwise([secret_key(number) for number in reversed(numbers)]):
        far.link.receive(_frame(announce(node, parent, 1, 1, 1)))


def _frame(fields):

    return wire.encode_frame(ANNOUNCE, wire.encode(ANNOUNCE, **fields))
