"""When a connection gives back the memory that an exchange took: after an idle second, or where memory is short."""

import pytest

from tests.c.stackkit import MS, SECOND, Link, Peer, World
from tests.c.stage import MIB, Stage, node

SHORT = 20 * MIB
"""Bytes beyond which memory is short, of a stage's 32 MiB."""


@pytest.fixture
def world():
    made = World(1280, Link(5 * MS))
    yield made
    made.close()


def exchange(world: World, client, server) -> None:
    """A request and its answer, both read and acknowledged."""
    for one, other in ((client, server), (server, client)):
        one.write(bytes(100))
        world.run(100 * MS, lambda other=other: other.readable == 100)
        other.recv()
    world.run(100 * MS)


def kept(world: World) -> list[bool]:
    """Of either stack, for what it received and what it sent, whether it holds memory."""
    return [size > 0 for stack in (world.a, world.b) for size in stack.buffered]


@pytest.mark.parametrize("size", [100, 5000, 300_000])
def test_memory_stays_for_a_second_and_then_goes(world, size):
    client, server = world.pair()
    client.write(bytes(size))
    got = 0
    while got < size:
        world.run(10 * MS)
        got += len(server.recv())
    world.run(900 * MS)
    assert world.a.buffered[1] > 0
    world.run(300 * MS)
    assert kept(world) == [False] * 4
    assert world.a.buffered == world.b.buffered == (0, 0)
    assert client.info()["send_memory"] == server.info()["receive_memory"] == 0


def test_exchanges_within_a_second_keep_it(world):
    client, server = world.pair()
    exchange(world, client, server)
    before = world.a.buffered, world.b.buffered
    for _ in range(10):
        world.run(600 * MS)
        assert (world.a.buffered, world.b.buffered) == before
        exchange(world, client, server)
    world.run(1200 * MS)
    assert kept(world) == [False] * 4


def test_a_connection_at_rest_starts_again(world):
    """As often as it likes, and each time it rests again."""
    client, server = world.pair()
    for _ in range(3):
        exchange(world, client, server)
        assert kept(world) == [True] * 4
        world.run(1200 * MS)
        assert kept(world) == [False] * 4


def test_a_connection_at_rest_wants_no_turns(world):
    client, server = world.pair()
    exchange(world, client, server)
    assert world.deadlines[world.tap_a] is not None
    world.run(2 * SECOND)
    assert world.deadlines[world.tap_a] is None


def test_what_is_read_late_goes_when_it_is_read(world):
    client, server = world.pair()
    client.write(bytes(100))
    world.run(3 * SECOND)
    assert world.b.buffered[0] > 0
    assert server.recv() == bytes(100)
    assert world.b.buffered == (0, 0)


def test_what_is_not_acknowledged_outlasts_a_rest():
    """A peer is silent for longer than connections take to rest: data, out of order too, and what was sent stay."""
    peer = Peer(options=b"\4\2")
    connection = peer.accept()
    peer.send(seq=peer.seq + 5, data=b"67890")
    connection.write(b"unanswered")
    peer.take()
    for _ in range(8):
        peer.now += 500 * MS
        peer.take()
    assert connection.queued == 10
    peer.send(data=b"12345", ack=peer.ack)
    assert connection.recv() == b"1234567890"
    again = []
    while not again:
        peer.now += SECOND
        again = [segment.data for segment in peer.take() if segment.data]
    assert again == [b"unanswered"]
    peer.close()


@pytest.mark.parametrize("end", ["close", "abort", "reset"])
def test_an_end_gives_it_back_at_once(world, end):
    client, server = world.pair()
    exchange(world, client, server)
    assert kept(world) == [True] * 4
    if end == "close":
        client.close()
        world.run(20 * MS)
        server.close()
    else:
        (client if end == "abort" else server).abort()
    world.run(20 * MS)
    assert world.a.buffered == world.b.buffered == (0, 0)


def test_what_failed_with_data_unread_gives_it_back_when_it_is_read(world):
    client, server = world.pair()
    exchange(world, client, server)
    client.write(bytes(100))
    world.run(20 * MS)
    client.abort()
    world.run(20 * MS)
    assert server.closed
    assert server.recv() == bytes(100)
    assert server.readable == 0


def answered(stage: Stage, many: list) -> None:
    """Have connections get a byte and answer it, and the answer acknowledged."""
    for far, near in zip(many, stage.accepted(), strict=True):
        stage.send(far.segment(data=b"?"))
        assert near.recv() == b"?"
        near.write(b"!")
        stage.turn()
        far.ack += 1
        stage.send(far.segment())


def fill(stage: Stage, numbers: range, most: int) -> None:
    """Have nodes send so many bytes that nothing reads."""
    for number in numbers:
        for far in stage.open(number, 10):
            for _ in range(10):
                if sum(stage.stack.buffered) < most:
                    far.fill()


class TestPressure:
    def test_it_goes_at_once(self, stage):
        """That of connections which have nothing to do with the one that needs memory."""
        fill(stage, range(10, 20), SHORT - MIB // 4)
        stage.accepted()
        answered(stage, stage.open(99, 20, window=65535))
        held, before = stage.stack.usage(node(99)), stage.now
        assert held["received"] > 0
        assert held["queued"] > 0
        fill(stage, range(20, 22), SHORT + MIB // 4)
        assert stage.now < before + 900 * MS
        assert stage.stack.usage(node(99)) == {**held, "received": 0, "queued": 0}

    def test_nothing_stays_while_it_lasts(self, stage):
        fill(stage, range(10, 20), SHORT + MIB // 2)
        stage.accepted()
        answered(stage, stage.open(99, 1, window=65535))
        assert stage.stack.usage(node(99)) == {"incoming": 1, "half_open": 0, "received": 0, "queued": 0}
