"""ygg.apps.chat: lines between two nodes."""

import asyncio
from collections.abc import AsyncIterator
from ipaddress import IPv6Address

from tests.aio import on_loops, settle, until
from tests.apps.pair import streams, two
from ygg.apps import chat
from ygg.apps.messages import LONGEST


class Person:
    """Says what the test has them say, and keeps what is shown."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.asked: list[IPv6Address] = []
        self._says: asyncio.Queue[str | None] = asyncio.Queue()

    def say(self, line: str | None) -> None:
        self._says.put_nowait(line)

    async def __aiter__(self) -> AsyncIterator[str]:
        while (line := await self._says.get()) is not None:
            yield line

    async def accept(self, caller: IPv6Address) -> bool:
        self.asked.append(caller)
        return len(self.asked) > 1


@on_loops
async def test_two_talk_when_the_call_is_accepted() -> None:
    one, other = Person(), Person()
    async with two() as nodes:
        waiting = asyncio.create_task(chat.wait(nodes.a, one.accept, one, one.shown.append))
        await settle()
        address = str(nodes.a.address)
        await chat.call(nodes.b, address, Person(), other.shown.append)      # is not accepted
        calling = asyncio.create_task(chat.call(nodes.b, address, other, other.shown.append))
        other.say("hello, ü")
        await until(lambda: one.shown)
        one.say("\x1b[2Jback")
        await until(lambda: other.shown)
        other.say(None)
        await asyncio.gather(waiting, calling)
    assert one.asked == [nodes.b.address] * 2
    assert (one.shown, other.shown) == (["hello, ü"], ["�[2Jback"])


@on_loops
async def test_a_line_without_end_ends_it() -> None:
    person = Person()
    async with two() as nodes:
        (reader, writer), (_, back) = await streams(nodes.a, nodes.b)
        back.write(b"x" * 40 * LONGEST)
        await chat.talk(reader, writer, person, person.shown.append)
        writer.close()
        back.close()
    assert person.shown == []
