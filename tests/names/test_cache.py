"""ygg.names.cache: how long answers are kept, and who shares a question."""

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address

import pytest

from tests.aio import in_virtual_time
from ygg.errors import ResolveError, TemporaryResolveError
from ygg.names import Answer, Kind
from ygg.names import cache as module
from ygg.names.cache import Cache, Key

ADDRESS = IPv6Address("200::1")
KEY: Key = ("name.ygg", Kind.AAAA)


class Asked:
    """Counts questions, and answers after a second."""

    def __init__(self, outcome: Answer | Exception) -> None:
        self.outcome, self.times, self.cancelled = outcome, 0, 0

    async def __call__(self) -> Answer:
        self.times += 1
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.mark.parametrize(("said", "kept"), [(0, 30), (100, 100), (10**9, 3600)])
def test_addresses_are_kept_as_the_server_says_within_bounds(said: float, kept: float) -> None:
    @in_virtual_time
    async def main() -> None:
        cache, asked = Cache(), Asked(Answer((ADDRESS,), said))
        assert await cache.get(KEY, asked) == Answer((ADDRESS,), kept)
        await asyncio.sleep(kept - 1)
        assert await cache.get(KEY, asked) == Answer((ADDRESS,), 1)
        assert asked.times == 1
        await asyncio.sleep(1)
        await cache.get(KEY, asked)
        assert asked.times == 2
        cache.clear()
        await cache.get(KEY, asked)
        assert asked.times == 3

    main()


@pytest.mark.parametrize(("outcome", "times"), [
    (ResolveError("no such host"), 1), (TemporaryResolveError(), 2), (Answer((), 1e9), 1),
])
def test_that_there_is_none_is_kept_for_a_minute(outcome: Answer | Exception, times: int) -> None:
    async def get(cache: Cache, asked: Callable[[], Awaitable[Answer]]) -> None:
        if isinstance(outcome, Exception):
            with pytest.raises(type(outcome)):
                await cache.get(KEY, asked)
        else:
            assert not (await cache.get(KEY, asked)).addresses

    @in_virtual_time
    async def main() -> None:
        cache, asked = Cache(), Asked(outcome)
        await get(cache, asked)
        await asyncio.sleep(58)
        await get(cache, asked)
        assert asked.times == times
        await asyncio.sleep(62)
        await get(cache, asked)
        assert asked.times == times + 1
        assert not cache.asking

    main()


@in_virtual_time
async def test_a_question_is_shared_and_ends_with_the_last_who_waits() -> None:
    cache, asked = Cache(), Asked(Answer((ADDRESS,), 60))
    first, second = (asyncio.create_task(cache.get(KEY, asked)) for _ in range(2))
    await asyncio.sleep(0.5)
    first.cancel()
    assert (await second).addresses == (ADDRESS,)
    assert (asked.times, asked.cancelled) == (1, 0)
    cache.clear()
    alone = asyncio.create_task(cache.get(KEY, asked))
    await asyncio.sleep(0.5)
    alone.cancel()
    again = asyncio.create_task(cache.get(KEY, asked))  # finds the question that ends no more
    with pytest.raises(asyncio.CancelledError):
        await alone
    assert (await again).addresses == (ADDRESS,)
    assert (asked.times, asked.cancelled) == (3, 1)
    assert not cache.asking


@in_virtual_time
async def test_what_is_kept_and_asked_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    cache, asked = Cache(2), Asked(Answer((ADDRESS,), 60))
    for name in ("a", "b", "a", "c"):
        await cache.get((name, Kind.AAAA), asked)
    assert (len(cache), asked.times) == (2, 3)
    await cache.get(("a", Kind.AAAA), asked)
    assert asked.times == 3
    monkeypatch.setattr(module, "MOST_ASKED", 2)
    waiting = [asyncio.create_task(cache.get((name, Kind.A), asked)) for name in ("a", "b")]
    await asyncio.sleep(0.1)
    with pytest.raises(TemporaryResolveError, match="2 names are being asked for"):
        await cache.get(("c", Kind.A), asked)
    await asyncio.gather(*waiting)
