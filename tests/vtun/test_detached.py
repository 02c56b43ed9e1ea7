"""A VTun with nothing below: what is open still ends in time, and goes on when it is attached."""

import asyncio
import errno
import gc
import socket

import pytest

from tests.aio import on_loops, run, settle, until
from tests.expecting import raises_errno
from tests.vtunpair import ADDRESS_A, ADDRESS_B
from ygg.simulation import Switch
from ygg.vtun import VTun
from ygg_c.base import live


@on_loops
async def test_a_dial_times_out_with_etimedout():
    async with VTun([ADDRESS_A]) as vtun:
        vtun.stack.syn_retries = 0
        with raises_errno(errno.ETIMEDOUT):
            await vtun.open_connection(ADDRESS_B, 80)
        assert vtun.stack.endpoints() == []


def test_each_loop_it_is_used_from_gives_it_turns():
    vtun = VTun([ADDRESS_A])
    vtun.stack.syn_retries = 0

    async def dial():
        with raises_errno(errno.ETIMEDOUT):
            await vtun.open_connection(ADDRESS_B, 80)
        waiting = asyncio.ensure_future(vtun.open_connection(ADDRESS_B, 80))
        await settle(1)         # which leaves the stack waiting for a turn
        waiting.cancel()

    for _ in range(2):      # not by asyncio.run, which would find the timer that a VTun left open has
        loop = asyncio.new_event_loop()
        loop.run_until_complete(dial())
        loop.run_until_complete(settle(1))
        loop.close()
    run(vtun.close())


@on_loops
async def test_a_dial_goes_on_when_attached():
    async with VTun([ADDRESS_A]) as here, VTun([ADDRESS_B]) as there:
        async with await there.start_server(lambda reader, writer: writer.close(), port=80):
            dial = asyncio.ensure_future(here.open_connection(ADDRESS_B, 80))
            await until(lambda: here.stack.counters()["no_link"])
            wire = Switch([here.upper, there.upper])
            reader, writer = await dial
            assert await reader.read() == b""
            writer.close()
            await here.close()
        wire.close()


def test_the_user_timeout_ends_a_connection(with_pair):
    async def main(pair):
        pair.a.stack.min_rto = 5_000_000
        async with await pair.b.start_server(lambda reader, writer: writer.close(), port=80):
            _, writer = await pair.a.open_connection(pair.address_b, 80)
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 50)
            pair.wire.close()
            writer.write(b"held back")
            with pytest.raises(TimeoutError) as caught:
                await writer.wait_closed()
            assert caught.value.errno == errno.ETIMEDOUT

    with_pair(main)


@on_loops
async def test_its_own_address_is_there_all_the_same():
    async with VTun([ADDRESS_A]) as vtun:
        async with await vtun.start_server(lambda reader, writer: writer.close(), port=80):
            reader, writer = await vtun.open_connection(ADDRESS_A, 80)
            assert await reader.read() == b""
            writer.close()
        assert await vtun.ping(ADDRESS_A) > 0


@on_loops
async def test_what_was_given_up_is_freed():
    async with VTun([ADDRESS_A]) as vtun:
        for _ in range(20):
            for attempt in (vtun.open_connection(ADDRESS_B, 80), vtun.ping(ADDRESS_B, timeout=0.001)):
                task = asyncio.ensure_future(attempt)
                await settle(1)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                del task
            async with await vtun.open_datagram() as udp:
                sending = asyncio.ensure_future(udp.sendto(b"x", (ADDRESS_B, 9)))
                await settle(1)
            with pytest.raises(ConnectionAbortedError):
                await sending
        del attempt, udp, sending
        await settle()
        gc.collect()
        assert (live.counts()["tcp"], live.counts()["udp"]) == (0, 0)


def test_what_is_thrown_away_after_the_loop_has_ended_does_no_harm():
    async def main():
        vtun = VTun([ADDRESS_A])
        return await vtun.open_datagram(), (await vtun.start_server(lambda reader, writer: None, port=80)), vtun

    udp, server, vtun = run(main())
    udp.close()
    server.close()
    vtun.stack.close()
