"""Simulated wires."""

import random
from typing import Any

import pytest

from ygg.simulation import Conditions, PacketWire, Timeline
from ygg.simulation.clock import SECOND

MS = SECOND // 1000


def sent(
    conditions: Conditions, count: int, size: int = 1250, every: float = 0, seed: int = 1
) -> list[tuple[int, int]]:
    """Send numbered packets; return when each arrives, in ms since the first was sent, and its number."""
    timeline, arrived = Timeline(), []
    wire = PacketWire(timeline, conditions, random.Random(seed),
                      lambda packet: arrived.append(((timeline.now - SECOND) // MS, int.from_bytes(packet[:4]))))
    for number in range(count):
        wire.send(number.to_bytes(4) + bytes(size - 4))
        timeline.run(every)
    timeline.run(100)
    assert wire.queued == 0
    assert wire.lost + len(arrived) >= count
    return arrived


def test_a_wire_without_limits_takes_no_time() -> None:
    assert sent(Conditions(), 3) == [(0, 0), (0, 1), (0, 2)]


def test_packets_take_their_time_at_the_rate_and_then_the_delay() -> None:
    assert sent(Conditions(rate=1e6, delay=0.1), 3) == [(110, 0), (120, 1), (130, 2)]


def test_what_the_buffer_does_not_hold_is_lost() -> None:
    assert [number for _, number in sent(Conditions(rate=1e6, buffer=5000), 10)] == [0, 1, 2, 3]
    assert [number for _, number in sent(Conditions(rate=1e6, buffer=0), 3, every=0.011)] == [0, 1, 2]


def test_losses_copies_and_detours_come_as_often_as_told() -> None:
    numbers = [number for _, number in sent(Conditions(loss=0.25), 4000)]
    assert 2900 < len(numbers) < 3100
    assert 4900 < len(sent(Conditions(duplicate=0.25), 4000)) < 5100
    late = [number for _, number in sent(Conditions(delay=0.1, reorder=0.25), 1000, every=0.001)]
    assert sorted(late) == list(range(1000)) != late
    times = {time for time, _ in sent(Conditions(delay=0.1, jitter=0.02), 1000)}
    assert times == set(range(100, 120))


def test_chance_is_the_same_for_the_same_seed() -> None:
    conditions = Conditions(rate=1e6, delay=0.1, jitter=0.05, loss=0.1, reorder=0.1, duplicate=0.1)
    first, second, other = (sent(conditions, 300, every=0.01, seed=seed) for seed in (1, 1, 2))
    assert first == second != other


def test_a_silent_wire_loses_what_is_under_way_too() -> None:
    timeline, arrived = Timeline(), []
    wire = PacketWire(timeline, Conditions(delay=1), random.Random(1), arrived.append)
    wire.send(b"under way")
    timeline.run(0.5)
    wire.silent = True
    wire.send(b"later")
    timeline.run(0.6)
    wire.silent = False
    wire.send(b"healed")
    timeline.run(2)
    assert arrived == [b"healed"]


@pytest.mark.parametrize("wrong", [{"rate": -1}, {"delay": -0.1}, {"buffer": -1}, {"loss": 1.1}, {"duplicate": -0.1}])
def test_conditions_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Conditions(**wrong)
