"""ygg.network.native.suspends: what is told when the clocks say that the machine has slept."""

import asyncio
import sys
import time

import pytest

from tests.aio import run
from ygg.network.native import suspends
from ygg.network.native.suspends import LEAST, LOOK, Suspends


def times_told(*naps: float, every: float = 10.0) -> list[float]:
    """Return after how many seconds it is told, of a machine that sleeps so long, every so often, while the loop's time
    stands still."""
    told: list[float] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        asleep = 1000.0
        watched = Suspends(loop, lambda: told.append(loop.time()), lambda: asleep)
        for nap in naps:
            await asyncio.sleep(every)
            asleep += nap
        await asyncio.sleep(every)
        watched.close()
        asleep += 1000
        await asyncio.sleep(every)

    run(main(), "virtual")
    return told


def test_each_time_is_told_once_and_soon_and_none_after_the_end() -> None:
    told = times_told(LEAST, 3600, 86400)
    assert len(told) == 3
    for began, at in zip((10, 20, 30), told, strict=True):
        assert began <= at <= began + LOOK


@pytest.mark.parametrize("naps", [(), (0.9 * LEAST, 0.9 * LEAST), (-3600, -1)])
def test_short_naps_and_clocks_that_are_set_back_are_not_told(naps: tuple[float, ...]) -> None:
    assert not times_told(*naps)


def test_a_clock_that_was_set_back_hides_nothing_that_follows() -> None:
    assert len(times_told(-3600, 60)) == 1


@pytest.mark.parametrize("platform", [sys.platform, "darwin"])
def test_the_systems_clocks_agree_while_the_machine_is_awake(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    before = suspends.slept()
    assert suspends.slept() == pytest.approx(before, abs=2)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the time of day is read")
def test_on_linux_it_is_the_time_since_boot_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of day may be set as one likes."""
    clocks = {time.CLOCK_BOOTTIME: 5000.0, time.CLOCK_MONOTONIC: 1400.0}
    monkeypatch.setattr(time, "clock_gettime", clocks.__getitem__)
    assert suspends.slept() == 3600
