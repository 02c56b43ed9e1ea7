"""ygg.network.accept_queue: bounded, closable, loses nothing."""

import asyncio

import pytest

from tests.aio import on_loops, settle
from ygg.errors import ListenerClosed
from ygg.network.accept_queue import AcceptQueue


@on_loops
async def test_items_come_in_order_and_producers_wait_for_room() -> None:
    box: AcceptQueue[int] = AcceptQueue(2)
    tasks = [asyncio.ensure_future(box.put(number)) for number in range(5)]
    await settle()
    assert len(box) == 2
    assert sorted([await box.get() for _ in range(5)]) == [0, 1, 2, 3, 4]
    await asyncio.gather(*tasks)


@on_loops
async def test_a_consumer_that_gives_up_takes_nothing() -> None:
    box: AcceptQueue[int] = AcceptQueue(1)
    waiting = asyncio.ensure_future(box.get())
    await settle()
    await box.put(1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert await box.get() == 1


@on_loops
async def test_closing_wakes_all_and_returns_the_rest() -> None:
    full: AcceptQueue[int] = AcceptQueue(1)
    await full.put(1)
    producer = asyncio.ensure_future(full.put(2))
    empty: AcceptQueue[int] = AcceptQueue(1)
    consumer = asyncio.ensure_future(empty.get())
    await settle()
    assert full.close() == [1]
    assert empty.close() == []
    for task in (producer, consumer):
        with pytest.raises(ListenerClosed):
            await task
    with pytest.raises(ListenerClosed):
        await full.get()


@on_loops
async def test_who_waits_longest_comes_first() -> None:
    queue: AcceptQueue[int] = AcceptQueue(1)
    putting = [asyncio.ensure_future(queue.put(number)) for number in range(50)]
    await asyncio.sleep(0)
    assert [await queue.get() for _ in range(50)] == list(range(50))
    await asyncio.gather(*putting)
    getting = [asyncio.ensure_future(queue.get()) for _ in range(50)]
    await asyncio.sleep(0)
    for number in range(50):
        await queue.put(number)
    assert await asyncio.gather(*getting) == list(range(50))
