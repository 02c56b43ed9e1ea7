"""How much of what a link brings is handled in one turn, how links share turns, and what happens to those that wait."""

import functools
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.c.farside import (
    ANNOUNCE,
    BLOOM,
    BROKEN,
    EMPTY_FILTER,
    FULL_FILTER,
    KEEPALIVE,
    LOOKUP,
    NOTIFY,
    SIG_REQ,
    SIG_RES,
    TRAFFIC,
    Clock,
    FarSide,
    announce,
)
from tests.c.routing.test_forwarding import traffic
from tests.c.routing.test_multicast import child
from tests.c.worldkit import SECOND, START
from ygg.testing import public_key, secret_key
from ygg_c.base.sodium import SeededRandom
from ygg_c.link import wire
from ygg_c.link.link import Link, PySink
from ygg_c.node.gateway import Gateway
from ygg_c.node.node import Node
from ygg_c.stack.netstack import NetStack
from ygg_c.testing.sessions import SessionTap

X = b"\x11" * 32
MOST = 8000
"""Units of work that new input may take between two turns."""


def framed(kind: int, **fields: Any) -> bytes:
    return wire.encode_frame(kind, wire.encode(kind, **fields))


def astray(number: int) -> dict[str, Any]:
    """Return traffic by a path of its own, as long as any: its next hop has to be searched for."""
    return traffic([1 + number % 100] * 1000, dest=number.to_bytes(32, "big"))


FLOODS: dict[str, tuple[Callable[[Clock, FarSide, int], bytes], int]] = {
    "keepalives": (lambda clock, far, number: b"\x01\x01", MOST),
    "dummies": (lambda clock, far, number: wire.encode_frame(0, bytes(100)), MOST),
    "requests": (lambda clock, far, number: framed(SIG_REQ, seq=1, nonce=number), MOST),
    "filters": (lambda clock, far, number: wire.encode_frame(BLOOM, (FULL_FILTER, EMPTY_FILTER)[number % 2]), 2000),
    "lookups": (lambda clock, far, number: framed(LOOKUP, source=far.key, dest=X, **{"from": [1]}), 4000),
    "notifies": (lambda clock, far, number: framed(
        NOTIFY, path=[], watermark=9, source=X, dest=clock.router.key, seq=number, info_path=[7], sig=bytes(64)), MOST),
    "brokens": (lambda clock, far, number: framed(BROKEN, path=[], watermark=9, source=clock.router.key, dest=X), MOST),
    "traffic": (lambda clock, far, number: framed(TRAFFIC, **traffic([], dest=clock.router.key)), 1300),
    "astray": (lambda clock, far, number: framed(TRAFFIC, **astray(number)), 300),
    "records": (lambda clock, far, number: framed(
        ANNOUNCE, **announce(secret_key(1000 + number), secret_key(1000 + number), 1, 1, 0)), 80),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_is_left_for_later_turns(clock: Clock, kind: str) -> None:
    """A link has a share of a turn, whatever it brings; what is left waits in order, and nothing of it is lost."""
    make, most = FLOODS[kind]
    attacker, other = child(clock, 3), child(clock, 4)
    count = 3 * most
    frames = [make(clock, attacker, number % 400 if kind == "records" else number) for number in range(count)]
    end = framed(SIG_REQ, seq=9, nonce=9)
    attacker.frames.clear()
    attacker.link.receive(b"".join(frames) + end)
    assert attacker.link.held or attacker.link.waits
    other.link.receive(end)
    assert not other.link.held
    clock.turn()
    assert other.got(SIG_RES)
    turns = 0
    while attacker.link.held or attacker.link.waits:
        clock.pass_time(0.01)
        turns += 1
        assert turns < 200
    assert turns >= 1
    assert not attacker.link.closed
    answered = attacker.got(SIG_RES)
    assert kind == "requests" or answered[-1]["nonce"] == 9
    if kind == "traffic":
        assert len(clock.router.take_delivered()) == count
    if kind == "records":
        assert len(clock.router.tree_records()) == 3 + count


def init_of(number: int, clock: Clock) -> bytes:
    """Return the Init with which a node turns to the router's."""
    tap = SessionTap(secret_key(number), b"", SeededRandom(number))
    tap.tick(clock.now, clock.wall)
    tap.write(clock.router.key, b"\1x")
    ((_, message),) = tap.messages()
    tap.close()
    return message


SESSION_MESSAGES: dict[str, tuple[Callable[[int, Clock], bytes], str, int]] = {
    "handshakes": (init_of, "session_opened", 16),
    "forged handshakes": (lambda number, clock: b"\1" + secret_key(number) * 3, "session_handshake_forged", 130),
    "what calls for an opening": (lambda number, clock: b"\3" + bytes(60), "session_init_sent", 20),
}
"""How to make each, what counts those that were handled, and how many of these take 4 ms."""


@pytest.mark.parametrize("kind", SESSION_MESSAGES)
def test_session_messages_count_for_the_work_they_call_for(kind: str) -> None:
    """Of a hundred that come at once no fewer are handled, and no turn takes longer than by any other flood."""
    make, counter, most = SESSION_MESSAGES[kind]
    clock = Clock(2, kind=Node)
    far = child(clock, 3)
    messages = [traffic([], dest=clock.router.key) | {"source": public_key(number), "payload": make(number, clock)}
                for number in range(1000, 1100)]
    handled = [clock.router.counters()[counter]]
    far.link.receive(b"".join(framed(TRAFFIC, **message) for message in messages))
    while far.link.held:
        handled.append(clock.router.counters()[counter])
        clock.now += 4_000_000
        clock.turn()
    handled.append(clock.router.counters()[counter])
    assert max(after - before for before, after in itertools.pairwise(handled)) <= most
    assert handled[-1] - handled[0] >= 80
    clock.close()


def test_many_floods_share_the_turns(clock: Clock) -> None:
    """Thirty go on side by side, each by its share, while others are heard in the turn in which they come."""
    attackers, other = [FarSide(clock, number) for number in range(10, 40)], FarSide(clock, 4)
    flood = b"\x01\x01" * 40000 + framed(SIG_REQ, seq=9, nonce=9)
    for far in attackers:
        far.frames.clear()
        far.link.receive(flood)
        assert far.link.held
    finished: dict[int, int] = {}
    turn = 0
    while len(finished) < len(attackers):
        clock.now += 1000
        clock.turn()
        turn += 1
        assert other.send(SIG_REQ, seq=1, nonce=turn)
        if turn <= 50:
            assert [answer["nonce"] for answer in other.got(SIG_RES)] == [turn]
        for index, far in enumerate(attackers):
            if far.got(SIG_RES):
                finished[index] = turn
    assert min(finished.values()) >= len(attackers) * 40000 // 2 // 4000 // 4
    assert max(finished.values()) <= 2 * min(finished.values())


def test_a_link_that_waits_stays_alive(clock: Clock) -> None:
    """It is not dead because we do not read what it says, and hears a keepalive every second."""
    far = FarSide(clock, 3)
    far.frames.clear()
    for number in range(1000, 11000):
        secret = secret_key(number % 4000)
        far.link.receive(framed(ANNOUNCE, **announce(secret, secret, number, 1, 0)))
    for _ in range(4):
        clock.pass_time(1)
        assert far.link.held
        assert far.got(KEEPALIVE) or far.got(SIG_REQ) or far.got(ANNOUNCE)
    clock.pass_time(3)
    far.answer()
    assert not far.link.held
    assert not far.link.closed
    far.send(SIG_REQ, seq=1, nonce=1)
    clock.pass_time(4)
    assert far.link.error == "ErrTimeout"


def test_renewed_records_do_not_unsettle_next_hops(clock: Clock) -> None:
    """A neighbour that says the same ever anew, and one that ever moves, make us search a bounded number of times."""
    source, sink, mover = child(clock, 3), child(clock, 4), FarSide(clock, 5)
    root = secret_key(9)
    for step in range(150):
        mover.link.receive(framed(ANNOUNCE, **announce(mover.secret, root, 10 + step, 1, 1 + step % 7)))
        source.link.receive(framed(TRAFFIC, **traffic([sink.link.port])))
    clock.turn()
    assert len(sink.got(TRAFFIC)) == 150
    assert clock.router.counters()["announces_limited"] < 80


def test_what_is_answered_during_a_flush_is_handled_without_waiting() -> None:
    """Transports hand bytes over at once: the answer comes in a turn nested in the flush that sent the question."""
    clock = SECOND
    asked: set[Node] = set()
    ends: dict[Link, tuple[Link, Node]] = {}
    nodes = [Node(secret_key(number), random=SeededRandom(number)) for number in (1, 2)]
    deadlines: dict[Node, int | None] = {}

    def turn(node: Node) -> None:
        asked.discard(node)
        deadlines[node] = node.turn(clock, START)

    def hand_over(link: Link) -> None:
        data = b"".join(iter(link.take, b""))
        other, node = ends[link]
        other.receive(data)
        turn(node)

    for node in nodes:
        node.on_work = functools.partial(asked.add, node)
        turn(node)
    left = nodes[0].add_link(nodes[1].key, 0, PySink(hand_over))
    right = nodes[1].add_link(nodes[0].key, 0, PySink(hand_over))
    ends.update({left: (right, nodes[1]), right: (left, nodes[0])})
    stacks = [NetStack([node.address], 1500, SeededRandom(3)) for node in nodes]
    gateways = [Gateway(node) for node in nodes]
    for gateway, stack in zip(gateways, stacks, strict=True):
        gateway.attach(stack)
    listener = stacks[1].listen(None, 80, 2)
    for second in range(1, 10):
        clock = second * SECOND
        if second >= 8:                 # the first finds the way and makes the session, the other has all that
            stacks[0].connect(nodes[1].address, 80)
        while due := [node for node in nodes if node in asked or (deadlines[node] or clock + 1) <= clock]:
            for node in due:
                turn(node)
    assert listener.accept() is not None
    assert listener.accept() is not None
    for node, gateway, stack in zip(nodes, gateways, stacks, strict=True):
        stack.close()
        gateway.close()
        node.close()
