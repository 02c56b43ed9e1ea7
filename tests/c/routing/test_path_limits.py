"""What strangers can make a node do and keep with lookups, notifies, broken paths and long paths."""

import hashlib

import pytest

from tests.c.farside import BROKEN, LOOKUP, MAX, NOTIFY, TRAFFIC, Clock, FarSide
from ygg.testing import secret_key
from ygg_c.link import wire

from .test_pathfinder import TARGET, T, notify

OTHER = secret_key(10)


def invented(number: int) -> bytes:
    """Return a key of nobody's."""
    return hashlib.sha256(b"%d" % number).digest()


def flood(far: FarSide, kind: int, messages: list[dict[str, object]]) -> None:
    """Send many messages in one piece, and have them handled."""
    far.raw(b"".join(wire.encode_frame(kind, wire.encode(kind, **fields)) for fields in messages))
    while far.link.held:
        far.clock.turn()
    far.frames.clear()


def test_a_flood_of_lookups_leaves_answers_for_others(clock: Clock, children: list[FarSide]) -> None:
    """Whatever sources it invents, another neighbour's lookup is answered; the flood is not, but for a share."""
    hostile, honest = children
    to_us = {"dest": clock.router.key}
    flood(hostile, LOOKUP, [{**to_us, "source": invented(n), "from": [hostile.link.port, n]} for n in range(1, 3001)])
    honest.frames.clear()
    honest.send(LOOKUP, source=T, dest=clock.router.key, **{"from": [honest.link.port]})
    assert len(honest.got(NOTIFY)) == 1
    assert clock.router.counters()["answers_limited"] + clock.router.counters()["lookups_limited"] >= 2190


def test_a_flood_of_lookups_leaves_others_theirs_to_pass_on(clock: Clock, children: list[FarSide]) -> None:
    """To a third neighbour, for somebody else."""
    hostile, honest = children
    third = FarSide(clock, 5)
    third.become_child()
    clock.pass_time(0.1)
    third.filter()
    flood(hostile, LOOKUP, [{"source": invented(n), "dest": T, "from": [1, n]} for n in range(1, 5001)])
    third.frames.clear()
    honest.send(LOOKUP, source=OTHER[32:], dest=T, **{"from": [honest.link.port]})
    assert [lookup["source"] for lookup in third.got(LOOKUP)] == [OTHER[32:]]


@pytest.mark.parametrize("wanted", [True, False], ids=["wanted", "renewed"])
def test_a_flood_of_forged_notifies_keeps_no_answer_away(clock: Clock, children: list[FarSide], wanted: bool) -> None:
    """Each costs a verification, for a path that is known; an answer by another neighbour is verified all the same."""
    hostile, honest = children
    clock.router.find(T)
    assert notify(honest)
    if not wanted:
        clock.router.find(OTHER[32:])
        notify(honest, secret=OTHER, source=OTHER[32:], info_path=[1, 8])
    forged = {"path": [], "watermark": MAX, "source": T, "dest": clock.router.key, "info_path": [1, 9]}
    flood(hostile, NOTIFY, [{**forged, "seq": 1_800_000_000 + n, "sig": bytes(64)} for n in range(3000)])
    if wanted:
        clock.router.find(OTHER[32:])
    notify(honest, seq=1_700_000_005, secret=OTHER, source=OTHER[32:], info_path=[1, 7])
    found = {path["key"]: path["path"] for path in clock.router.known_paths()}
    assert found == {T: [1, 7], OTHER[32:]: [1, 7]}
    assert clock.router.counters()["checks_limited"] >= 2490


def test_a_flood_of_broken_messages_keeps_none_away(clock: Clock, children: list[FarSide]) -> None:
    """What another neighbour says of another path is heard."""
    hostile, honest = children
    for secret in (TARGET, OTHER):
        clock.router.find(secret[32:])
        notify(honest, secret=secret, source=secret[32:])
    broken = {"path": [], "watermark": MAX, "source": clock.router.key}
    flood(hostile, BROKEN, [{**broken, "dest": T}] * 3000)
    honest.send(BROKEN, **broken, dest=OTHER[32:])
    assert all(path["broken"] for path in clock.router.known_paths())
    assert clock.router.counters()["breaks_limited"] >= 2700


def test_a_flood_of_traffic_without_a_way_keeps_no_source_uninformed(clock: Clock, children: list[FarSide]) -> None:
    """Invented sources are told of a share only; another neighbour's is told."""
    hostile, honest = children
    lost = {"path": [99], "dest": T, "watermark": MAX, "payload": b""}
    flood(hostile, TRAFFIC, [{**lost, "source": invented(n), "from": [hostile.link.port]} for n in range(3000)])
    honest.send(TRAFFIC, **lost, source=OTHER[32:], **{"from": [honest.link.port]})
    assert len(honest.got(BROKEN)) == 1
    assert clock.router.counters()["brokens_limited"] >= 2190
