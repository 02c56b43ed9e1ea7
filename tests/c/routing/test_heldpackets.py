"""How many packets wait for paths."""

from tests.c.farside import Clock, FarSide
from tests.c.routing.test_path_limits import invented
from ygg_c.base import live


def test_packets_that_wait_are_bounded_by_the_memory_they_take(clock: Clock, children: list[FarSide]) -> None:
    """Small ones take two KiB each, and those of ten KiB as much as the largest."""
    before = live.counts()["packet"]
    for number in range(5000):
        for _ in range(8):
            clock.router.send(invented(number), bytes(1 if number < 3000 else 10_000))
        if number % 100 == 0:
            clock.turn()
    clock.turn()
    for child in children:
        child.frames.clear()
    assert 2000 < live.counts()["packet"] - before <= 2**23 / 2048
