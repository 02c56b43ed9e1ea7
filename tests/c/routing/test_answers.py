"""ygg_c.routing.answers: what a node tells others of its place."""

from tests.c.farside import LOOKUP, NOTIFY, Clock, FarSide, sign
from tests.c.routing.test_pathfinder import T, notify, wait
from ygg.testing import secret_key
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


def move(clock: Clock, far: FarSide) -> FarSide:
    """Have a smaller root come, which the router takes as its parent; return it, with what it was told."""
    root = FarSide(clock, 8)
    root.become_root()
    clock.pass_time(1)
    root.answer()
    far.become_child(seq=2)
    clock.pass_time(1)
    return root


def test_who_has_written_lately_is_told_that_we_have_moved(clock, far):
    """Once, signed, unasked, and under a higher number than before."""
    clock.router.find(T)
    notify(far)
    far.send(LOOKUP, source=T, dest=clock.router.key, **{"from": [far.link.port]})
    (before,) = far.got(NOTIFY)
    wait(far, 4)
    root = move(clock, far)
    assert clock.router.coords == [108]
    (told,) = root.got(NOTIFY)
    assert told["seq"] > before["seq"]
    sig = sign(wire.encode_uv(told["seq"]) + wire.encode_path([108]), clock.secret)
    assert told == {"path": [1, 7], "watermark": 3, "source": clock.router.key, "dest": T, "seq": told["seq"],
                    "info_path": [108], "sig": sig}
    clock.pass_time(5)
    assert root.got(NOTIFY) == []


def test_who_has_not_written_for_ten_seconds_finds_out_by_itself(clock, far):
    clock.router.find(T)
    notify(far)
    wait(far, 12)
    root = move(clock, far)
    assert clock.router.coords == [108]
    assert root.got(NOTIFY) == []


def test_a_move_has_few_told(clock, far):
    """Five hundred at once; the others find out by lookups."""
    for number in range(520):
        secret = secret_key(1000 + number)
        clock.router.find(secret[32:])
        notify(far, secret=secret, source=secret[32:])
        if number % 50 == 0:
            clock.pass_time(0.1)
            far.raw(b"\x01\x01")
    assert len(clock.router.known_paths()) == 520
    root = move(clock, far)
    assert len(root.got(NOTIFY)) == 500
