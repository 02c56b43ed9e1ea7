"""What a VTun tells of its TCP connections."""

import asyncio
import dataclasses
import socket

import pytest

from tests.aio import until
from ygg.vtun import TcpInfo


async def connect(pair):
    """Return a transport of a, the server of b, and what b's protocols received."""
    received = []

    class Sink(asyncio.Protocol):
        def data_received(self, data):
            received.append(data)

    server = await pair.b.create_server(Sink, port=80)
    transport, _ = await pair.a.create_connection(asyncio.Protocol, pair.address_b, 80)
    return transport, server, received


def test_a_transport_and_the_vtun_tell_the_same(with_pair):
    async def main(pair):
        transport, server, received = await connect(pair)
        transport.write(b"figures")
        await until(lambda: received and pair.a.connections()[0].bytes_acknowledged == 7)
        info = transport.get_extra_info("tcp_info")
        assert isinstance(info, TcpInfo)
        (other,) = pair.a.connections()
        assert (info.local, info.remote) == (other.local, other.remote)
        assert info.local == transport.get_extra_info("sockname")
        assert info.remote[:2] == (pair.address_b, 80)
        assert (info.state, info.bytes_out, info.ssthresh) == ("ESTABLISHED", 7, None)
        assert 0 < info.rtt < info.rto < 10
        assert "w_max" in info.details
        (there,) = pair.b.connections()
        assert there.bytes_in == 7
        assert there.remote == info.local
        with pytest.raises(dataclasses.FrozenInstanceError):
            info.rtt = 0
        transport.close()
        server.close()

    with_pair(main)


def test_nothing_is_told_of_a_connection_that_has_ended(with_pair):
    async def main(pair):
        transport, server, _ = await connect(pair)
        transport.abort()
        await until(lambda: transport.get_extra_info("tcp_info") is None)
        assert transport.get_extra_info("tcp_info", 1) == 1
        assert pair.a.connections() == []
        server.close()

    with_pair(main)


@pytest.mark.parametrize(("option", "value", "shown"), [
    ((socket.IPPROTO_TCP, socket.TCP_MAXSEG), 500, 500),
    ((socket.IPPROTO_TCP, getattr(socket, "TCP_QUICKACK", socket.TCP_NODELAY)), 1, 1),
    ((socket.SOL_SOCKET, socket.SO_RCVBUF), 50_000, 50_000),
    ((socket.SOL_SOCKET, socket.SO_RCVBUF), 1, 4096),
])  # fmt: skip
def test_socket_options_reach_the_stack(with_pair, option, value, shown):
    async def main(pair):
        transport, server, _ = await connect(pair)
        sock = transport.get_extra_info("socket")
        sock.setsockopt(*option, value)
        assert sock.getsockopt(*option) == shown
        transport.close()
        server.close()

    with_pair(main)


def test_a_segment_size_that_is_none_is_refused(with_pair):
    async def main(pair):
        transport, server, _ = await connect(pair)
        sock = transport.get_extra_info("socket")
        with pytest.raises(OSError, match="Invalid argument"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 70000)
        transport.close()
        server.close()

    with_pair(main)
