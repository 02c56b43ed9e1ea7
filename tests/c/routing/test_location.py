"""The number and the signature under which a node tells where it is."""

import pytest

from tests.c.farside import LOOKUP, NOTIFY, Clock, FarSide
from tests.c.routing.test_pathfinder import T, wait


def ask(clock: Clock, far: FarSide) -> list[dict[str, object]]:
    """Return the answers to a lookup of the router by the far side."""
    far.send(LOOKUP, source=T, dest=clock.router.key, **{"from": [far.link.port]})
    answers: list[dict[str, object]] = far.got(NOTIFY)
    return answers


@pytest.mark.parametrize("back", [0, 1, 10, 300, 3600])
def test_a_clock_set_back_does_not_hold_up_our_notifies(clock: Clock, far: FarSide, back: int) -> None:
    """Their number rises with every second that passes, whatever the clock says, and never far ahead of it."""
    numbers: list[int] = []
    far.send(LOOKUP, source=T, dest=clock.router.key, **{"from": [far.link.port]})
    first = far.got(NOTIFY)[0]["seq"]
    clock.wall -= back
    for _ in range(100):
        wait(far, 1)
        far.send(LOOKUP, source=T, dest=clock.router.key, **{"from": [far.link.port]})
        numbers += [answer["seq"] for answer in far.got(NOTIFY)]
    assert numbers == list(range(first + 1, first + 101))


def test_a_clock_set_forward_is_followed(clock: Clock, far: FarSide) -> None:
    """The number is the second of the clock."""
    far.send(LOOKUP, source=T, dest=clock.router.key, **{"from": [far.link.port]})
    far.got(NOTIFY)
    clock.wall += 5000
    wait(far, 1)
    far.send(LOOKUP, source=T, dest=clock.router.key, **{"from": [far.link.port]})
    assert [answer["seq"] for answer in far.got(NOTIFY)] == [clock.wall]


def test_one_signature_serves_a_second(clock: Clock, far: FarSide) -> None:
    """Whoever asks, and from wherever, gets the same text; the next second has another."""
    first = ask(clock, far)
    far.send(LOOKUP, source=bytes(31) + b"\1", dest=clock.router.key, **{"from": [far.link.port, 9]})
    second = far.got(NOTIFY)
    assert [answer["sig"] for answer in first] == [answer["sig"] for answer in second]
    wait(far, 1)
    assert ask(clock, far)[0]["sig"] != first[0]["sig"]
