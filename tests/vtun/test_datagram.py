"""UDP between two VTuns."""

import asyncio
import errno
import socket

import pytest

from tests.aio import settle
from tests.expecting import raises_errno


class Recorder(asyncio.DatagramProtocol):
    """Writes down what a datagram transport tells."""

    def __init__(self):
        self.received = asyncio.Queue()
        self.errors = asyncio.Queue()
        self.lost = asyncio.get_running_loop().create_future()
        self.events = []

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.received.put_nowait((data, addr))

    def error_received(self, exc):
        self.errors.put_nowait(exc)

    def pause_writing(self):
        self.events.append("pause")

    def resume_writing(self):
        self.events.append("resume")

    def connection_lost(self, exc):
        self.lost.set_result(exc)


def test_datagrams_both_ways(with_pair):
    async def main(pair):
        there, server = await pair.b.create_datagram_endpoint(Recorder, local_addr=("::", 53))
        here, client = await pair.a.create_datagram_endpoint(Recorder, remote_addr=(pair.address_b, 53))
        assert there.get_extra_info("sockname") == ("::", 53, 0, 0)
        assert here.get_extra_info("peername") == (pair.address_b, 53, 0, 0)
        sock = here.get_extra_info("socket")
        assert (sock.type, sock.proto) == (socket.SOCK_DGRAM, socket.IPPROTO_UDP)
        here.sendto(b"question")
        data, source = await server.received.get()
        assert data == b"question"
        assert source[0] == pair.address_a
        there.sendto(b"answer", source)
        there.sendto(bytes(60_000), source)
        assert await client.received.get() == (b"answer", (pair.address_b, 53, 0, 0))
        assert len((await client.received.get())[0]) == 60_000
        with pytest.raises(ValueError, match="Invalid address"):
            here.sendto(b"elsewhere", (pair.address_a, 1))
        here.close()
        there.close()
        assert here.is_closing()
        assert await client.lost is None
        here.sendto(b"after the end")

    with_pair(main)


def test_a_closed_port_is_told_to_a_connected_socket_once(with_pair):
    async def main(pair):
        here, client = await pair.a.create_datagram_endpoint(Recorder, remote_addr=(pair.address_b, 53))
        here.sendto(b"anybody?")
        error = await client.errors.get()
        assert isinstance(error, ConnectionRefusedError)
        await settle()
        assert client.errors.empty()
        here.abort()
        await client.lost

    with_pair(main)


def test_a_datagram_beyond_the_mtu_is_an_error_where_fragments_are_not_wanted(with_pair):
    async def main(pair):
        here, client = await pair.a.create_datagram_endpoint(
            Recorder, remote_addr=(pair.address_b, 53), dont_fragment=True
        )
        here.sendto(bytes(1233))
        assert (await client.errors.get()).errno == errno.EMSGSIZE
        here.close()

        async with await pair.a.open_datagram(dont_fragment=True) as udp:
            with raises_errno(errno.EMSGSIZE):
                await udp.sendto(bytes(1233), (pair.address_b, 53))

    with_pair(main, mtu=1280)


@pytest.mark.skipif(not hasattr(socket, "IPV6_DONTFRAG"), reason="the platform has no name for the option")
def test_the_sockets_view_knows_the_option(with_pair):
    async def main(pair):
        here, client = await pair.a.create_datagram_endpoint(Recorder, remote_addr=(pair.address_b, 53))
        view = here.get_extra_info("socket")
        assert view.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_DONTFRAG) == 0
        view.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DONTFRAG, 1)
        assert view.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_DONTFRAG) == 1
        here.sendto(bytes(1233))
        assert (await client.errors.get()).errno == errno.EMSGSIZE
        here.close()

    with_pair(main, mtu=1280)


@pytest.mark.parametrize("mtu", [1280, 65535])
def test_datagrams_of_every_size_leave_in_fragments(with_pair, mtu):
    async def main(pair):
        async with await pair.b.open_datagram(None, 53) as server, await pair.a.open_datagram() as client:
            for size in (1232, 1233, 30_000, 65_487, 65_488, 65_527):
                await client.sendto(bytes(size), (pair.address_b, 53))
                data, source = await server.recvfrom()
                assert len(data) == size
                await server.sendto(data, source)
                assert len(await client.recv()) == size
            with raises_errno(errno.EMSGSIZE):
                await client.sendto(bytes(65_528), (pair.address_b, 53))

    with_pair(main, mtu=mtu)


@pytest.mark.parametrize(
    ("address", "code"),
    [(("2001:db8::1", 1), errno.EHOSTUNREACH), (("200::1", 0), errno.EADDRNOTAVAIL), (None, errno.EDESTADDRREQ)],
)
def test_what_cannot_be_sent_is_an_error_received(with_pair, address, code):
    async def main(pair):
        here, client = await pair.a.create_datagram_endpoint(Recorder, local_addr=(None, 0))
        here.sendto(b"", address)
        assert (await client.errors.get()).errno == code
        here.close()

    with_pair(main)


def test_without_credit_datagrams_wait_and_the_protocol_pauses(with_pair):
    async def main(pair):
        there, server = await pair.b.create_datagram_endpoint(Recorder, local_addr=(None, 53))
        here, client = await pair.a.create_datagram_endpoint(Recorder, remote_addr=(pair.address_b, 53))
        tap = pair.wire.tap(pair.address_a)
        tap.credit_bytes = 0
        for _ in range(70):
            here.sendto(bytes(1000))
        assert client.events == ["pause"]
        assert here.get_write_buffer_size() == 70_000
        here.close()
        await settle()
        assert server.received.empty()
        tap.give_credit(1 << 20, pair.a.stack.now)
        for _ in range(70):
            await server.received.get()
        assert client.events == ["pause", "resume"]
        assert await client.lost is None
        there.close()

    with_pair(main)


def test_a_protocol_that_raises_is_reported_and_goes_on(with_pair):
    class Broken(Recorder):
        def datagram_received(self, data, addr):
            super().datagram_received(data, addr)
            raise RuntimeError("broken protocol")

    async def main(pair):
        there, server = await pair.b.create_datagram_endpoint(Broken, local_addr=(None, 53))
        async with await pair.a.open_datagram() as udp:
            await udp.sendto(b"1", (pair.address_b, 53))
            await udp.sendto(b"2", (pair.address_b, 53))
            assert (await server.received.get())[0] == b"1"
            assert (await server.received.get())[0] == b"2"
        there.close()

    with_pair(main, expect=2)


def test_sockets_to_await(with_pair):
    async def main(pair):
        async with await pair.b.open_datagram(local_port=7) as echo, await pair.a.open_datagram() as udp:
            assert echo.getsockname() == ("::", 7, 0, 0)
            for number in range(300):
                await udp.sendto(str(number).encode(), (pair.address_b, 7))
            for number in range(300):
                data, source = await echo.recvfrom()
                assert data == str(number).encode()
            assert source == (pair.address_a, udp.getsockname()[1], 0, 0)
            await echo.sendto(b"back", source)
            assert await udp.recvfrom() == (b"back", (pair.address_b, 7, 0, 0))

    with_pair(main)


def test_receiving_what_is_there_does_not_yield(with_pair):
    async def main(pair):
        async with await pair.b.open_datagram(local_port=7) as echo, await pair.a.open_datagram() as udp:
            sending = udp.sendto(b"x", (pair.address_b, 7))
            with pytest.raises(StopIteration):
                sending.send(None)
            await settle()
            receiving = echo.recvfrom()
            with pytest.raises(StopIteration) as result:
                receiving.send(None)
            assert result.value.value[0] == b"x"

    with_pair(main)


def test_a_connected_socket(with_pair):
    async def main(pair):
        async with await pair.a.open_datagram(remote_addr=(pair.address_b, 7)) as udp:
            assert udp.getpeername() == (pair.address_b, 7, 0, 0)
            await udp.send(b"anybody?")
            with pytest.raises(ConnectionRefusedError):
                await udp.recv()

    with_pair(main)


def test_closing_wakes_who_waits(with_pair):
    async def main(pair):
        udp = await pair.a.open_datagram(local_port=5)
        waiting = asyncio.ensure_future(udp.recvfrom())
        await asyncio.sleep(0)
        with raises_errno(errno.EADDRINUSE):
            await pair.a.open_datagram(local_port=5)
        udp.close()
        with pytest.raises(ConnectionAbortedError):
            await waiting
        with pytest.raises(ConnectionAbortedError):
            await udp.sendto(b"", (pair.address_b, 1))
        again = await pair.a.open_datagram(local_port=5)
        waiting = asyncio.ensure_future(again.recvfrom())
        await asyncio.sleep(0)
        await pair.a.close()
        with pytest.raises(ConnectionAbortedError):
            await waiting

    with_pair(main)


def test_a_sender_that_never_waits_lets_the_loop_run(with_pair):
    async def main(pair):
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        ticker = asyncio.ensure_future(tick())
        async with await pair.a.open_datagram() as udp:
            for _ in range(1000):
                await udp.sendto(bytes(100), (pair.address_b, 7))
        ticker.cancel()
        assert ticks > 10

    with_pair(main)


@pytest.mark.parametrize("address", [("2001:db8::1", 1), ("200::1",), ("200::1", "http"), None])
def test_bad_destinations(with_pair, address):
    async def main(pair):
        async with await pair.a.open_datagram() as udp:
            with pytest.raises((OSError, TypeError)):
                await udp.sendto(b"", address)

    with_pair(main)
