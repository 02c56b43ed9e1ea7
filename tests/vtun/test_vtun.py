"""ygg.vtun.vtun: asyncio's calls on overlay addresses, and what comes of its end."""

import asyncio
import errno

import pytest

from tests.aio import until
from tests.expecting import raises_errno
from tests.vtun.test_stream import Recorder, connect


def test_bad_arguments(with_pair):
    async def main(pair):
        with pytest.raises(ValueError, match="host and port"):
            await pair.a.create_connection(Recorder)
        with pytest.raises(OverflowError):
            await pair.a.open_connection(pair.address_b, 65536)
        with pytest.raises(ValueError, match="only meaningful with ssl"):
            await pair.a.open_connection(pair.address_b, 80, server_hostname="x")
        with pytest.raises(ValueError, match="sock must be None"):
            await pair.a.create_connection(Recorder, sock=object())
        with raises_errno(errno.EADDRNOTAVAIL):
            await pair.a.open_connection(pair.address_b, 80, local_addr=("200:cccc::1", 0))

    with_pair(main)


def test_closing_the_vtun_delivers_what_was_written_and_ends_the_rest(with_pair):
    async def main(pair):
        there, here, server = await connect(pair)
        reader, writer = await pair.a.open_connection(pair.address_b, server.sockets[0].getsockname()[1])
        here.transport.write(bytes(1_000_000))
        await pair.a.close()
        assert isinstance(await here.lost, ConnectionAbortedError)
        with pytest.raises(ConnectionAbortedError):
            await reader.read()
        await until(lambda: len(there.data) == 1_000_000)
        await there.lost
        with pytest.raises(OSError, match="closed"):
            await pair.a.open_connection(pair.address_b, 80)
        server.close()
        writer.close()

    with_pair(main)


def test_closing_the_vtun_is_bounded_when_the_peer_is_gone(with_pair):
    async def main(pair):
        there, here, server = await connect(pair)
        dial = asyncio.ensure_future(pair.a.open_connection("200:dddd::1", 80))
        await asyncio.sleep(0)
        pair.wire.cut()
        here.transport.write(b"never arrives")
        await pair.a.close(grace=0.05)          # without a bound it would take minutes
        with pytest.raises(ConnectionAbortedError):
            await dial
        assert pair.a.stack.endpoints() == []
        server.close()
        there.transport.abort()

    with_pair(main)


def test_a_vtun_reaches_itself(with_pair):
    async def main(pair):
        async def handle(reader, writer):
            writer.write(await reader.read())
            writer.close()

        async with await pair.a.start_server(handle, port=80):
            packets = pair.wire.packets
            reader, writer = await pair.a.open_connection(pair.address_a, 80)
            writer.write(b"to myself")
            writer.write_eof()
            assert await reader.read() == b"to myself"
            writer.close()
            assert pair.wire.packets == packets

    with_pair(main)
