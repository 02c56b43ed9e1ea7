"""ygg.node.links.tasks: what runs is kept, cancelled together, and heard of when it fails alone."""

import asyncio
from typing import Any

import pytest

from tests.aio import on_loops, settle
from ygg.node.links.tasks import Tasks


async def fail() -> None:
    raise LookupError("on purpose")


@on_loops
async def test_all_are_cancelled_but_those_that_are_done() -> None:
    tasks = Tasks(asyncio.get_running_loop())
    done, waiting = tasks.start(asyncio.sleep(0)), tasks.start_alone(asyncio.sleep(3600))
    await done
    assert tasks.cancel() == [waiting]
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
    await settle()
    assert tasks.cancel() == []


@on_loops
async def test_a_failure_is_told_to_who_awaits_it_or_to_the_loop() -> None:
    loop = asyncio.get_running_loop()
    told: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: told.append(context))
    tasks = Tasks(loop)
    with pytest.raises(LookupError):
        await tasks.start(fail())
    assert told == []
    tasks.start_alone(fail())
    await settle()
    assert [type(context["exception"]) for context in told] == [LookupError]
