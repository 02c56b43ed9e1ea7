"""ygg.integrations.routed.sockets: a program's sockets that stand for something on the overlay."""

import asyncio
import gc
import socket
import threading
import warnings

import pytest

from tests.aio import until
from ygg.integrations.routed import listening_socket, routed
from ygg.integrations.routed.sockets import Stream, stand, standing, take
from ygg.stream.held import HoldingProtocol, take_over


async def standing_pair(pair):
    """Return a socket that stands for a connection, and the streams of its other side."""
    accepted = asyncio.get_running_loop().create_future()
    server = await pair.b.start_server(lambda *streams: accepted.set_result(streams), port=80)
    sock = socket.socket(socket.AF_INET6)
    sock.setblocking(False)
    with routed(pair.a):
        await asyncio.get_running_loop().sock_connect(sock, (pair.address_b, 80))
    reader, writer = await accepted
    server.close()
    return sock, reader, writer


def test_it_stays_what_it_was(with_pair):
    async def main(pair):
        sock, _, writer = await standing_pair(pair)
        assert isinstance(sock, socket.socket)
        assert (sock.family, sock.type, sock.gettimeout()) == (socket.AF_INET6, socket.SOCK_STREAM, 0)
        assert isinstance(standing(sock), Stream)
        sock.close()
        sock.close()
        writer.close()

    with_pair(main)


def test_closing_it_unused_closes_the_connection(with_pair):
    async def main(pair):
        sock, reader, writer = await standing_pair(pair)
        sock.close()
        assert await reader.read() == b""
        writer.close()

    with_pair(main)


def test_so_does_forgetting_it(with_pair):
    async def main(pair):
        sock, reader, writer = await standing_pair(pair)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            del sock
            gc.collect()
        assert await reader.read() == b""
        writer.close()

    with_pair(main)


def test_its_descriptor_can_be_polled(with_pair):
    async def main(pair):
        loop = asyncio.get_running_loop()
        sock, _, writer = await standing_pair(pair)
        readable = loop.create_future()
        loop.add_reader(sock, lambda: readable.done() or readable.set_result(None))
        writer.write(b"word")
        await readable
        loop.remove_reader(sock)
        assert sock.recv(100) == b"word"
        assert sock.getpeername()[0] == pair.address_b      # still the overlay's
        sock.close()
        writer.close()

    with_pair(main)


def test_a_thread_can_use_it(with_pair):
    async def main(pair):
        sock, reader, writer = await standing_pair(pair)
        sock.fileno()

        def talk():
            sock.settimeout(30)
            sock.sendall(b"question")
            answers.append(sock.recv(100))
            sock.close()

        answers = []
        thread = threading.Thread(target=talk)
        thread.start()
        assert await reader.readexactly(8) == b"question"
        writer.write(b"answer")
        await until(lambda: not thread.is_alive())
        thread.join()
        assert answers == [b"answer"]
        assert await reader.read() == b""
        writer.close()

    with_pair(main)


@pytest.mark.parametrize("used", [False, True])
def test_what_is_taken_has_lost_nothing(with_pair, used):
    async def main(pair):
        sock, reader, writer = await standing_pair(pair)
        writer.write(b"first")
        if used:
            assert sock.fileno() >= 0
            sock.send(b"sent")
            writer.write(b"second")
            writer.write_eof()
        await asyncio.sleep(0.01)
        stream = standing(sock)
        transport = take(sock, stream)
        assert sock.fileno() == -1
        there = asyncio.StreamReader()
        take_over(transport, asyncio.StreamReaderProtocol(there))
        if used:
            assert await there.read() == b"firstsecond"
            assert await reader.readexactly(4) == b"sent"
        else:
            assert await there.readexactly(5) == b"first"
        transport.close()
        writer.close()

    with_pair(main)


def test_classes_of_ones_own_are_kept(with_pair):
    class Own(socket.socket):
        """One with attributes."""

        label = ""

    async def main(pair):
        accepted = asyncio.get_running_loop().create_future()
        server = await pair.b.start_server(lambda *streams: accepted.set_result(streams), port=80)
        transport, _ = await pair.a.create_connection(HoldingProtocol, pair.address_b, 80)
        with Own(socket.AF_INET6) as sock:
            sock.setblocking(False)
            sock.label = "mine"
            stand(sock, Stream(transport))
            assert isinstance(sock, Own)
            assert sock.label == "mine"
            assert sock.getpeername()[0] == pair.address_b
        (await accepted)[1].close()
        server.close()

    with_pair(main)


def test_a_socket_to_listen_with(with_pair):
    async def main(pair):
        with listening_socket(pair.b, port=80) as sock:
            assert sock.getsockname() == ("::", 80, 0, 0)
            with pytest.raises(OSError, match=r"not connected|endpoint"):
                sock.getpeername()
        with pytest.raises(OverflowError):
            listening_socket(pair.b, port=65536)

    with_pair(main)
