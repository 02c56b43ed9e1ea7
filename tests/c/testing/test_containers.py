"""ygg_c.testing.containers: what Python may ask of them. What they hold is tested where they are used."""

import pytest

from ygg_c.testing.containers import RangesTap, ReceiveQueueTap, SendQueueTap, TimedTap, TimersTap


def test_only_what_is_held_can_be_copied() -> None:
    queue = SendQueueTap(10)
    queue.write(b"abc")
    for position, size in ((9, 1), (10, 4), (13, 1)):
        with pytest.raises(ValueError, match="held"):
            queue.copy(position, size)
    assert queue.copy(10, 3)[0] == b"abc"


def test_what_is_there_is_not_put_in_again() -> None:
    queue = ReceiveQueueTap(10)
    queue.insert(10, b"abc")
    with pytest.raises(ValueError, match="next"):
        queue.insert(12, b"c")


def test_timers_may_go_before_their_heap() -> None:
    heap = TimersTap()
    heap.set(TimedTap(lambda now: None), 5)
    assert heap.run(0) == 5
    with pytest.raises(TypeError):
        heap.set(None, 5)       # type: ignore[arg-type]


def test_positions_are_numbers_of_64_bits() -> None:
    with pytest.raises(OverflowError):
        RangesTap().add(-1, 5)
    with pytest.raises(OverflowError):
        RangesTap().add(0, 2**64)
