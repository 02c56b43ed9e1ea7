"""A router without sessions, and messages past those of a node."""

from collections.abc import Iterator

import pytest

from tests.c.farside import Clock
from tests.c.worldkit import line_of
from tests.simnet import Routers
from ygg_c.testing.routers import send_message


@pytest.fixture
def network() -> Iterator[Routers]:
    network = Routers("tap")
    yield network
    network.close()


def test_messages_arrive_with_their_source(network: Routers) -> None:
    """Each is taken once."""
    a, b = network.add(1), network.add(2)
    network.join(a, b)
    network.run(3)
    a.send(b.key, b"one")
    a.send(b.key, b"")
    network.turn(a)
    network.run(1)
    assert b.take_delivered() == [(a.key, b"one"), (a.key, b"")]
    assert b.take_delivered() == []


def test_what_nobody_takes_is_bounded(network: Routers) -> None:
    """At most 4096 messages are kept."""
    a, b = network.add(1), network.add(2)
    network.join(a, b)
    network.run(3)
    for _ in range(50):
        for _ in range(100):
            a.send(b.key, b"x")
        network.turn(a)
        network.run(0.1)
    assert len(b.take_delivered()) == 4096


def test_keys_have_32_bytes(clock: Clock) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        clock.router.send(b"short", b"x")


def test_a_message_past_the_sessions_is_refused_by_those_of_the_other_end() -> None:
    with line_of(1, 2) as world:
        a, b = world.nodes[1].engine, world.nodes[2].engine
        send_message(a, b.key, b"\x09 is no kind of message")
        a.turn(world.now, world.wall)
        world.run(1)
        assert b.counters()["session_unknown_type"] == 1
