"""ygg.node.redial: when persistent peers are dialed again, in virtual time."""

import asyncio
import contextlib
import itertools
import math
import random

import pytest

from tests.aio import in_virtual_time
from ygg.node.redial import ATTEMPTS, GAP, LIVED, SHARE, Demand, Redial


def now() -> float:
    return asyncio.get_running_loop().time()


def pauses() -> tuple[Demand, Redial]:
    demand = Demand(asyncio.get_running_loop(), random.Random(1))
    return demand, Redial(demand, 4096)


async def rests(redial: Redial, count: int) -> list[float]:
    """Return how long the next pauses are."""
    found = []
    for _ in range(count):
        began = now()
        await redial.rest()
        found.append(now() - began)
    return found


class Outage:
    """Attempts as a kernel's TCP makes them: a SYN after 0, 1 and 3 s, given up after 5."""

    def __init__(self, back_at: float, rtt: float = 0.2) -> None:
        self.back_at = back_at
        self.rtt = rtt
        self.begun: list[float] = []
        self.dropped: list[float] = []
        self.errors: list[str] = []

    async def _dial(self) -> float:
        self.begun.append(now())
        for wait in (1.0, 2.0, 2.0):
            if now() >= self.back_at:
                await asyncio.sleep(self.rtt)
                return now()
            await asyncio.sleep(wait)
        raise TimeoutError("no answer")

    def attempt(self) -> asyncio.Task[float]:
        return asyncio.get_running_loop().create_task(self._dial())

    async def through(self, redial: Redial) -> float:
        """Dial until the peer is there; return how long after the wire came back."""
        while True:
            try:
                up = await redial.first(
                    self.attempt, self.dropped.append, lambda error: self.errors.append(str(error))
                )
            except TimeoutError:
                await redial.rest()
            else:
                return up - self.back_at


@in_virtual_time
async def test_after_a_link_that_lived_the_first_pauses_are_small() -> None:
    _, redial = pauses()
    redial.lost(LIVED - 1)
    assert await rests(redial, 3) == pytest.approx([2, 4, 8], rel=0.11)
    redial.lost(LIVED)
    assert await rests(redial, 5) == pytest.approx([0.25, 0.5, 1, 2, 4], rel=0.11)


@pytest.mark.parametrize("cut", [5, 20, 60])
@in_virtual_time
async def test_while_traffic_waits_the_peer_is_back_a_second_after_its_wire(cut: int) -> None:
    for fraction in range(10):      # wherever in a pause or an attempt the outage ends
        demand, redial = pauses()
        redial.lost(4)
        outage = Outage(now() + cut + fraction / 10)
        demand.note()
        assert await outage.through(redial) <= 1.2
        await asyncio.sleep(10)
        assert len(outage.begun) <= cut / GAP + 3


@in_virtual_time
async def test_without_traffic_the_pauses_are_as_long_as_ever() -> None:
    _, redial = pauses()
    redial.lost(4)
    outage = Outage(now() + 60)
    await outage.through(redial)
    assert len(outage.begun) <= 6


@in_virtual_time
async def test_traffic_that_begins_to_wait_ends_a_long_pause() -> None:
    demand, redial = pauses()
    await rests(redial, 4)
    pause = asyncio.create_task(redial.rest())
    await asyncio.sleep(3)
    demand.note()
    await asyncio.sleep(0.1)
    assert pause.done()
    await asyncio.sleep(100)
    assert redial.gap == math.inf   # it waits no more


@in_virtual_time
async def test_the_longer_a_peer_is_away_the_less_is_expected_of_it() -> None:
    demand, redial = pauses()
    redial.lost(100)
    for away, gap in ((10, GAP), (640, 10), (6400, 100)):
        await asyncio.sleep(redial.away_since + away - now())
        demand.note()
        assert redial.gap == pytest.approx(gap, rel=0.01)


@in_virtual_time
async def test_a_change_of_the_network_ends_a_pause_and_small_ones_follow() -> None:
    _, redial = pauses()
    await rests(redial, 8)
    pause = asyncio.create_task(redial.rest())
    await asyncio.sleep(1)
    redial.network_changed()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert pause.done()
    assert await rests(redial, 3) == pytest.approx([0.25, 0.5, 1], rel=0.11)


@in_virtual_time
async def test_a_change_of_the_network_has_another_attempt_join_one_that_nothing_answers() -> None:
    _, redial = pauses()
    outage = Outage(1.5)
    dial = asyncio.create_task(outage.through(redial))
    await asyncio.sleep(1.6)
    redial.network_changed()
    assert await dial <= 0.9        # alone it would take until 3.2
    assert len(outage.begun) == 2


@in_virtual_time
async def test_many_peers_that_are_away_share_their_pace() -> None:
    """One that is back is enough: all of them together are dialed as often as ten, and some of them at any time."""
    demand = Demand(asyncio.get_running_loop(), random.Random(1))
    redials = [Redial(demand, 4096) for _ in range(50)]
    outage = Outage(math.inf)
    under_way: set[asyncio.Task[float]] = set()
    most = 0

    def attempt() -> asyncio.Task[float]:
        nonlocal most
        under_way.add(task := outage.attempt())
        task.add_done_callback(under_way.discard)
        most = max(most, len(under_way))
        return task

    async def keep_up(redial: Redial) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await redial.first(attempt, outage.dropped.append, lambda error: None)
            await redial.rest()

    for redial in redials:
        redial.lost(100)
    demand.note()
    tasks = [asyncio.create_task(keep_up(redial)) for redial in redials]
    await asyncio.sleep(60)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert len(outage.begun) < 60 / SHARE + 100
    assert most <= 150
    gaps = [second - first for first, second in itertools.pairwise(outage.begun) if first > 20]
    assert max(gaps) < 1


@in_virtual_time
async def test_a_peer_that_ends_each_link_at_once_is_dialed_ever_more_rarely() -> None:
    demand, redial = pauses()
    dials = 0
    while now() < 3600:
        demand.note()
        dials += 1
        redial.lost(0.05)
        await redial.rest()
    assert dials < 2100             # every two seconds at last, as when nothing waits


@in_virtual_time
async def test_attempts_under_way_are_few_and_what_they_come_to_is_dropped() -> None:
    demand, redial = pauses()
    demand.note()
    dropped: list[int] = []
    begun = 0

    async def dial(number: int) -> int:
        try:
            await asyncio.sleep(100 - number)
        except asyncio.CancelledError:      # too late to be called off
            pass
        return number

    def attempt() -> asyncio.Task[int]:
        nonlocal begun
        begun += 1
        return asyncio.create_task(dial(begun))

    assert await redial.first(attempt, dropped.append, lambda error: None) == ATTEMPTS
    await asyncio.sleep(0.1)
    assert sorted(dropped) == list(range(1, ATTEMPTS))


@in_virtual_time
async def test_the_last_failure_is_raised_and_the_others_are_told() -> None:
    demand, redial = pauses()
    demand.note()
    told: list[BaseException] = []
    begun = 0

    async def dial(number: int) -> int:
        await asyncio.sleep(1)
        raise OSError(number)

    def attempt() -> asyncio.Task[int]:
        nonlocal begun
        begun += 1
        return asyncio.create_task(dial(begun))

    demand.until = now() + 0.8         # two attempts, and no third
    with pytest.raises(OSError, match="2"):
        await redial.first(attempt, lambda result: None, told.append)
    assert [str(error) for error in told] == ["1"]
