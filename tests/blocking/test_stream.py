"""A connection that blocks: reads, writes, ends and timeouts."""

import asyncio

import pytest

from tests.blocking.pair import pair
from ygg.blocking import BlockingStream
from ygg.errors import ConnectionRefused


def shout(stream: BlockingStream) -> None:
    for line in stream:
        stream.write(line.upper())


def test_lines_and_the_end() -> None:
    with pair() as (server, client), server.start_server(shout) as listening:
        with client.open_connection(server.address, listening.port, timeout=30) as stream:
            assert stream.public_key == server.public_key
            assert stream.get_extra_info("peername")[1] == listening.port
            stream.write(b"one\ntwo\nthree|four\n", timeout=30)
            assert stream.readline(30) == b"ONE\n"
            assert stream.readexactly(4, 30) == b"TWO\n"
            assert stream.readuntil(b"|", 30) == b"THREE|"
            assert stream.read(3, 30) == b"FOU"
            with pytest.raises(TimeoutError):
                stream.readexactly(3, 0.05)
            assert stream.readexactly(2, 30) == b"R\n"
            stream.write_eof()
            assert stream.read(timeout=30) == b""
            with pytest.raises(asyncio.IncompleteReadError):
                stream.readexactly(1, 30)
        stream.close()
    stream.close()
    stream.abort()


def test_a_slow_reader_slows_the_writer_down() -> None:
    with (
        pair() as (server, client),
        server.start_server(lambda stream: stream.read(1) and stream.read()) as listening,
        client.open_connection(server.address, listening.port) as stream,
    ):
        for _ in range(64):
            stream.write(bytes(1 << 20), timeout=60)


def test_refused() -> None:
    with pair() as (server, client), pytest.raises(ConnectionRefused):
        client.open_connection(server.address, 9, timeout=30)
