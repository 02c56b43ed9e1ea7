"""What neighbours are told of a root a thousand hops away, and how much at a time."""

from tests.c.farside import ANNOUNCE, SIG_REQ, SIG_RES, Clock, FarSide
from tests.c.routing.test_deep import DEPTH, EVIL, records
from tests.simnet import MILLISECOND


def deepen(clock: Clock) -> FarSide:
    """Have the router be a thousand hops deep; return the neighbour that brought that about."""
    evil = FarSide(clock, EVIL)
    evil.link.receive(b"".join(records()))
    clock.pass_time(0.7)
    evil.answer()
    clock.pass_time(0.5)
    evil.raw(b"\x01\x01")
    assert len(clock.router.coords) == DEPTH + 2
    return evil


def test_a_neighbour_is_told_in_portions(clock: Clock) -> None:
    """One that verifies as it reads is kept from nothing else for long, and the whole takes half a second."""
    neighbours = [FarSide(clock, number) for number in (3, 4, 5)]
    evil = FarSide(clock, EVIL)
    evil.link.receive(b"".join(records()))
    portions: dict[FarSide, list[int]] = {far: [] for far in neighbours}
    for step in range(120):
        clock.pass_time(0.01)
        evil.raw(b"\x01\x01")
        evil.answer()
        for far in neighbours:
            portions[far].append(len(far.got(ANNOUNCE)))
            far.raw(b"\x01\x01")
            if step % 10 == 0:
                far.answer()
                far.send(SIG_REQ, seq=1, nonce=step)
                assert len(far.got(SIG_RES)) == 1
    for counts in portions.values():
        assert DEPTH + 2 <= sum(counts) <= DEPTH + 20
        assert max(counts) <= 70
        assert sorted(counts)[-2] <= 30
        assert sum(bool(count) for count in counts) <= 50


def test_who_takes_nothing_is_told_no_more(clock: Clock) -> None:
    """What waits for a full transport is bounded; the rest comes when it drains."""
    evil, far = deepen(clock), FarSide(clock, 3, polite=False)
    clock.turn()
    far.stuck = True
    for request in far.got(SIG_REQ):
        far.respond(request)
    clock.pass_time(1)
    assert far.link.queued < 65_536
    far.stuck = far.link.blocked = False
    told = 0
    for _ in range(70):
        far.link.want_flush()
        clock.pass_time(0.01)
        evil.raw(b"\x01\x01")
        far.raw(b"\x01\x01")
        told += len(far.got(ANNOUNCE))
    assert told >= DEPTH - 128


def test_many_neighbours_take_turns(clock: Clock) -> None:
    """What is told in one go is bounded for all together, and all get what they lack."""
    sides = [deepen(clock), *(FarSide(clock, number) for number in range(1000, 1060))]
    told = [len(far.got(ANNOUNCE)) for far in sides]
    most = 0
    for _ in range(200):
        clock.now += 10 * MILLISECOND
        clock.turn()
        counts = [len(far.got(ANNOUNCE)) for far in sides]
        told = [sum(pair) for pair in zip(told, counts, strict=True)]
        most = max(most, sum(counts))
        for far in sides:
            far.link.receive(b"\x01\x01")
    assert min(told[1:]) >= DEPTH + 2
    assert most <= 25 * 64
