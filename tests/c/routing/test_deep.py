"""A root a thousand hops away: what is told of it, how it is told and verified, and what goes on meanwhile."""

import itertools
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.c.farside import ANNOUNCE, MAX, NOTIFY, SIG_REQ, SIG_RES, TRAFFIC, Clock, FarSide, announce, sign
from tests.simnet import MILLISECOND, CountedLink, Routers
from ygg.testing import public_key, secret_key
from ygg_c.link import wire
from ygg_c.node.node import Node

from .test_router import traffic

DEPTH = 1000
EVIL = 7
"""The neighbour that brings the records; its own is the last of them."""


@cache
def records() -> list[bytes]:
    """Return frames with the records from a small root down to the one that brings them."""
    root = min((secret_key(number) for number in range(100_000, 102_000)), key=lambda secret: secret[32:])
    secrets = [root, *(secret_key(10_000 + number) for number in range(DEPTH)), secret_key(EVIL)]
    fields = [announce(root, root, 1, 1, 0)]
    fields += [announce(below, above, 9, 1, 2**64 - 1) for above, below in itertools.pairwise(secrets)]
    return [wire.encode_frame(ANNOUNCE, wire.encode(ANNOUNCE, **each)) for each in fields]


@pytest.fixture
def network() -> Iterator[Routers]:
    """Give an empty network of nodes."""
    network = Routers("deep", make=Node)
    yield network
    network.close()


def say(network: Routers, link: CountedLink) -> None:
    """Have the second end of a link hear all the records in the name of the first."""
    link.ends[1].turn(network.now, network.wall)
    link.links[1].receive(b"".join(records()))
    network.turn(link.ends[1])


def ask(network: Routers, asker: Node, key: bytes) -> float:
    """Return after how many ms a node answers a question that is asked once."""
    answers: list[Any] = []
    begun = network.now
    asker.turn(network.now, network.wall)
    asker.request(key, "self", lambda *answer: answers.append(answer))
    network.turn(asker)
    assert network.run(5, lambda: answers)
    return (network.now - begun) / MILLISECOND


# Whole nodes


def test_neighbours_and_newcomers_feel_nothing(network: Routers) -> None:
    """Echoes take two trips as ever, who is there follows the root within seconds, and a newcomer is answered soon."""
    evil, victim, *line = (network.add(number) for number in (EVIL, 1, 2, 3, 4))
    attack = network.join(evil, victim)
    for above, below in itertools.pairwise([victim, *line]):
        network.join(above, below)
    network.run(20)
    ask(network, line[0], victim.key)
    say(network, attack)
    for _ in range(50):
        assert ask(network, line[0], victim.key) <= 3
        network.run(0.05)
    assert [len(node.coords) for node in line] == [DEPTH + 3, DEPTH + 4, DEPTH + 5]
    for number in (300, 301, 302):
        newcomer = network.add(number)
        network.join(newcomer, victim)
        assert ask(network, newcomer, victim.key) <= 700
        network.remove(newcomer)
        network.run(0.5)


# Verifying


def test_a_burst_of_records_keeps_nothing_else_waiting(clock: Clock) -> None:
    """A neighbour that tells all at once goes on being heard, and nothing of what it told is lost."""
    far = FarSide(clock, EVIL)
    far.become_child()
    clock.pass_time(1)
    far.link.receive(b"".join(records()))
    while far.link.held:            # as long as its share of a turn asks for
        clock.turn()
    assert far.link.waits
    assert len(clock.router.tree_records()) < 120
    for number in range(40):
        far.send(TRAFFIC, **traffic([], dest=clock.router.key, payload=b"%d" % number))
        far.send(SIG_REQ, seq=2, nonce=number)
        assert [payload for _, payload in clock.router.take_delivered()] == [b"%d" % number]
        assert len(far.got(SIG_RES)) == 1
        clock.pass_time(0.01)
        assert not far.link.held
    clock.pass_time(0.3)
    assert not far.link.waits
    assert len(clock.router.tree_records()) == DEPTH + 3


def test_what_waits_is_bounded(clock: Clock) -> None:
    """A link that brings more than the deepest ancestry waits itself; many divide what room there is."""
    sides = [FarSide(clock, number) for number in range(1000, 1100)]
    flood = b"".join(records()) * 2
    for far in sides:
        far.link.receive(flood)
        while far.link.held and not far.link.waits:
            clock.turn()
    for _ in range(50):
        clock.turn()
        clock.now += 100_000
    assert all(far.link.waits and far.link.held for far in sides)
    waiting = clock.router.counters()["announces_limited"] * len(records()[5])
    assert 2**22 < waiting < 2**24 + 2**23
    assert all(len(far.link.get_buffer()) <= 2**14 for far in sides)


def test_answers_that_are_waited_for_wait_their_turn(clock: Clock) -> None:
    """As many as six hundred that come at once, by one neighbour that has used up its share: none is lost."""
    far = FarSide(clock, 3)
    far.become_child()
    clock.pass_time(1)
    far.filter()
    secrets = [secret_key(1000 + number) for number in range(600)]
    for secret in secrets:
        clock.router.find(secret[32:])
    signed = wire.encode_uv(5) + wire.encode_path([1, 7])
    far.link.receive(b"".join(
        wire.encode_frame(NOTIFY, wire.encode(
            NOTIFY, path=[], watermark=MAX, source=secret[32:], dest=clock.router.key, seq=5, info_path=[1, 7],
            sig=sign(signed, secret),
        )) for secret in secrets
    ))
    clock.turn()
    assert len(clock.router.known_paths()) < 250
    clock.pass_time(0.2)
    assert len(clock.router.known_paths()) == 600
    assert clock.router.counters()["checks_limited"] == 0


def test_answers_that_strangers_make_up_keep_no_records_waiting(clock: Clock) -> None:
    """Ten thousand a second by an honest neighbour, about keys that are wanted: its own records count soon."""
    far = FarSide(clock, 3)
    far.become_child()
    far.filter()
    clock.pass_time(1)
    wanted = [public_key(number) for number in range(1000, 1004)]
    for key in wanted:
        clock.router.find(key)
    junk = b"".join(
        wire.encode_frame(NOTIFY, wire.encode(
            NOTIFY, path=[], watermark=MAX, source=wanted[number % 4], dest=clock.router.key, seq=5, info_path=[1, 7],
            sig=bytes(64),
        )) for number in range(10)
    )
    before = len(clock.router.tree_records())
    for step in range(1, 1501):
        clock.now += MILLISECOND
        far.raw(junk)
        far.answer()
        assert not far.link.held
        if step % 50 == 0:
            far.send(ANNOUNCE, **announce(secret_key(5000 + step), far.secret, 1, 1, step))
            assert len(clock.router.tree_records()) - before >= step // 50 - 6


def test_records_and_answers_have_one_budget(clock: Clock) -> None:
    """Who has used up its share with records finds none for answers, and another has its own."""
    hostile, honest = FarSide(clock, EVIL), FarSide(clock, 3)
    for far in (hostile, honest):
        far.become_child()
    clock.pass_time(1)
    hostile.link.receive(b"".join(records()))
    while hostile.link.held:
        clock.turn()
    secret = secret_key(9)
    clock.router.find(secret[32:])
    fields = {"path": [], "watermark": MAX, "source": secret[32:], "dest": clock.router.key, "info_path": [1]}
    for far, found in ((hostile, False), (honest, True)):
        for seq in (3, 4):
            far.send(NOTIFY, **fields, seq=seq, sig=bytes(64))
        far.send(NOTIFY, **fields, seq=5, sig=sign(wire.encode_uv(5) + wire.encode_path([1]), secret))
        assert bool(clock.router.known_paths()) == found
