"""benchmarks.lossy: the simulated link, the ideal sender, and what counts as a regression."""

from typing import Any

import pytest

from benchmarks.lossy import grid, ideal, measure, table
from benchmarks.lossy.flows import Figures, Run, jain
from benchmarks.lossy.golden import Golden, worse
from benchmarks.lossy.link import MS, SECOND, Cell, Direction

CELL = Cell(12e6, 0.02)     # a millisecond for each packet of 1500 bytes
GOOD = Figures(goodput=0.9, resent=0.002, copies=0.0, timeouts=0, jain=1.0)


def direction(**fields: Any) -> Direction:
    return Direction(Cell(12e6, 0.02, **fields), lossy=True, seed=1)


def test_packets_leave_at_the_links_rate_and_arrive_a_delay_later() -> None:
    way = direction()
    assert [way.enter(0, 1500) for _ in range(3)] == [(11 * MS, True), (12 * MS, True), (13 * MS, True)]
    assert way.enter(SECOND, 750) == (SECOND + 10 * MS + MS // 2, True)


@pytest.mark.parametrize(("buffer", "room"), [(1.0, 20), (0.5, 10), (0.0, 2)])
def test_the_queue_holds_its_part_of_bandwidth_times_delay_besides_the_packet_being_sent(buffer, room) -> None:
    way = direction(buffer=buffer)
    assert [way.enter(0, 1500)[1] for _ in range(room + 5)] == [True] * (room + 1) + [False] * 4
    assert way.dropped == 4
    assert way.enter(MS, 1500)[1]
    assert not way.enter(MS, 1500)[1]


def test_loss_is_behind_the_queue_and_of_the_share_asked_for() -> None:
    way = direction(loss=0.1)
    arrived = [way.enter(number * MS, 1500) for number in range(5000)]
    assert way.lost == sum(not arrives for _, arrives in arrived)
    assert 400 < way.lost < 600
    assert [time for time, _ in arrived] == [11 * MS + number * MS for number in range(5000)]


def test_jitter_lets_packets_overtake_and_reordering_every_second_one_only() -> None:
    plain = [11 * MS + number * MS for number in range(1000)]
    late = [now - then for then, (now, _) in zip(plain, map_enter(direction(jitter=0.005)), strict=True)]
    assert min(late) >= 0
    assert 4 * MS < max(late) < 5 * MS
    late = [now - then for then, (now, _) in zip(plain, map_enter(direction(reorder=0.01)), strict=True)]
    assert all(delay == 0 for delay in late[1::2])
    assert 9 * MS < max(late) < 10 * MS


def test_packets_of_a_batch_arrive_together() -> None:
    way = direction(batch=0.005)
    assert [way.enter(0, 1500)[0] for _ in range(8)] == [15 * MS] * 5 + [20 * MS] * 3


def map_enter(way: Direction) -> list[tuple[int, bool]]:
    return [way.enter(number * MS, 1500) for number in range(1000)]


@pytest.mark.parametrize(("rtt", "loss"), [(0.05, 0.01), (0.2, 0.001)])
def test_the_ideal_sender_has_cubics_mean_window(rtt: float, loss: float) -> None:
    """RFC 9438, 5.1, figures 6 and 7: the larger of the cubic and of the Reno-friendly mean window."""
    cell = Cell(1e9, rtt, loss=loss, seconds=300)
    segments = ideal.run(cell).goodput * cell.rate / 8 / (cell.mtu - ideal.HEADERS) * rtt
    cubic = (ideal.C * (3 + ideal.BETA) / (4 * (1 - ideal.BETA))) ** 0.25 * rtt**0.75 / loss**0.75
    friendly = (1.5 / loss) ** 0.5
    assert segments == pytest.approx(max(cubic, friendly), rel=0.25)   # theirs assumes losses at even distances


def test_a_run_is_the_same_whenever_it_is_made() -> None:
    cell = Cell(10e6, 0.05, loss=0.01, flows=2, seconds=5)
    first = Run(cell).run()
    assert first == Run(cell).run()
    assert first != Run(cell, seed=2).run()


def test_nothing_is_lost_or_sent_again_where_the_queue_is_long_enough() -> None:
    figures = Run(Cell(10e6, 0.02, buffer=100, seconds=2)).run()
    assert figures.goodput > 0.9
    assert figures[1:] == (0.0, 0.0, 0, 1.0)


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (GOOD, ""),
        (GOOD._replace(goodput=0.95, resent=0.0), ""),
        (GOOD._replace(goodput=0.88), ""),
        (GOOD._replace(goodput=0.87), "goodput 0.870, was 0.900"),
        (GOOD._replace(resent=0.005), "resent 0.50%, was 0.20%"),
        (GOOD._replace(copies=0.003), "copies 0.30%, were 0.00%"),
        (GOOD._replace(timeouts=4), "timeouts 4, were 0"),
        (GOOD._replace(jain=0.96), "Jain 0.960, was 1.000"),
    ],
)
def test_what_is_worse_is_named(now: Figures, words: str) -> None:
    assert worse(CELL, now, GOOD) == ([f"{CELL.name}: {words}"] if words else [])


def test_where_chance_decides_goodput_may_vary_more() -> None:
    lossy = Cell(12e6, 0.02, loss=0.01)
    assert not worse(lossy, GOOD._replace(goodput=0.82), GOOD)
    assert worse(lossy, GOOD._replace(goodput=0.80), GOOD)


def test_a_regression_fails_the_measurement(monkeypatch, capsys) -> None:
    cell = Cell(10e6, 0.05, seconds=2)
    monkeypatch.setattr(Golden, "ours", lambda *_: GOOD._replace(goodput=2.0))
    with pytest.raises(measure.Regression, match=r"10x50 b1 2s: goodput 0\.\d+, was 2\.000"):
        measure.lossy([cell])
    assert cell.name in capsys.readouterr().out


def test_a_cell_without_golden_figures_fails_the_measurement() -> None:
    with pytest.raises(measure.Regression, match="10x50 b1 1s: has no golden figures"):
        measure.lossy([Cell(10e6, 0.05, seconds=1)])


@pytest.mark.parametrize("cells", [grid.short, grid.whole])
def test_every_cell_has_a_name_of_its_own_and_golden_figures(cells) -> None:
    names = [cell.name for cell in cells()]
    assert len(set(names)) == len(names)
    golden = Golden()
    assert [cell.name for cell in cells() if golden.ours(cell) is None or golden.ideal(cell) is None] == []


def test_the_table_of_the_document_is_that_of_the_golden_figures() -> None:
    assert table.documented(table.DOCUMENT.read_text()) == table.whole(Golden())


def test_there_is_a_key_for_each_figure_and_it_has_the_worst_cell() -> None:
    clean, lossy = Cell(10e6, 0.05), Cell(10e6, 0.05, loss=0.01)
    found = [(clean, GOOD, 0.97), (lossy, Figures(0.3, 0.01, 0.001, 2, 0.9), 1.1), (lossy, GOOD, 1.0)]
    keys = measure.keys(found)
    assert keys == {
        "lossy_clean_least_of_ideal": 0.97, "lossy_loss_least_of_ideal": 1.0, "lossy_loss_most_of_ideal": 1.1,
        "lossy_most_resent_percent": 1.0, "lossy_most_copies_percent": 0.1, "lossy_most_timeouts": 2,
        "lossy_least_jain": 0.9,
    }
    text = table.DOCUMENT.read_text()
    assert [key for key in keys if f"`{key}`" not in text] == []


def test_what_arrives_twice_counts_as_a_copy_and_what_was_lost_does_not(monkeypatch) -> None:
    assert Run(Cell(10e6, 0.05, loss=0.05, seconds=2)).run().copies == 0
    enter = Direction.enter

    def late(way: Direction, now: int, size: int) -> tuple[int, bool]:
        arrival, arrives = enter(way, now, size)
        return arrival + (SECOND if way.sent == 100 else 0), arrives

    monkeypatch.setattr(Direction, "enter", late)
    figures = Run(Cell(10e6, 0.05, seconds=3)).run()
    assert 0 < figures.copies < 0.002


def test_jains_index() -> None:
    assert jain([5, 5, 5]) == 1
    assert jain([1, 0]) == 0.5
    assert jain([0, 0]) == 1
