"""A handshake with our own key is another program's, unless its other end is here too."""

import asyncio

from tests.aio import in_virtual_time
from ygg.errors import RemoteClosed, SelfConnectionError
from ygg.node.links.ownkey import PAUSE, WITHIN, OwnKey


@in_virtual_time
async def test_the_other_end_of_ones_own_connection_fails_too_for_whatever_reason() -> None:
    told: list[str] = []
    for incoming in (False, True):
        for order in (False, True):
            seen = OwnKey(asyncio.get_running_loop(), told.append)
            failures = [(incoming, SelfConnectionError()), (not incoming, RemoteClosed())]
            for side, error in reversed(failures) if order else failures:
                seen.failed(side, "tcp://a:1", error)
                await asyncio.sleep(WITHIN / 2)
            await asyncio.sleep(WITHIN)
    assert told == []


@in_virtual_time
async def test_one_without_its_other_end_is_told() -> None:
    told: list[str] = []
    seen = OwnKey(asyncio.get_running_loop(), told.append)
    seen.failed(True, "tcp://b:2", RemoteClosed())
    await asyncio.sleep(2 * WITHIN)
    seen.failed(False, "tcp://a:1", RemoteClosed())
    await asyncio.sleep(2 * WITHIN)
    assert told == []
    seen.failed(False, "tcp://a:1", SelfConnectionError())
    await asyncio.sleep(2 * WITHIN)
    seen.failed(True, "tcp://c:3", SelfConnectionError())
    await asyncio.sleep(2 * WITHIN)
    whose = "has this node's key"
    assert told == [f"the peer at tcp://a:1 {whose}", f"the peer that came from tcp://c:3 {whose}"]


@in_virtual_time
async def test_nothing_is_told_after_the_end() -> None:
    told: list[str] = []
    seen = OwnKey(asyncio.get_running_loop(), told.append)
    seen.failed(False, "tcp://a:1", SelfConnectionError())
    seen.close()
    seen.failed(False, "tcp://a:1", SelfConnectionError())
    await asyncio.sleep(2 * WITHIN)
    assert told == []


@in_virtual_time
async def test_a_stranger_who_echoes_our_handshakes_is_told_of_once_a_minute() -> None:
    told: list[str] = []
    seen = OwnKey(asyncio.get_running_loop(), told.append)
    for _ in range(int(10 * PAUSE)):
        seen.failed(True, "tcp://c:3", SelfConnectionError())
        await asyncio.sleep(0.1)
    assert len(told) == 1
    seen.failed(False, "tcp://a:1", SelfConnectionError())
    await asyncio.sleep(2 * WITHIN)
    assert len(told) == 1  # for it came while the other side's failed
    await asyncio.sleep(PAUSE)
    seen.failed(True, "tcp://c:3", SelfConnectionError())
    await asyncio.sleep(2 * WITHIN)
    assert len(told) == 2
