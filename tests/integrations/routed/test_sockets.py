"""ygg.integrations.routed.sockets: a program's sockets that stand for something on the overlay."""

import asyncio
import errno
import gc
import socket
import struct
import threading
import warnings

import pytest

from tests.aio import until
from tests.expecting import raises_errno
from ygg.integrations.routed import listening_socket, routed
from ygg.integrations.routed.sockets import Stream, stand, standing, take
from ygg.stream.held import HoldingProtocol, take_over
from ygg_c.stack.udp import UdpSocket


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
        transport = take(sock, stream)  # type: ignore[arg-type]
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


async def reset(writer):
    """Have the other side reset the connection."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    await asyncio.sleep(0.01)


def test_a_reset_is_no_end(with_pair):
    async def main(pair):
        loop = asyncio.get_running_loop()
        for receive in (
            lambda sock: sock.recv(10), lambda sock: sock.recv_into(bytearray(10)), lambda sock: sock.recvfrom(10),
            lambda sock: sock.recvfrom_into(bytearray(10)), lambda sock: sock.recvmsg(10),
        ):
            sock, _, writer = await standing_pair(pair)
            writer.write(b"word")
            assert await loop.sock_recv(sock, 10) == b"word"
            await reset(writer)
            with pytest.raises(ConnectionResetError):
                receive(sock)
            assert sock.recv(10) == b""     # as a kernel's: it is told once
            sock.close()

    with_pair(main)


@pytest.mark.parametrize("used", [False, True])
def test_what_takes_a_lost_connection_hears_of_the_loss(with_pair, used):
    async def main(pair):
        sock, _, writer = await standing_pair(pair)
        if used:
            assert sock.fileno() >= 0
        await reset(writer)
        there = asyncio.StreamReader()
        stream = standing(sock)
        take_over(take(sock, stream), asyncio.StreamReaderProtocol(there))  # type: ignore[arg-type]
        with pytest.raises(ConnectionResetError):
            await there.read()

    with_pair(main)


def test_a_socket_is_connected_once_and_while_it_is_open(with_pair):
    async def main(pair):
        loop = asyncio.get_running_loop()
        sock, _, writer = await standing_pair(pair)
        with routed(pair.a):
            with raises_errno(errno.EISCONN):
                await loop.sock_connect(sock, (pair.address_b, 80))
            sock.close()
            with raises_errno(errno.EBADF):
                await loop.sock_connect(sock, (pair.address_b, 80))
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as datagrams:
                datagrams.setblocking(False)
                for port in (53, 54):
                    await loop.sock_connect(datagrams, (pair.address_b, port))
                    assert datagrams.getpeername()[1] == port
                assert sum(isinstance(one, UdpSocket) for one in pair.a.stack.endpoints()) == 1
        writer.close()

    with_pair(main)


def test_one_that_is_closed_while_it_is_connected_is_an_error_and_no_cancellation(with_pair):
    async def main(pair):
        server = await pair.b.start_server(lambda *streams: streams[1].close(), port=80)
        sock = socket.socket(socket.AF_INET6)
        sock.setblocking(False)
        with routed(pair.a):
            connecting = asyncio.ensure_future(asyncio.get_running_loop().sock_connect(sock, (pair.address_b, 80)))
            await asyncio.sleep(0)
            sock.close()
            with raises_errno(errno.EBADF):
                await connecting
        server.close()

    with_pair(main)
