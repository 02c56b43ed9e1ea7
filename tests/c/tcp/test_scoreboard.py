"""ygg_c.tcp.scoreboard: what was sent and is not acknowledged, against a model of plain lists."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ygg_c.testing.scoreboards import SentSegments


def board(*sizes: int, at: int = 10) -> SentSegments:
    """Return a board on which segments of these sizes were sent at `at`, `at` + 1, ... from position 1000."""
    segments = SentSegments()
    position = 1000
    for index, size in enumerate(sizes):
        assert segments.push(position, size, at + index)
        position += size
    return segments


def test_totals_follow_what_was_sent_sacked_and_lost() -> None:
    segments = board(100, 200, 300)
    assert segments.totals == (600, 0, 0)
    segments.sack(1100, 1300)
    assert segments.totals == (400, 200, 0)
    segments.lose(0)
    assert segments.totals == (300, 200, 100)
    segments.resend(0, 50)
    assert segments.totals == (400, 200, 0)
    segments.acknowledge(1300)
    assert segments.totals == (300, 0, 0)


def test_a_partial_acknowledgement_shortens_the_first_record() -> None:
    for mark in ("", "sacked", "lost"):
        segments = board(100, 200)
        if mark == "sacked":
            segments.sack(1000, 1100)
        elif mark == "lost":
            segments.lose(0)
        delivered = segments.acknowledge(1040)
        assert delivered["size"] == (0 if mark == "sacked" else 40)
        assert segments.records()[0][:2] == (1040, 1100)
        assert sum(segments.totals) == 260


def test_a_block_that_covers_a_part_of_a_record_leaves_it_in_flight() -> None:
    segments = board(100, 100, 100)
    assert segments.sack(1050, 1250)["size"] == 100
    assert [flags for *_, flags in segments.records()] == ["", "sacked", ""]


def test_delivery_tells_what_was_sent_once() -> None:
    """The round trip is measured from the first segment that was sent once; a retransmission gives none (Karn)."""
    segments = board(100, 100, 100)
    segments.lose(0)
    segments.resend(0, 90)
    delivered = segments.acknowledge(1300)
    assert (delivered["once_at"], delivered["once_start"], delivered["resent"]) == (11, 1100, True)
    assert delivered["newest"] == (90, 1000)


def test_an_answer_cannot_be_to_what_was_sent_after_it() -> None:
    segments = board(100, 100)
    segments.lose(0)
    segments.resend(0, 90)
    assert segments.acknowledge(1200, credible=80)["newest"] == (11, 1100)


def test_delivery_below_what_was_delivered_shows_reordering() -> None:
    segments = board(100, 100, 100)
    assert segments.sack(1200, 1300)["late_at"] == 0
    assert segments.sack(1100, 1200)["late_at"] == 11
    assert segments.acknowledge(1100)["late_at"] == 10
    segments = board(100, 100)
    segments.lose(0)
    segments.resend(0, 50)
    segments.sack(1100, 1200)
    delivered = segments.acknowledge(1100)
    assert (delivered["late_at"], delivered["late_resent_at"]) == (0, 10)


def test_one_acknowledgement_of_all_shows_no_reordering() -> None:
    segments = board(100, 100, 100)
    assert segments.acknowledge(1300)["late_at"] == 0


def test_what_is_sent_again_goes_to_the_end_by_time() -> None:
    segments = board(100, 100, 100, 100)
    segments.lose(1)
    segments.resend(1, 50)
    segments.resend(0, 60)
    assert segments.by_time() == [2, 3, 1, 0]
    segments.lose(2)
    segments.restore()
    assert segments.by_time() == [2, 3, 1, 0]


def test_the_lowest_lost_segment_is_next() -> None:
    segments = board(*[100] * 6)
    assert segments.next_lost() is None
    for index in (4, 1, 3):
        segments.lose(index)
    order = []
    while (index := segments.next_lost()) is not None:
        order.append(index)
        segments.resend(index, 50 + index)
    assert order == [1, 3, 4]
    segments.lose(0)
    assert segments.next_lost() == 0


def test_records_divide_for_a_smaller_path_and_only_those_above_it_are_lost() -> None:
    segments = board(100, 1000, 100, 1000)
    segments.sack(2200, 3200)
    assert segments.split(400)
    assert [(start, end, flags) for start, end, *_, flags in segments.records()] == [
        (1000, 1100, ""), (1100, 1500, "lost"), (1500, 1900, "lost"), (1900, 2100, "lost"), (2100, 2200, ""),
        (2200, 2600, "sacked"), (2600, 3000, "sacked"), (3000, 3200, "sacked"),
    ]
    assert segments.totals == (200, 1000, 1000)
    assert segments.split(400)
    assert segments.totals == (200, 1000, 1000)


def test_memory_is_freed_when_nothing_is_in_flight() -> None:
    segments = board(*[10] * 100)
    assert segments.room == 128
    segments.acknowledge(1990)
    segments.rest()
    assert segments.room == 128
    segments.acknowledge(2000)
    segments.rest()
    assert segments.room == 0


def test_records_are_bounded() -> None:
    segments = SentSegments()
    for index in range(65536):
        assert segments.push(index, 1, index)
    assert not segments.push(65536, 1, 65536)
    segments.acknowledge(1)
    assert segments.push(65536, 1, 65536)


def test_blocks_that_repeat_cost_no_walk() -> None:
    """50,000 records SACKed one by one behind a hole, every block naming all so far: seconds if all were walked."""
    segments = SentSegments()
    for index in range(50_001):
        segments.push(10 * index, 10, index)
    for index in range(1, 50_001):
        assert segments.sack(10, 10 * (index + 1))["size"] == 10
    assert segments.sacks == 50_000


@pytest.mark.parametrize("marks", ["lost", "sacked"])
def test_many_that_return_to_flight_are_sorted_at_once(marks: str) -> None:
    """65,536 records, every other one sent again: seconds if each looked for its place among the others."""
    segments = SentSegments()
    for index in range(65_536):
        segments.push(10 * index, 10, 1)
    for index in range(0, 65_536, 2):
        segments.resend(index, 2)
    if marks == "sacked":
        segments.sack(0, 655_360)
    else:
        for index in range(65_536):
            segments.lose(index)
    begun = time.process_time()
    segments.unsack() if marks == "sacked" else segments.restore()
    assert time.process_time() - begun < 0.5
    assert segments.by_time() == [*range(1, 65_536, 2), *range(0, 65_536, 2)]


def test_an_index_beyond_the_end_is_an_error() -> None:
    segments = board(100)
    with pytest.raises(IndexError):
        segments.resend(1, 5)
    segments.lose(0)
    with pytest.raises(ValueError, match="not in flight"):
        segments.lose(0)


@dataclass
class Record:
    """A segment of the model."""

    start: int
    end: int
    first_sent: int
    last_sent: int
    state: str = ""
    resent: bool = False


class Boards(RuleBasedStateMachine):
    """The scoreboard does what a list of records does."""

    @initialize(first=st.sampled_from([0, 2**32 - 5, 2**32 - 40]))
    def begin(self, first: int) -> None:
        self.real = SentSegments(first)
        self.model: list[Record] = []
        self.next = 1000
        self.now = 10
        self.highest = 0

    @rule(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=30), wait=st.integers(0, 3))
    def push(self, sizes: list[int], wait: int) -> None:
        self.now += wait
        for size in sizes:
            assert self.real.push(self.next, size, self.now)
            self.model.append(Record(self.next, self.next + size, self.now, self.now))
            self.next += size

    def _position(self, share: float) -> int:
        base = self.model[0].start if self.model else self.next
        return base + round((self.next - base) * share)

    def _delivered(self, told: dict, records: list[Record], size: int, credible: int) -> None:
        once = [record for record in records if not record.resent]
        late = [record for record in once if record.end < self.highest]
        resent = [record for record in records if record.resent and record.end < self.highest]
        assert told["size"] == size
        assert told["once_at"] == min((record.last_sent for record in once), default=0)
        assert told["once_start"] == min((record.start for record in once), default=0)
        assert told["late_at"] == min((record.last_sent for record in late), default=0)
        assert told["late_resent_at"] == min((record.first_sent for record in resent), default=0)
        assert told["resent"] == any(record.resent for record in records)
        answered = [record for record in records if not record.resent or record.last_sent <= credible]
        assert told["newest"] == max(((record.last_sent, record.start) for record in answered), default=None)

    @rule(share=st.floats(0, 1), ago=st.integers(0, 4))
    def acknowledge(self, share: float, ago: int) -> None:
        ack = self._position(share)
        told = self.real.acknowledge(ack, self.now - ago)
        gone = [record for record in self.model if record.end <= ack]
        rest = [record for record in self.model if record.end > ack]
        size = sum(record.end - record.start for record in gone if record.state != "sacked")
        if rest and rest[0].start < ack:
            size += 0 if rest[0].state == "sacked" else ack - rest[0].start
            rest[0] = replace(rest[0], start=ack)
        self._delivered(told, [record for record in gone if record.state != "sacked"], size, self.now - ago)
        self.model = rest
        self.highest = max(self.highest, ack)

    @rule(shares=st.tuples(st.floats(0, 1), st.floats(0, 1)), ago=st.integers(0, 4))
    def sack(self, shares: tuple[float, float], ago: int) -> None:
        start, end = sorted(self._position(share) for share in shares)
        told = self.real.sack(start, end, self.now - ago)
        covered = [
            record for record in self.model if start <= record.start and record.end <= end and record.state != "sacked"
        ]
        self._delivered(told, covered, sum(record.end - record.start for record in covered), self.now - ago)
        for record in covered:
            record.state = "sacked"
            self.highest = max(self.highest, record.end)

    @precondition(lambda self: any(record.state == "" for record in self.model))
    @rule(data=st.data(), all_below=st.booleans())
    def lose(self, data: st.DataObject, all_below: bool) -> None:
        chosen = data.draw(st.sampled_from([index for index, record in enumerate(self.model) if record.state == ""]))
        for index in range(0 if all_below else chosen, chosen + 1):
            if self.model[index].state == "":
                self.real.lose(index)
                self.model[index].state = "lost"

    @rule(wait=st.integers(0, 3))
    def resend_lost(self, wait: int) -> None:
        lost = [index for index, record in enumerate(self.model) if record.state == "lost"]
        assert self.real.next_lost() == (lost[0] if lost else None)
        if lost:
            self._resend(lost[0], wait)

    @precondition(lambda self: any(record.state == "" for record in self.model))
    @rule(data=st.data(), wait=st.integers(0, 3))
    def probe(self, data: st.DataObject, wait: int) -> None:
        self._resend(data.draw(st.sampled_from([i for i, record in enumerate(self.model) if record.state == ""])), wait)

    def _resend(self, index: int, wait: int) -> None:
        self.now += wait
        self.real.resend(index, self.now)
        self.model[index] = replace(self.model[index], last_sent=self.now, state="", resent=True)

    @rule()
    def restore(self) -> None:
        self.real.restore()
        for record in self.model:
            record.state = "" if record.state == "lost" else record.state

    @rule()
    def unsack(self) -> None:
        self.real.unsack()
        for record in self.model:
            record.state = "" if record.state == "sacked" else record.state

    @rule()
    def rest(self) -> None:
        self.real.rest()

    @rule(size=st.integers(5, 40))
    def split(self, size: int) -> None:
        assert self.real.split(size)
        if all(record.end - record.start <= size for record in self.model):
            return
        divided = []
        for record in self.model:
            state = "lost" if record.state == "" and record.end - record.start > size else record.state
            divided += [
                replace(record, start=start, end=min(start + size, record.end), state=state)
                for start in range(record.start, record.end, size)
            ]
        self.model = divided

    @invariant()
    def same(self) -> None:
        if not hasattr(self, "real"):
            return
        assert self.real.records() == [
            (record.start, record.end, record.first_sent, record.last_sent,
             " ".join([record.state] * (record.state != "") + ["resent"] * record.resent))
            for record in self.model
        ]
        sums = {"": 0, "sacked": 0, "lost": 0}
        for record in self.model:
            sums[record.state] += record.end - record.start
        assert self.real.totals == tuple(sums.values())
        assert self.real.sacks == sum(record.state == "sacked" for record in self.model)
        order = self.real.by_time()
        assert sorted(order) == [index for index, record in enumerate(self.model) if record.state == ""]
        times = [self.model[index].last_sent for index in order]
        assert times == sorted(times)


TestBoards = Boards.TestCase
TestBoards.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
