"""Pings between two VTuns."""

import asyncio
import errno

import pytest

from ygg.errors import AddressNotAvailable, MessageTooBig
from ygg.vtun import ping as ping_module
from ygg_c.base.clock import Clock
from ygg_c.base.sodium import Random


def test_ping_returns_seconds(with_pair):
    async def main(pair):
        rtt = await pair.a.ping(pair.address_b)
        assert 0 < rtt < 30
        assert await pair.a.ping(pair.b.addresses[0], size=0) < 30
        assert pair.a.stack.endpoints() == []

    with_pair(main)


def test_silence_is_a_timeout(with_pair):
    async def main(pair):
        with pytest.raises(TimeoutError) as caught:
            await pair.a.ping("200:dddd::1", timeout=0.02)
        assert caught.value.errno == errno.ETIMEDOUT
        assert pair.a.stack.endpoints() == []

    with_pair(main)


def test_a_lost_request_is_repeated(with_pair, monkeypatch):
    async def main(pair):
        monkeypatch.setattr(ping_module, "INTERVAL", 0.01)
        start = pair.wire.packets
        pair.wire.passes = lambda packet: pair.wire.packets > start + 2
        assert await pair.a.ping(pair.address_b) < 30

    with_pair(main)


def test_closing_the_vtun_ends_a_ping(with_pair):
    async def main(pair):
        waiting = asyncio.ensure_future(pair.a.ping("200:dddd::1", timeout=None))
        await asyncio.sleep(0)
        await pair.a.close()
        with pytest.raises(ConnectionAbortedError):
            await waiting

    with_pair(main)


def test_hosts_outside_the_overlay_are_unreachable(with_pair):
    async def main(pair):
        with pytest.raises(OSError, match="not in 200::/7"):
            await pair.a.ping("2001:db8::1")

    with_pair(main)


@pytest.mark.parametrize("size", [1280 - 40 - 8 + 1, 70000])
def test_a_ping_larger_than_the_mtu_is_too_big(with_pair, size):
    async def main(pair):
        assert await pair.a.ping(pair.address_b, size=1280 - 40 - 8) < 30
        with pytest.raises(MessageTooBig):
            await pair.a.ping(pair.address_b, size=size, dont_fragment=True)
        assert pair.a.stack.endpoints() == []

    with_pair(main, mtu=1280)


@pytest.mark.parametrize("size", [1233, 30_000, 65_487, 65_488, 65_527])
def test_larger_pings_go_in_fragments(with_pair, size):
    async def main(pair):
        assert await pair.a.ping(pair.address_b, size=size) < 30
        with pytest.raises(MessageTooBig):
            await pair.a.ping(pair.address_b, size=65_528)

    with_pair(main, mtu=1280)


def test_an_unanswered_ping_asks_for_another_way(with_pair, monkeypatch):
    async def main(pair):
        monkeypatch.setattr(ping_module, "INTERVAL", 0.01)
        told = []
        pair.wire.tap(pair.address_a).on_suspect = told.append
        assert await pair.a.ping(pair.address_b) < 30
        assert told == []
        pair.wire.passes = lambda packet: False
        with pytest.raises(TimeoutError):
            await pair.a.ping(pair.address_b, timeout=0.1)
        assert set(told) == {pair.b.addresses[0].packed}

    with_pair(main)


def test_a_ping_for_which_no_identifier_is_free(with_pair, monkeypatch):
    class Full:
        """A stack with all 65536 taken, which takes seconds to come to."""

        clock, random = Clock(), Random()

        def set_clock(self, now):
            pass

        def echo(self):
            raise OSError(errno.EADDRNOTAVAIL, "as the stack raises it")

    async def main(pair):
        await pair.a.ping(pair.address_b)   # with the real stack all that comes before
        with monkeypatch.context() as patch:
            patch.setattr(pair.a, "_stack", Full())
            with pytest.raises(AddressNotAvailable):
                await pair.a.ping(pair.address_b)

    with_pair(main)
