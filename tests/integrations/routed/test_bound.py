"""ygg.integrations.routed.bound: sockets that a program has bound on the overlay, handed to its event loop."""

import asyncio
import errno
import socket

import pytest

from tests.expecting import raises_errno
from tests.vtunpair import Pair
from ygg.integrations.routed import bound, routed
from ygg.sockets.listeners import Listening


async def word_from(pair: Pair, port: int) -> tuple[bytes, bytes | None]:
    """Dial from `a`, and return what is answered."""
    reader, writer = await pair.a.open_connection(pair.address_b, port)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer, writer.get_extra_info("peername")[:2]


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(f"{type(writer.transport).__name__} {writer.get_extra_info('peername')[0]}".encode())
    writer.close()


def test_a_server_takes_its_address_over(with_pair):
    """Without a descriptor between: connections are the VTun's own transports."""
    async def main(pair):
        with routed(pair.b):
            sock = socket.socket(socket.AF_INET6)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((pair.address_b, 80))
            sock.setblocking(False)
            server = await asyncio.start_server(answer, sock=sock)
            assert sock.getsockname()[:2] == (pair.address_b, 80)
            text, peer = await word_from(pair, 80)
            assert text == f"StreamTransport {pair.address_a}".encode()
            assert peer == (pair.address_b, 80)
            server.close()
            await server.wait_closed()
            sock.close()
            with pytest.raises(ConnectionRefusedError):
                await word_from(pair, 80)

    with_pair(main)


def test_the_address_is_taken_until_the_socket_is_closed(with_pair):
    async def main(pair):
        with routed(pair.b), socket.socket(socket.AF_INET6) as sock:
            sock.bind((pair.address_b, 80))
            with raises_errno(errno.EADDRINUSE):
                await asyncio.start_server(answer, pair.address_b, 80)
            assert bound.give_up(sock, asyncio.get_running_loop(),
                                 Listening) == (pair.b, (pair.address_b, 80), None)
            assert sock.fileno() == -1
            (await asyncio.start_server(answer, pair.address_b, 80)).close()

    with_pair(main)


def test_other_sockets_are_left_alone(with_pair):
    async def main(pair):
        with routed(pair.b), socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
            assert bound.give_up(sock, asyncio.get_running_loop(), Listening) is None
            assert bound.give_up(None, asyncio.get_running_loop(), Listening) is None
            assert bound.local_of(sock) is None
            assert sock.fileno() >= 0
            async with await asyncio.start_server(answer, sock=sock.dup()):
                _, writer = await asyncio.open_connection(*sock.getsockname()[:2])
                writer.close()
                await writer.wait_closed()

    with_pair(main)


def test_datagrams(with_pair):
    async def main(pair):
        got: asyncio.Queue[tuple[bytes, str]] = asyncio.Queue()

        class Taker(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
                got.put_nowait((data, addr[0]))

        with routed(pair.b):
            sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            sock.bind((pair.address_b, 53))
            sock.setblocking(False)
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Taker, sock=sock)
            sender = await pair.a.open_datagram(remote_addr=(pair.address_b, 53))
            await sender.send(b"word")
            assert await got.get() == (b"word", pair.address_a)
            sender.close()
            transport.close()
            await asyncio.sleep(0)

    with_pair(main)


def test_a_connection_from_an_address_that_was_bound(with_pair):
    async def main(pair):
        callers: asyncio.Queue[tuple[str, int]] = asyncio.Queue()

        async def told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            callers.put_nowait(writer.get_extra_info("peername")[:2])
            writer.close()

        async with await pair.b.start_server(told, pair.address_b, 80):
            with routed(pair.a), socket.socket(socket.AF_INET6) as sock:
                sock.setblocking(False)
                sock.bind((pair.address_a, 4000))
                await asyncio.get_running_loop().sock_connect(sock, (pair.address_b, 80))
                assert await callers.get() == (pair.address_a, 4000)

    with_pair(main)
