"""ygg_c.routing.answers: what a node tells others of its place."""

from tests.c.farside import LOOKUP, NOTIFY, sign
from tests.c.routing.test_pathfinder import T
from ygg_c.link import wire


def test_a_lookup_for_us_is_answered(clock, far):
    """With our coordinates, signed; the lookup goes on all the same."""
    far.filter(b"\xff" * 16 + bytes(16))
    far.send(LOOKUP, source=T, dest=clock.router.key, **{"from": [far.link.port]})
    (answer,) = far.got(NOTIFY)
    sig = sign(wire.encode_uv(clock.wall) + b"\0", clock.secret)
    assert answer == {"path": [far.link.port], "watermark": 1, "source": clock.router.key, "dest": T, "seq": clock.wall,
                      "info_path": [], "sig": sig}


def test_answers_to_one_place_are_limited(clock, far):
    """Ten a second for one source at one place; another place is not affected."""
    for _ in range(50):
        far.send(LOOKUP, source=T, dest=clock.router.key, **{"from": [far.link.port]})
    assert len(far.got(NOTIFY)) == 1
    far.send(LOOKUP, source=T, dest=clock.router.key, **{"from": [far.link.port, 5]})
    assert len(far.got(NOTIFY)) == 1
    clock.pass_time(0.2)
    far.send(LOOKUP, source=T, dest=clock.router.key, **{"from": [far.link.port]})
    assert len(far.got(NOTIFY)) == 1


def test_an_answer_that_no_link_leads_to_is_counted(clock, far):
    """From a place that none of our neighbours is nearer to than we are."""
    far.send(LOOKUP, source=T, dest=clock.router.key, **{"from": [far.link.port + 1]})
    assert far.got(NOTIFY) == []
    assert clock.router.counters()["answers_unroutable"] == 1
