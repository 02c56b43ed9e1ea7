"""ygg.vtun.dial: a connection attempt that fails, or is given up, leaves nothing behind."""

import asyncio
import errno

import pytest

from tests.c.stackkit import icmp_packet
from tests.expecting import raises_errno
from ygg.errors import YggError


def test_a_closed_port_refuses(with_pair):
    async def main(pair):
        with pytest.raises(ConnectionRefusedError) as caught:
            await pair.a.open_connection(pair.address_b, 9)
        assert isinstance(caught.value, YggError)
        assert caught.value.errno == errno.ECONNREFUSED
        assert pair.address_b in str(caught.value)

    with_pair(main)


def test_silence_times_out_with_etimedout(with_pair):
    async def main(pair):
        pair.wire.cut()
        pair.a.stack.syn_retries = 0
        with pytest.raises(TimeoutError) as caught:
            await pair.a.open_connection(pair.address_b, 9)
        assert caught.value.errno == errno.ETIMEDOUT

    with_pair(main)


def test_a_cancelled_dial_frees_everything(with_pair):
    async def main(pair):
        pair.wire.cut()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await pair.a.open_connection(pair.address_b, 9)
        assert pair.a.stack.endpoints() == []

    with_pair(main)


def test_our_own_closed_port_refuses(with_pair):
    async def main(pair):
        with pytest.raises(ConnectionRefusedError):
            await pair.a.open_connection(pair.address_a, 9)

    with_pair(main)


def test_one_connection_more_than_allowed_finds_no_buffers(with_pair):
    async def main(pair):
        pair.a.stack.max_connections = 0
        with raises_errno(errno.ENOBUFS):
            await pair.a.open_connection(pair.address_b, 80)

    with_pair(main)


def test_what_a_router_says_ends_dials_and_pings(with_pair):
    async def main(pair):
        def answer(packet):
            error = icmp_packet(packet[24:40], packet[8:24], 1, 3, bytes(4) + packet)
            asyncio.get_running_loop().call_soon(pair.wire.give, [error])
            return False

        pair.wire.passes = answer
        pair.a.stack.syn_retries = 0
        with raises_errno(errno.EHOSTUNREACH):
            await pair.a.open_connection(pair.address_b, 80)
        with raises_errno(errno.EHOSTUNREACH):
            await pair.a.ping(pair.address_b)

    with_pair(main)
