"""Links whose far side has not proved that it holds its key: anyone with a recorded handshake can make one."""

import itertools
from typing import Any

import pytest

from tests.c.farside import (
    ANNOUNCE,
    BLOOM,
    BROKEN,
    EMPTY_FILTER,
    FULL_FILTER,
    LOOKUP,
    SIG_REQ,
    SIG_RES,
    TRAFFIC,
    Clock,
    FarSide,
    announce,
)
from tests.simnet import MILLISECOND, Routers
from ygg.testing import secret_key
from ygg_c.link import wire
from ygg_c.node.node import Node

from .test_multicast import alive, child, holding
from .test_pathfinder import notify
from .test_router import traffic

X = b"\x11" * 32


def replay(clock: Clock, number: int) -> FarSide:
    """Return a link by somebody who knows a handshake of this neighbour and not its key."""
    return FarSide(clock, number, polite=False)


def test_its_requests_are_its_own(clock):
    """A flood of signature requests leaves the real peer all it may ask."""
    real, thief = FarSide(clock, 3), replay(clock, 3)
    for nonce in range(500):
        thief.send(SIG_REQ, seq=1, nonce=nonce)
    assert len(thief.got(SIG_RES)) <= 10
    for nonce in range(100):
        real.send(SIG_REQ, seq=1, nonce=nonce)
    assert len(real.got(SIG_RES)) == 100


def test_its_filter_cuts_nobody_off(clock):
    """An empty filter in a child's name leaves the way to what is behind the child."""
    real, asker = child(clock, 3), child(clock, 4)
    real.filter(holding(X))
    thief = replay(clock, 3)
    thief.filter(EMPTY_FILTER)
    alive(real, asker)
    clock.pass_time(1)
    asker.send(LOOKUP, source=asker.key, dest=X, **{"from": [1]})
    assert len(real.got(LOOKUP)) == 1
    assert thief.got(LOOKUP) == []


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_all_orders_of_the_first_messages(clock, order):
    """A peer may ask, answer, announce and send its filter in any order."""
    far = replay(clock, 8)
    (request,) = far.got(SIG_REQ)
    steps: list[Any] = [
        lambda: far.respond(request), far.become_root, lambda: far.filter(FULL_FILTER),
        lambda: far.send(SIG_REQ, seq=1, nonce=1),
    ]
    for index in order:
        steps[index]()
    clock.pass_time(0.1)
    assert clock.router.root == far.key
    assert len(far.got(SIG_RES)) == 1
    clock.router.find(X)
    clock.turn()
    assert len(far.got(LOOKUP)) == 1


@pytest.mark.parametrize("with_real", [False, True], ids=["alone", "beside the real peer"])
def test_nothing_is_carried(clock, with_real):
    """Traffic, lookups and their answers are neither taken from it nor sent to it, and are counted."""
    other = child(clock, 4)
    if with_real:
        child(clock, 3)
    thief = replay(clock, 3)
    before = clock.router.counters()["unproven_refused"]
    thief.send(TRAFFIC, **traffic([], dest=clock.router.key))
    thief.send(TRAFFIC, **traffic([other.link.port]))
    thief.send(LOOKUP, source=thief.key, dest=clock.router.key, **{"from": [1]})
    notify(thief)
    thief.send(BROKEN, path=[], watermark=2**64 - 1, source=clock.router.key, dest=X)
    assert clock.router.counters()["unproven_refused"] == before + 5
    assert clock.router.take_delivered() == []
    assert [other.got(kind) for kind in (TRAFFIC, LOOKUP)] == [[], []]
    other.send(TRAFFIC, **traffic([thief.link.port]))
    assert thief.got(TRAFFIC) == []


def test_it_is_closed_in_time(clock):
    """After six seconds, whatever it says meanwhile."""
    thief = replay(clock, 3)
    for _ in range(6):
        assert not thief.link.closed
        thief.raw(b"\x01\x01")
        thief.send(SIG_REQ, seq=1, nonce=1)
        thief.become_root()
        clock.pass_time(0.999)
    clock.pass_time(0.01)
    assert thief.link.error == "the far side did not prove its key"
    assert clock.router.counters()["links_unproven"] == 1


def test_a_recorded_answer_is_no_proof(clock):
    """Each link is asked a question of its own."""
    real = FarSide(clock, 3, polite=False)
    (request,) = real.got(SIG_REQ)
    real.respond(request)
    thief = replay(clock, 3)
    (other,) = thief.got(SIG_REQ)
    assert other["nonce"] != request["nonce"]
    thief.respond(request)
    assert real.link.proven
    assert not thief.link.proven
    thief.respond(other)
    assert thief.link.proven


def test_an_answer_to_the_first_question_is_a_proof(clock):
    """A slow peer answers it when we have already asked another."""
    slow = replay(clock, 3)
    (first,) = slow.got(SIG_REQ)
    small = FarSide(clock, 8)
    small.become_root()
    clock.pass_time(1)
    (second,) = slow.got(SIG_REQ)
    slow.respond(first)
    assert slow.link.proven
    slow.respond(second)
    assert not slow.link.closed


def test_what_it_was_told_the_real_peer_is_told_too(clock):
    """Records sent over an unproven link are not delivered."""
    small = FarSide(clock, 8)
    small.become_root()
    clock.pass_time(1)
    small.answer()
    thief = replay(clock, 3)
    assert {record["node"] for record in thief.got(ANNOUNCE)} == {small.key, clock.router.key}
    real = FarSide(clock, 3)
    assert {record["node"] for record in real.got(ANNOUNCE)} == {small.key, clock.router.key}


def test_its_coming_and_going_is_not_felt(clock):
    """The real peer is sent nothing, and stays what it is."""
    real = child(clock, 3)
    real.filter(holding(X))
    alive(real)
    clock.pass_time(3)
    real.frames.clear()
    early = clock.router.counters()["maintenance_early"]
    for _ in range(20):
        thief = replay(clock, 3)
        assert thief.link.port == real.link.port
        thief.link.close()
        clock.turn()
    assert real.frames == []
    assert clock.router.counters()["maintenance_early"] == early


@pytest.mark.parametrize("number", [3, 8], ids=["child", "parent"])
def test_when_the_real_peer_goes_nothing_of_it_is_left(clock, number):
    """An unproven link in its name inherits neither filter, nor answer, nor place."""
    asker = child(clock, 4)
    real = FarSide(clock, number)
    real.become_root() if number == 8 else real.become_child()
    real.filter(FULL_FILTER)
    clock.pass_time(1)
    alive(real, asker)
    thief = replay(clock, number)
    real.link.close()
    clock.pass_time(2)
    alive(asker)
    asker.send(LOOKUP, source=asker.key, dest=X, **{"from": [1]})
    asker.send(TRAFFIC, **traffic([thief.link.port]))
    assert [thief.got(kind) for kind in (LOOKUP, TRAFFIC)] == [[], []]
    assert clock.router.root == clock.router.key
    again = FarSide(clock, number)
    assert again.link.port == thief.link.port


def test_a_thief_does_not_choose_the_link(clock):
    """With a better priority it still carries nothing of the real peer's."""
    real, source = child(clock, 3, priority=9), child(clock, 4)
    FarSide(clock, 3, priority=0, polite=False)
    source.send(TRAFFIC, **traffic([real.link.port]))
    assert len(real.got(TRAFFIC)) == 1


def test_a_deep_ancestry_is_told_as_far_as_there_is_room_and_then_whole(clock):
    """What a far side has no room for before we are proven to it is told when it is proven to us."""
    parent = FarSide(clock, 1)
    parent.answer()
    chain = [secret_key(0), *(secret_key(1000 + number) for number in range(300)), parent.secret]
    parent.send(ANNOUNCE, **announce(chain[0], chain[0], 1, 1, 0))
    for above, below in itertools.pairwise(chain):
        parent.send(ANNOUNCE, **announce(below, above, 1, 1, 7))
    clock.pass_time(2)
    parent.answer()
    clock.pass_time(2)
    known = len(clock.router.tree_records())
    assert known == 303
    newcomer = replay(clock, 9)
    told = newcomer.got(ANNOUNCE)
    assert 100 <= len(told) <= 150
    assert sum(len(wire.encode_frame(ANNOUNCE, wire.encode(ANNOUNCE, **fields))) for fields in told) <= 32768
    newcomer.respond(newcomer.got(SIG_REQ)[0])
    clock.pass_time(1.1)
    told += newcomer.got(ANNOUNCE)
    assert len({fields["node"] for fields in told}) == known


def test_a_bad_record_ends_the_link_at_its_proof(clock):
    """A forged record is not verified before, and no better then."""
    thief = replay(clock, 8)
    thief.send(ANNOUNCE, **{**announce(thief.secret, thief.secret, 1, 1, 0), "sig": bytes(64)})
    assert not thief.link.closed
    thief.respond(thief.got(SIG_REQ)[0])
    assert thief.link.error == "ErrBadMessage"


@pytest.mark.parametrize("data", [wire.encode_frame(ANNOUNCE, b"x"), wire.encode_frame(BLOOM, b"\xff" * 32),
                                  wire.encode_frame(SIG_REQ, b""), b"\x01\x0a", b"\x00"])
def test_what_is_no_message_ends_it_at_once(clock, data):
    """Whether proven or not."""
    thief = replay(clock, 3)
    assert not thief.raw(data)
    assert thief.link.closed


def trips(delay: int) -> float:
    """Return how many one-way trips of `delay` ms pass from a new link to the first answer over a session."""
    network = Routers("trips", make=Node)
    a, b = network.add(1), network.add(2)
    network.run(10.5)
    answers: list[bytes] = []
    network.join(a, b, delay / 1000)
    a.turn(network.now, network.wall)
    a.request(b.key, "self", lambda key, kind, data: answers.append(key))
    network.turn(a)
    begun = network.now
    assert network.run(60, lambda: answers)
    network.close()
    return (network.now - begun) / MILLISECOND / delay


def test_the_first_exchange_takes_no_more_trips():
    """Proof both ways, records, filters, lookup, session: as many as when nothing had to be proven."""
    assert trips(50) <= 12
    assert trips(500) <= 12.1
