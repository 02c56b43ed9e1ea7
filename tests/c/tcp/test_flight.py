"""ygg_c.tcp.flight: what is kept while segments are under way, and when a connection gives it back.

That is after an idle second, or at once where memory is short.
"""

import pytest

from tests.c.stackkit import MS, SECOND, A, Peer, StackPair
from tests.c.stage import MIB, Stage, node
from ygg.simulation import Conditions

SHORT = 20 * MIB
"""Bytes beyond which memory is short, of a stage's 32 MiB."""


@pytest.fixture
def switch():
    made = StackPair(1280, Conditions(delay=0.005))
    yield made
    made.close()


def exchange(switch: StackPair, client, server) -> None:
    """A request and its answer, both read and acknowledged."""
    for one, other in ((client, server), (server, client)):
        one.write(bytes(100))
        switch.run(0.1, lambda other=other: other.readable == 100)
        other.recv()
    switch.run(0.1)


def kept(switch: StackPair) -> list[bool]:
    """Of either stack, for what it received and what it sent, whether it holds memory."""
    return [size > 0 for stack in (switch.a, switch.b) for size in stack.buffered]


@pytest.mark.parametrize("size", [100, 5000, 300_000])
def test_memory_stays_for_a_second_and_then_goes(switch, size):
    client, server = switch.pair()
    client.write(bytes(size))
    got = 0
    while got < size:
        switch.run(0.01)
        got += len(server.recv())
    switch.run(0.9)
    assert switch.a.buffered[1] > 0
    switch.run(0.3)
    assert kept(switch) == [False] * 4
    assert switch.a.buffered == switch.b.buffered == (0, 0)
    assert client.info()["send_memory"] == server.info()["receive_memory"] == 0


def test_exchanges_within_a_second_keep_it(switch):
    client, server = switch.pair()
    exchange(switch, client, server)
    before = switch.a.buffered, switch.b.buffered
    for _ in range(10):
        switch.run(0.6)
        assert (switch.a.buffered, switch.b.buffered) == before
        exchange(switch, client, server)
    switch.run(1.2)
    assert kept(switch) == [False] * 4


def test_a_connection_at_rest_starts_again(switch):
    """As often as it likes, and each time it rests again."""
    client, server = switch.pair()
    for _ in range(3):
        exchange(switch, client, server)
        assert kept(switch) == [True] * 4
        switch.run(1.2)
        assert kept(switch) == [False] * 4


def test_a_connection_at_rest_wants_no_turns(switch):
    client, server = switch.pair()
    exchange(switch, client, server)
    assert switch.tap(A).poll(switch.now) is not None
    switch.run(2)
    assert switch.tap(A).poll(switch.now) is None


def test_what_is_read_late_goes_when_it_is_read(switch):
    client, server = switch.pair()
    client.write(bytes(100))
    switch.run(3)
    assert switch.b.buffered[0] > 0
    assert server.recv() == bytes(100)
    assert switch.b.buffered == (0, 0)


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
def test_an_end_gives_it_back_at_once(switch, end):
    client, server = switch.pair()
    exchange(switch, client, server)
    assert kept(switch) == [True] * 4
    if end == "close":
        client.close()
        switch.run(0.02)
        server.close()
    else:
        (client if end == "abort" else server).abort()
    switch.run(0.02)
    assert switch.a.buffered == switch.b.buffered == (0, 0)


def test_what_failed_with_data_unread_gives_it_back_when_it_is_read(switch):
    client, server = switch.pair()
    exchange(switch, client, server)
    client.write(bytes(100))
    switch.run(0.02)
    client.abort()
    switch.run(0.02)
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
        assert stage.stack.usage(node(99)) == {**held, "received": 0, "queued": 0, "memory": 20 * 1344}

    def test_nothing_stays_while_it_lasts(self, stage):
        fill(stage, range(10, 20), SHORT + MIB // 2)
        stage.accepted()
        answered(stage, stage.open(99, 1, window=65535))
        usage = stage.stack.usage(node(99))
        assert usage == {"incoming": 1, "half_open": 0, "received": 0, "queued": 0, "memory": 1344}
