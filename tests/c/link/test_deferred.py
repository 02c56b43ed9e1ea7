"""ygg_c.link.deferred: messages that wait until their link is proven, or their signatures may be verified."""

from tests.c.farside import ANNOUNCE, FULL_FILTER, LOOKUP, SIG_REQ, announce
from tests.c.routing.test_multicast import child, holding
from tests.c.routing.test_proof import X, replay
from tests.c.routing.test_tree import parent_of
from ygg.testing import secret_key


def test_its_records_wait(clock):
    """They are taken at the proof, not before, and the filter that came last with them."""
    far = replay(clock, 8)
    (request,) = far.got(SIG_REQ)
    far.become_root()
    far.filter(FULL_FILTER)
    far.filter(holding(X))
    clock.pass_time(1)
    assert len(clock.router.tree_records()) == 1
    far.respond(request)
    clock.pass_time(0.1)
    assert clock.router.root == far.key
    asker = child(clock, 4)
    for key, count in ((b"\x22" * 32, 0), (X, 1)):
        asker.send(LOOKUP, source=asker.key, dest=key, **{"from": [1]})
        assert len(far.got(LOOKUP)) == count


def test_what_is_parked_is_bounded(clock):
    """Announcements beyond the room are dropped and counted; bad ones close at once or at the proof."""
    thief = replay(clock, 8)
    secret = secret_key(99)
    for number in range(1000):
        thief.send(ANNOUNCE, **announce(secret, secret, number + 1, 1, 0))
    dropped = clock.router.counters()["unproven_dropped"]
    assert 700 < dropped < 950
    thief.respond(thief.got(SIG_REQ)[0])
    while thief.link.waits:
        clock.pass_time(0.01)
    (record,) = [record for record in clock.router.tree_records() if record["key"] == secret[32:]]
    assert record["sequence"] == 1000 - dropped
    assert parent_of(clock.router, secret[32:]) == secret[32:]
