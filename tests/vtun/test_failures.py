"""The errors that programs hear on TCP: those that a socket would give."""

import errno
import socket

import pytest

from tests.aio import settle, until
from tests.expecting import raises_errno
from ygg.errors import YggError


async def _hold(pair):
    """Return (server, writers of the connections it accepted) of a server on b that says nothing."""
    writers = []

    async def handle(reader, writer):
        writers.append(writer)

    return await pair.b.start_server(handle, port=80), writers


@pytest.mark.parametrize("host", ["fe80::1", "::1", "2001:db8::1", "400::1"])
def test_hosts_outside_the_overlay_are_unreachable(with_pair, host):
    async def main(pair):
        with pytest.raises(OSError, match="not in 200::/7") as caught:
            await pair.a.open_connection(host, 80)
        assert caught.value.errno == errno.EHOSTUNREACH

    with_pair(main)


def test_a_name_raises_as_resolution_does(with_pair):
    async def main(pair):
        with pytest.raises(socket.gaierror):
            await pair.a.open_connection("example.org", 80)

    with_pair(main)


def test_port_zero_is_no_destination(with_pair):
    async def main(pair):
        with raises_errno(errno.EADDRNOTAVAIL):
            await pair.a.open_connection(pair.address_b, 0)

    with_pair(main)


def test_ends_in_use_are_taken(with_pair):
    async def main(pair):
        async with await pair.b.start_server(lambda reader, writer: writer.close(), port=80):
            reader, writer = await pair.a.open_connection(pair.address_b, 80, local_addr=(None, 4321))
            with raises_errno(errno.EADDRINUSE):
                await pair.a.open_connection(pair.address_b, 80, local_addr=(None, 4321))
            assert await reader.read() == b""
            writer.close()

    with_pair(main)


def test_a_peer_that_vanished_is_a_timeout_for_reader_and_writer(with_pair):
    async def main(pair):
        server, writers = await _hold(pair)
        reader, writer = await pair.a.open_connection(pair.address_b, 80)
        await until(lambda: writers)
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 50)
        pair.a.stack.min_rto = 5_000_000
        pair.wire.cut()
        writer.write(b"anybody?")
        with pytest.raises(TimeoutError) as caught:
            await reader.read()
        assert caught.value.errno == errno.ETIMEDOUT
        assert isinstance(caught.value, YggError)
        with pytest.raises(TimeoutError):
            await writer.drain()
        server.close()
        server.abort_clients()

    with_pair(main)


def test_a_reset_is_told_to_reader_and_writer(with_pair):
    async def main(pair):
        server, writers = await _hold(pair)
        reader, writer = await pair.a.open_connection(pair.address_b, 80)
        await until(lambda: writers)
        writers[0].get_extra_info("options").linger = 0
        server.abort_clients()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.write(b"too late")
        with pytest.raises(ConnectionResetError):
            await writer.drain()
        with pytest.raises(ConnectionResetError):
            await writer.wait_closed()
        server.close()

    with_pair(main)


def test_writing_to_a_peer_that_closed_is_a_reset(with_pair):
    async def main(pair):
        server, writers = await _hold(pair)
        reader, writer = await pair.a.open_connection(pair.address_b, 80)
        await until(lambda: writers)
        writers[0].close()
        assert await reader.read() == b""

        async def write():
            while True:
                writer.write(b"into the void")
                await writer.drain()
                await settle()

        with pytest.raises(ConnectionResetError):
            await write()
        server.close()

    with_pair(main)


def test_nothing_opens_on_a_closed_vtun(with_pair):
    async def main(pair):
        await pair.a.close()
        for attempt in (
            pair.a.open_connection(pair.address_b, 80),
            pair.a.start_server(lambda reader, writer: None, port=80),
            pair.a.open_datagram(),
            pair.a.ping(pair.address_b),
        ):
            with raises_errno(errno.ENETDOWN):
                await attempt

    with_pair(main)
