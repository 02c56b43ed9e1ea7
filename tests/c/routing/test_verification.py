"""Which signatures are verified when there are more than the budget allows."""

from typing import Any

from tests.c.farside import ANNOUNCE, SIG_REQ, SIG_RES, Clock, FarSide, announce
from ygg.testing import public_key, secret_key
from ygg_c.link import wire
from ygg_c.link.link import PySink

X = b"\x11" * 32


def framed(kind: int, **fields: Any) -> bytes:
    return wire.encode_frame(kind, wire.encode(kind, **fields))


def test_records_are_verified_for_all_links_alike(clock: Clock) -> None:
    """Who brings thousands waits; whoever brings a few meanwhile does not, and in the end nothing is missing."""
    attacker, honest = FarSide(clock, 3), FarSide(clock, 4)
    for number in range(1000, 2200):
        attacker.link.receive(framed(ANNOUNCE, **announce(secret_key(number), secret_key(number), 1, 1, 0)))
    clock.pass_time(0.2)
    first = len(clock.router.tree_records())
    assert 200 <= first <= 650
    for number in range(3000, 3020):
        honest.link.receive(framed(ANNOUNCE, **announce(secret_key(number), secret_key(number), 1, 1, 0)))
    keys = {record["key"] for record in clock.router.tree_records()}
    assert {public_key(number) for number in range(3000, 3020)} <= keys
    clock.pass_time(1)
    assert len(clock.router.tree_records()) - first <= 2100
    for _ in range(5):
        clock.pass_time(0.5)
        honest.raw(b"\x01\x01")
        honest.answer()
    assert len(clock.router.tree_records()) == 1 + 1200 + 20
    assert clock.router.counters()["announces_limited"] > 0


def test_links_of_chosen_numbers_have_their_turns(clock: Clock) -> None:
    """Who dials until its number is another's, but for its upper bits, does not keep that from being heard."""
    honest = FarSide(clock, 4)
    while True:
        link = clock.router.add_link(X, 0, PySink(lambda link: link.take()))
        last = link.order % 256 == (honest.link.order - 1) % 256
        link.close()
        if last:
            break
    attacker = FarSide(clock, 3)
    assert attacker.link.order % 256 == honest.link.order % 256
    attacker.link.receive(b"".join(
        framed(ANNOUNCE, **announce(secret_key(number), secret_key(number), 1, 1, 0)) for number in range(1000, 3000)
    ))
    clock.pass_time(0.1)
    honest.frames.clear()
    for number in range(3000, 3020):
        honest.link.receive(framed(ANNOUNCE, **announce(secret_key(number), secret_key(number), 1, 1, 0)))
    honest.send(SIG_REQ, seq=9, nonce=9)
    for _ in range(60):         # as a loop that is busy takes them, both links are due in the same turns
        clock.now += 5_000_000
        clock.turn()
    assert honest.got(SIG_RES)
    assert attacker.link.held
