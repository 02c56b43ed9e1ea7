"""ygg.integrations.trio_sockets: sockets of trio's kind, on the overlay and elsewhere."""

import socket
from typing import Any

import pytest
import trio

from tests.integrations.ontrio import Runner
from tests.sockets.threaded import Threaded
from tests.vtunpair import ADDRESS_B
from ygg.errors import ResolveError
from ygg.integrations.trio import listening, open_tcp_stream, open_udp_socket, routed
from ygg.integrations.trio_sockets import OverlaySocket


def test_datagrams(both: Runner) -> None:
    async def main(pair: Any) -> None:
        there = await open_udp_socket(pair.b, (None, 53))
        here = await open_udp_socket(pair.a, (pair.address_a, 0))
        connected = await open_udp_socket(pair.a, remote_addr=(pair.address_b, 53))
        with there, here, connected:
            for one in (here, connected):
                if one is here:
                    await here.sendto(b"question", (pair.address_b, 53))
                else:
                    await connected.send(b"question")
                data, address = await there.recvfrom(100)
                assert (data, address[0]) == (b"question", pair.address_a)
                await there.sendto(b"answer", address)
                assert await one.recv(100) == b"answer"

    both(main)


def test_all_else_is_as_before(on_trio: Runner) -> None:
    """The system's own addresses, also on a socket of IPv6, and all of it once the body has ended."""

    async def main(pair: Threaded) -> None:
        made = trio.socket.from_stdlib_socket
        with routed(pair.a):
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            if socket.has_ipv6:
                listeners += await trio.open_tcp_listeners(0, host="::1")
            for listener in listeners:
                host, port = listener.socket.getsockname()[:2]
                async with (
                    listener,
                    await trio.open_tcp_stream(host, port) as stream,
                    await listener.accept() as accepted,
                ):
                    await stream.send_all(b"word")
                    assert await accepted.receive_some() == b"word"
            with trio.socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
                await one.bind(("::1", 0))
                await one.sendto(b"word", one.getsockname())
                assert (await one.recvfrom(10))[0] == b"word"
            assert await trio.socket.getnameinfo((pair.address_b, 80), socket.NI_NUMERICSERV) == (pair.address_b, "80")
        with trio.socket.socket(socket.AF_INET6) as sock:
            assert not isinstance(sock, OverlaySocket)
        assert trio.socket.from_stdlib_socket == made

    on_trio(main)


def test_with_all_hosts_nothing_is_asked_of_the_system(on_trio: Runner) -> None:
    async def main(pair: Threaded) -> None:
        with routed(pair.a, hosts="all"):
            with pytest.raises(ResolveError, match="is no address of the overlay"):
                await trio.open_tcp_stream("name.example", 80)
            with pytest.raises(OSError, match=r"127\.0\.0\.1:80 failed"):
                await trio.open_tcp_stream("127.0.0.1", 80)
            with trio.socket.socket(socket.AF_INET6) as sock:
                await sock.bind(("::", 0))
                sock.listen()
                assert sock.getsockname()[0] == "::"

    on_trio(main)


def test_a_socket_that_listens_is_taken(on_trio: Runner) -> None:
    async def main(pair: Threaded) -> None:
        with routed(pair.b):
            listener = trio.SocketListener(trio.socket.from_stdlib_socket(listening(pair.b, 80)))
        async with listener, await open_tcp_stream(pair.a, ADDRESS_B, 80):
            await (await listener.accept()).aclose()

    on_trio(main)
