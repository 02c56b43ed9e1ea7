"""TCP_INFO as bytes: the layout is the kernel's, whose own connections the same reading must make sense of."""

import asyncio
import errno
import socket
import struct
import sys

import pytest

from tests.aio import until
from tests.expecting import raises_errno
from ygg.vtun.linuxinfo import LAYOUT, STATES

# Offset and form of each field, from linux/tcp.h.
FIELDS = {
    "state": (0, "B"), "ca_state": (1, "B"), "retransmits": (2, "B"), "probes": (3, "B"), "backoff": (4, "B"),
    "options": (5, "B"), "scales": (6, "B"), "rto": (8, "I"), "snd_mss": (16, "I"), "rcv_mss": (20, "I"),
    "unacked": (24, "I"), "sacked": (28, "I"), "lost": (32, "I"), "last_data_sent": (44, "I"),
    "last_data_recv": (52, "I"),
    "pmtu": (60, "I"), "rtt": (68, "I"), "rttvar": (72, "I"), "snd_ssthresh": (76, "I"), "snd_cwnd": (80, "I"),
    "total_retrans": (100, "I"), "bytes_acked": (120, "Q"), "bytes_received": (128, "Q"), "segs_out": (136, "I"),
    "segs_in": (140, "I"), "notsent_bytes": (144, "I"), "min_rtt": (148, "I"), "delivery_rate": (160, "Q"),
    "bytes_sent": (200, "Q"), "bytes_retrans": (208, "Q"), "snd_wnd": (228, "I"), "rcv_wnd": (232, "I"),
}  # fmt: skip
REQUEST, ANSWER = bytes(5000), bytes(300)

linux = pytest.mark.skipif(sys.platform != "linux", reason="struct tcp_info is Linux's")


def read(data: bytes) -> dict[str, int]:
    """Return the fields that are there."""
    return {
        name: struct.unpack_from("=" + form, data, offset)[0]
        for name, (offset, form) in FIELDS.items()
        if offset + struct.calcsize(form) <= len(data)
    }


def check(info: dict[str, int]) -> None:
    """See that an open connection that has sent REQUEST and received ANSWER is described."""
    assert info["state"] == 1
    assert info["options"] & 7 == 7         # timestamps, SACK and window scale
    assert 0 < info["scales"] >> 4 <= 14
    assert 0 < info["scales"] & 15 <= 14
    assert info["ca_state"] == info["retransmits"] == info["probes"] == info["backoff"] == 0
    assert 200_000 <= info["rto"] <= 3_000_000
    assert 1000 < info["snd_mss"] < info["pmtu"] <= 65_536
    assert 0 < info["rtt"] < 1_000_000
    assert 0 < info["min_rtt"] <= 2 * info["rtt"]
    assert info["rttvar"] < 2_000_000
    assert info["snd_ssthresh"] == 0x7FFFFFFF
    assert 10 <= info["snd_cwnd"] < 1000
    assert info["unacked"] == info["sacked"] == info["lost"] == info["total_retrans"] == 0
    assert info["last_data_sent"] < 10_000
    assert info["last_data_recv"] < 10_000
    assert 1 <= info["segs_in"] < 100
    assert 2 <= info["segs_out"] < 100


def check_late(info: dict[str, int]) -> None:
    """See to fields that kernels have since 4.1, 4.6, 4.19 and 5.4, and not all of them."""
    assert info["bytes_acked"] in (len(REQUEST), len(REQUEST) + 1)       # the kernel counts its SYN
    assert info["bytes_received"] == len(ANSWER)
    assert info.get("notsent_bytes", 0) == 0
    assert info.get("bytes_sent", len(REQUEST)) == len(REQUEST)
    assert info.get("bytes_retrans", 0) == 0
    assert info.get("snd_wnd", 65_000) > 1000


@linux
def test_the_kernels_own_is_read_by_the_same_layout():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        with socket.create_connection(listener.getsockname()[:2]) as client, listener.accept()[0] as server:
            client.sendall(REQUEST)
            received = 0
            while received < len(REQUEST):
                received += len(server.recv(65_536))
            server.sendall(ANSWER)
            assert client.recv(65_536) == ANSWER
            info = read(client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LAYOUT.size))
        assert read(listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LAYOUT.size))["state"] == STATES["LISTEN"]
    check(info)
    check_late(info)


@linux
def test_ours_says_the_same(with_pair):
    async def main(pair):
        class Answers(asyncio.Protocol):
            received = 0

            def connection_made(self, transport):
                self.transport = transport

            def data_received(self, data):
                self.received += len(data)
                if self.received == len(REQUEST):
                    self.transport.write(ANSWER)

        answered = []

        class Asks(asyncio.Protocol):
            def data_received(self, data):
                answered.append(data)

        server = await pair.b.create_server(Answers, port=80, backlog=77)
        transport, _ = await pair.a.create_connection(Asks, pair.address_b, 80)
        transport.write(REQUEST)
        await until(lambda: answered and transport.get_extra_info("tcp_info").bytes_acknowledged == len(REQUEST))
        sock = transport.get_extra_info("socket")
        data = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1000)
        assert len(data) == LAYOUT.size == 248
        info = read(data)
        check(info)
        check_late(info)
        ours = transport.get_extra_info("tcp_info")
        assert info["snd_mss"] == ours.mss
        assert info["pmtu"] == ours.path_mtu == 1500
        assert info["snd_cwnd"] == -(-ours.cwnd // ours.mss)
        assert abs(info["rtt"] - ours.rtt * 1e6) < 2
        assert abs(info["rto"] - ours.rto * 1e6) < 2
        assert info["scales"] == ours.receive_scale << 4 | ours.send_scale
        # Truncated as a kernel does it.
        short = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        assert (len(short), short[:44]) == (104, data[:44])      # ages follow
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == b"\1"
        listening = read(server.sockets[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 248))
        assert (listening["state"], listening["sacked"]) == (STATES["LISTEN"], 77)
        with raises_errno(errno.ENOPROTOOPT):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, data)
        transport.close()
        await until(lambda: not pair.a.connections())
        with raises_errno(errno.EBADF):
            sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 248)
        server.close()

    with_pair(main, mtu=1500)


@linux
def test_what_is_in_flight_counts_as_segments(with_pair):
    async def main(pair):
        server = await pair.b.create_server(asyncio.Protocol, port=80)
        transport, _ = await pair.a.create_connection(asyncio.Protocol, pair.address_b, 80, max_segment=1000, ecn="off")
        pair.wire.passes = lambda packet: False
        transport.write(bytes(4500))
        await until(lambda: transport.get_extra_info("tcp_info").in_flight == 4500)
        sock = transport.get_extra_info("socket")
        info = read(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 248))
        assert (info["snd_mss"], info["unacked"], info["options"] & 8) == (1000, 5, 0)
        await until(lambda: transport.get_extra_info("tcp_info").retransmits)
        again = read(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 248))
        assert again["total_retrans"] >= 1
        assert again["bytes_sent"] == 4500 + again["bytes_retrans"] > 4500
        transport.abort()
        server.close()

    with_pair(main)
