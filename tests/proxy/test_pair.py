"""ygg.proxy.pair: two connections as one, above all where they end in an unusual order."""

import asyncio

from tests.aio import on_loops, settle, until
from tests.proxy.ends import backend
from ygg.proxy.pair import SPACE, Pair, Space
from ygg.stream.held import HoldingProtocol


async def held(port: int) -> asyncio.Transport:
    transport, _ = await asyncio.get_running_loop().create_connection(HoldingProtocol, "127.0.0.1", port)
    return transport


@on_loops
async def test_what_came_before_comes_first() -> None:
    async with backend() as (port, served):
        near, far = await held(port), await held(port)
        await until(lambda: len(served) == 2)
        served[0].transport.write(b"early")
        served[0].transport.write_eof()
        await settle()
        over: list[None] = []
        pair = Pair(near, far, Space(), lambda: over.append(None))
        pair.start()
        await until(lambda: served[1].eof)
        assert served[1].data == b"early"
        assert pair.half_closed
        assert pair.count == 5
        served[1].transport.close()
        await until(lambda: served[0].over.done() or served[0].eof)
        await until(lambda: over)
        served[0].transport.abort()


@on_loops
async def test_one_that_is_lost_before_it_starts_takes_the_other_with_it() -> None:
    async with backend() as (port, served):
        near, far = await held(port), await held(port)
        await until(lambda: len(served) == 2)
        near.abort()
        await settle()
        over: list[None] = []
        Pair(near, far, Space(), lambda: over.append(None)).start()
        await until(lambda: over)
        assert isinstance(await served[1].over, ConnectionResetError)


@on_loops
async def test_aborted_twice() -> None:
    async with backend() as (port, served):
        over: list[None] = []
        pair = Pair(await held(port), await held(port), Space(), lambda: over.append(None))
        pair.start()
        await until(lambda: len(served) == 2)
        pair.abort()
        pair.abort()
        await until(lambda: over)
        pair.abort()
        assert over == [None]


def test_a_buffer_that_was_kept_is_not_written_to_again() -> None:
    space = Space()
    kept = space.view
    assert len(kept) == SPACE
    space.renew()
    space.view[:1] = b"x"
    assert kept[:1] == b"\0"
