"""The receiving half: reassembly and what SACK tells of it against a model, and autotuning of the window."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.lossy.flows import Run
from benchmarks.lossy.link import Cell
from tests.c.stackkit import ACK, MS, PSH, SECOND, SYN, A, B, Peer, stamp
from tests.c.tcp.scripted import scripts

test_scripts = scripts("11-reassembly", "12-receive-window", "24-acknowledging")

SACK_PERMITTED = bytes([4, 2])
STREAM = bytes(index * 31 % 251 for index in range(4000))


@dataclass
class Model:
    """What a receiver holds: the positions that arrived, and the blocks by the time of their last change."""

    have: set[int] = field(default_factory=set)
    recent: list[int] = field(default_factory=list)     # positions, the latest first

    @property
    def next(self) -> int:
        """The first position missing."""
        return next(position for position in itertools.count() if position not in self.have)

    def block(self, position: int) -> tuple[int, int]:
        """Return the block that a position lies in."""
        start, end = position, position + 1
        while start - 1 in self.have:
            start -= 1
        while end in self.have:
            end += 1
        return start, end

    def take(self, start: int, end: int) -> list[tuple[int, int]]:
        """Take a segment and return the SACK blocks that its answer has."""
        told = []
        twice = sorted(set(range(start, end)) & self.have)
        if twice:
            last = twice[0]
            while last + 1 in twice:
                last += 1
            # Below the next byte a segment that reaches beyond it is told of up to there.
            told = [(twice[0], last + 1)]
        self.have |= set(range(start, end))
        if start > self.next or self.block(start)[0] > 0:
            self.recent.insert(0, start)
        blocks = []
        for position in self.recent:
            if position >= self.next and self.block(position) not in blocks:
                blocks.append(self.block(position))
        return (told + blocks)[:4]


segments = st.lists(
    st.tuples(st.integers(0, 39), st.integers(1, 12)).map(lambda pair: (pair[0], pair[0] + pair[1])),
    min_size=1, max_size=30,
)


@settings(deadline=None, max_examples=150)
@given(segments)
def test_any_segments_give_the_stream_and_tell_what_is_there(parts):
    peer = Peer(options=SACK_PERMITTED)
    connection = peer.accept()
    model = Model()
    first = peer.seq
    for start, end in parts:
        whole = model.next == start and not model.have - set(range(start))
        expected = model.take(start, end)
        answers = peer.send(seq=first + start, data=STREAM[start:end])
        if not answers:
            assert whole            # in order with nothing beyond: the ACK may wait
            continue
        assert answers[-1].ack == first + model.next
        assert sacks(answers[-1], first) == expected
    assert connection.recv() == STREAM[: model.next]
    peer.close()


def sacks(answer, first: int) -> list[tuple[int, int]]:
    """Return an answer's SACK blocks as positions in the stream."""
    return [(start - first, end - first) for start, end in answer.sacks]


class TestDuplicates:
    @pytest.fixture
    def peer(self):
        peer = Peer(options=SACK_PERMITTED)
        yield peer
        peer.close()

    def test_several_in_one_batch_are_told_together_where_they_touch(self, peer):
        peer.accept()
        first = peer.seq
        peer.data(bytes(100))
        batch = [replace(peer.base, seq=first + at, ack=peer.ack, data=bytes(20)) for at in (0, 20, 40)]
        peer.tap.give([segment.packet(B, A) for segment in batch], peer.now)
        (answer,) = peer.take()
        assert sacks(answer, first) == [(0, 60)]

    def test_one_that_fills_a_hole_and_repeats_what_is_beyond(self, peer):
        peer.accept()
        first = peer.seq
        peer.send(seq=first + 50, data=bytes(50))
        answer = peer.one(data=bytes(70))
        assert answer.ack == first + 100
        assert sacks(answer, first) == [(50, 70)]

    def test_it_is_told_once(self, peer):
        peer.accept()
        first = peer.seq
        peer.data(bytes(100))
        assert sacks(peer.one(seq=first, data=bytes(100)), first) == [(0, 100)]
        peer.send(seq=first + 200, data=bytes(10))
        assert sacks(peer.one(seq=first + 300, data=bytes(10)), first) == [(300, 310), (200, 210)]


class TestHoles:
    def send_every_second(self, count: int):
        """Return what is held of so many segments of two bytes with a hole below each."""
        peer = Peer(options=SACK_PERMITTED)
        connection = peer.accept()
        first = peer.seq
        for index in range(count):
            peer.send(seq=first + 4 * index + 2, data=STREAM[4 * index % 4000 + 2 : 4 * index % 4000 + 4])
        dropped = peer.stack.counters()["tcp_no_room"]
        for index in range(count):
            peer.send(seq=first + 4 * index, data=STREAM[4 * index % 4000 : 4 * index % 4000 + 2])
        data = b"".join(iter(connection.recv, b""))
        peer.close()
        return dropped, data

    def test_a_long_queue_that_overflowed_leaves_hundreds(self):
        """A slow start loses every second segment of a window: nothing that arrived has to come again."""
        assert self.send_every_second(1000) == (0, STREAM)

    def test_who_opens_more_has_the_surplus_dropped(self):
        dropped, data = self.send_every_second(2100)
        assert dropped == 52
        assert len(data) == 4 * 2048 + 2


class TestAcknowledging:
    @pytest.fixture
    def peer(self):
        peer = Peer(mtu=9000, options=SACK_PERMITTED, window=65535)
        peer.accept()
        yield peer
        peer.close()

    def answered(self, peer, sizes: list[int], flags: int = ACK) -> str:
        """Send segments of these sizes; return for each whether it was acknowledged at once."""
        return "".join("x" if peer.data(bytes(size), flags=flags) else "." for size in sizes)

    def test_after_one_out_of_order_each_for_a_while(self, peer):
        """A window that a loss has made small grows with each ACK, and an odd segment in it waits for no timer."""
        assert self.answered(peer, [1220] * 4) == ".x.x"
        assert peer.send(seq=peer.seq + 1220, data=bytes(1220))
        assert peer.data(bytes(1220))
        peer.seq += 1220
        assert self.answered(peer, [1220] * 19) == "x" * 15 + ".x.x"

    def test_segments_that_become_smaller_are_full_ones_all_the_same(self, peer):
        assert self.answered(peer, [8000, 8000, 1000]) == ".x."
        self.answered(peer, [1000] * 30)
        assert self.answered(peer, [1000] * 20).count("x") == 10
        assert self.answered(peer, [8000] * 4).count("x") >= 2

    def test_the_ends_of_short_writes_are_none_that_became_smaller(self, peer):
        assert self.answered(peer, [8000, 8000]) == ".x"
        assert self.answered(peer, [300] * 50, ACK | PSH) == "." * 50


class TestAutotuning:
    """The window follows what the application reads in the least round trip of late."""

    def make(self, rtt: int):
        """Return a peer with timestamps whose handshake took `rtt`, and the connection."""
        peer = Peer(mtu=65535, options=bytes([2, 4, 255, 195, 1, 1, 4, 2, 1, 3, 3, 14]) + stamp(5, 0))
        peer.stack.max_buffered = 1 << 28
        listener = peer.stack.listen(None, 80)
        answer = peer.one(flags=SYN, ack=0, options=peer.options)
        peer.seq, peer.ack = peer.seq + 1, answer.seq + 1
        self.clock(peer, answer)
        peer.wait(rtt)
        self.send(peer, b"")
        return peer, listener.accept()

    def clock(self, peer, answer) -> None:
        """Remember the timestamp of our segment: the peer echoes it."""
        self.echo = int.from_bytes(answer.option(8)[:4], "big")

    def send(self, peer, data: bytes):
        """Send data with the timestamp of the peer's clock."""
        answers = peer.send(data=data, flags=ACK, options=stamp(5 + peer.now // MS, self.echo))
        peer.seq += len(data)
        return answers

    def rounds(self, peer, connection, rtt: int, size: int, times: int) -> None:
        """Have `size` bytes come and be read in each of some round trips, as answers to the ACKs of the one before."""
        for _ in range(times):
            window = connection.info()["receive_window"]
            sent = 0
            answers = []
            while sent < min(size, window):
                part = min(60000, size - sent, window - sent)
                answers += self.send(peer, bytes(part))
                sent += part
                while connection.readable:
                    connection.recv()
            answers += peer.take()
            echo = self.echo
            for answer in answers:
                self.clock(peer, answer)
            peer.wait(rtt)
            if not answers:
                self.echo = echo

    def test_a_gigabit_over_200_ms_fills_the_window(self):
        peer, connection = self.make(200 * MS)
        self.rounds(peer, connection, 200 * MS, 25_000_000, 12)
        assert 25_000_000 <= connection.info()["receive_window"] <= peer.stack.receive_buffer_max
        peer.close()

    def test_a_slow_start_does_not_wait_for_it(self):
        figures = Run(Cell(1e9, 0.2, mtu=65535, seconds=4)).run()
        assert figures.goodput > 0.5        # of 4 s: an ideal sender without a handshake has 0.61

    def test_it_takes_no_more_than_twice_to_four_times_what_is_read(self):
        peer, connection = self.make(100 * MS)
        self.rounds(peer, connection, 100 * MS, 1_500_000, 30)
        assert 3_000_000 <= connection.info()["receive_buffer"] <= 6_000_000
        peer.close()

    def test_what_is_read_in_large_pieces_on_a_short_path_is_no_reason_to_grow(self):
        peer, connection = self.make(MS // 5)
        for _ in range(300):
            # The event loop has its turn each 4 ms, and finds 900 kB each time.
            self.rounds(peer, connection, 0, 900_000, 1)
            peer.wait(4 * MS)
        assert connection.info()["receive_buffer"] == peer.stack.receive_buffer
        peer.close()

    def test_a_path_that_has_become_long_is_found_out_by_who_only_receives(self):
        peer, connection = self.make(MS)
        self.rounds(peer, connection, MS, 100_000, 50)
        assert connection.info()["receive_buffer"] == peer.stack.receive_buffer
        self.rounds(peer, connection, 300 * MS, 20_000_000, 90)     # 27 s
        assert connection.info()["receive_window"] >= 20_000_000
        peer.close()

    def test_the_first_data_tell_what_a_handshake_within_one_turn_could_not(self):
        peer, connection = self.make(MS // 1000)
        peer.wait(100 * MS)
        self.rounds(peer, connection, 100 * MS, 10_000_000, 12)
        assert connection.info()["receive_window"] >= 10_000_000
        peer.close()

    def test_waiting_in_queues_does_not_count(self):
        peer, connection = self.make(20 * MS)
        self.rounds(peer, connection, 20 * MS, 400_000, 20)
        self.rounds(peer, connection, 200 * MS, 900_000, 8)     # 1.6 s: the least of late is still 20 ms
        assert connection.info()["receive_buffer"] == peer.stack.receive_buffer
        peer.close()

    def test_a_short_path_on_which_the_window_waits_does_not_count_as_longer(self):
        peer, connection = self.make(MS // 5)
        self.rounds(peer, connection, 15 * MS, 600_000, 1500)   # 22 s, in which each byte waits for 15 ms
        assert connection.info()["receive_buffer"] == peer.stack.receive_buffer
        peer.close()

    def test_a_pause_of_the_application_is_no_round_trip(self):
        peer, connection = self.make(20 * MS)
        for _ in range(20):
            peer.wait(10 * SECOND)
            self.rounds(peer, connection, 20 * MS, 300_000, 5)
        assert connection.info()["receive_buffer"] == peer.stack.receive_buffer
        peer.close()
