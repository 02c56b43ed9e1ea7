"""Servers on a VTun."""

import asyncio
import errno
import sys

import pytest

from tests.aio import until
from tests.expecting import raises_errno


async def _nothing(reader, writer):
    writer.close()


def test_ports_are_allocated_and_taken(with_pair):
    async def main(pair):
        first = await pair.b.start_server(_nothing)
        port = first.sockets[0].getsockname()[1]
        assert 0 < port < 65536
        with raises_errno(errno.EADDRINUSE):
            await pair.b.start_server(_nothing, port=port)
        first.close()
        await first.wait_closed()
        assert first.sockets == ()
        second = await pair.b.start_server(_nothing, port=port)
        second.close()

    with_pair(main)


def test_only_own_addresses_can_be_bound(with_pair):
    async def main(pair):
        server = await pair.b.start_server(_nothing, pair.address_b, 80)
        assert server.sockets[0].getsockname() == (pair.address_b, 80, 0, 0)
        server.close()
        with raises_errno(errno.EADDRNOTAVAIL):
            await pair.b.start_server(_nothing, "200:cccc::1", 80)
        with raises_errno(errno.EADDRNOTAVAIL):
            await pair.b.start_server(_nothing, [pair.address_b, "200:cccc::1"], 81)
        again = await pair.b.start_server(_nothing, [pair.address_b], 81)
        again.close()

    with_pair(main)


def test_a_host_named_twice_counts_once_and_any_backlog_will_do(with_pair):
    async def main(pair):
        async with await pair.b.start_server(_nothing, [pair.address_b, pair.address_b], 80, backlog=0) as server:
            assert len(server.sockets) == 1
            reader, writer = await pair.a.open_connection(pair.address_b, 80)
            assert await reader.read() == b""
            writer.close()

    with_pair(main)


def test_a_server_started_later_refuses_until_then(with_pair):
    async def main(pair):
        server = await pair.b.start_server(_nothing, port=80, start_serving=False)
        assert not server.is_serving()
        with raises_errno(errno.EADDRINUSE):
            await pair.b.start_server(_nothing, port=80)
        with pytest.raises(ConnectionRefusedError):
            await pair.a.open_connection(pair.address_b, 80)
        await server.start_serving()
        assert server.is_serving()
        reader, writer = await pair.a.open_connection(pair.address_b, 80)
        assert await reader.read() == b""
        writer.close()
        server.close()

    with_pair(main)


def test_serve_forever_until_cancelled(with_pair):
    async def main(pair):
        server = await pair.b.start_server(_nothing, port=80)
        task = asyncio.ensure_future(server.serve_forever())
        reader, writer = await pair.a.open_connection(pair.address_b, 80)
        assert await reader.read() == b""
        writer.close()
        with pytest.raises(RuntimeError, match="already"):
            await server.serve_forever()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not server.is_serving()
        with pytest.raises(RuntimeError, match="closed"):
            await server.serve_forever()
        with pytest.raises(ConnectionRefusedError):
            await pair.a.open_connection(pair.address_b, 80)

    with_pair(main)


def test_closing_a_server_leaves_its_connections(with_pair):
    async def main(pair):
        writers = []

        async def handle(reader, writer):
            writers.append(writer)

        server = await pair.b.start_server(handle, port=80)
        reader, writer = await pair.a.open_connection(pair.address_b, 80)
        writer.write(b"x")
        await until(lambda: writers)
        server.close()
        if sys.version_info < (3, 12):
            await server.wait_closed()
        writers[0].write(b"still here")
        assert await reader.readexactly(10) == b"still here"
        server.close_clients()
        assert await reader.read() == b""
        writer.close()
        await server.wait_closed()

    with_pair(main)


def test_aborted_clients_are_reset(with_pair):
    async def main(pair):
        accepted = []

        async def handle(reader, writer):
            accepted.append(writer)     # from Python 3.13 on a writer that nobody holds closes its connection

        server = await pair.b.start_server(handle, port=80, linger=0)
        reader, writer = await pair.a.open_connection(pair.address_b, 80)
        await until(lambda: accepted)
        server.abort_clients()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        server.close()
        writer.close()

    with_pair(main)


def test_a_factory_that_raises_costs_one_connection(with_pair):
    async def main(pair):
        made = []

        def factory():
            made.append(1)
            if len(made) == 1:
                raise RuntimeError("no protocol today")
            return asyncio.Protocol()

        server = await pair.b.create_server(factory, port=80)
        async def dial():
            reader, writer = await pair.a.open_connection(pair.address_b, 80)
            try:
                await reader.read()
            finally:
                writer.close()

        with pytest.raises(ConnectionResetError):       # by the dial, or after it
            await dial()
        transport, _ = await pair.a.create_connection(asyncio.Protocol, pair.address_b, 80)
        await until(lambda: len(made) == 2)
        assert not transport.is_closing()
        transport.close()
        server.close()

    with_pair(main, expect=1)


def test_many_connections_at_once(with_pair):
    async def main(pair):
        async def handle(reader, writer):
            writer.write(await reader.read())
            writer.close()

        async def client(number):
            reader, writer = await pair.a.open_connection(pair.address_b, 80)
            writer.write(str(number).encode())
            writer.write_eof()
            assert await reader.read() == str(number).encode()
            writer.close()
            await writer.wait_closed()

        async with await pair.b.start_server(handle, port=80):
            await asyncio.gather(*(client(number) for number in range(200)))

    with_pair(main)
