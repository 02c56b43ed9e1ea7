"""ygg.integrations.lifetime: a body that runs no longer than a task."""

import asyncio

import pytest

from tests.aio import on_loops
from ygg.integrations.lifetime import while_running


@on_loops
async def test_the_body_ends_first() -> None:
    task = asyncio.create_task(asyncio.Event().wait())
    async with while_running(task):
        pass
    assert not task.done()
    task.cancel()
    await asyncio.wait({task})
    await asyncio.sleep(0)


@on_loops
async def test_the_task_ends_first() -> None:
    task = asyncio.create_task(asyncio.sleep(0))
    async with while_running(task):
        await asyncio.Event().wait()
    assert task.done()


@on_loops
async def test_a_timeout_of_the_body_is_its_own() -> None:
    task = asyncio.create_task(asyncio.Event().wait())
    with pytest.raises(TimeoutError):
        async with while_running(task):
            raise TimeoutError
    task.cancel()
    await asyncio.wait({task})
