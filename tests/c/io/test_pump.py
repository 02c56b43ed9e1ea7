"""ygg_c.io.pump: bytes between links and sockets, without an event loop."""

import contextlib
import fcntl
import os
import socket
import struct
import sys
import termios
import threading
import time
from collections.abc import Iterator

import pytest

from tests.pumphost import KEEPALIVE, REQUEST, UNKNOWN, Host, signed_record
from ygg.testing import private_key, public_key
from ygg_c.io.pump import StreamPump, run_turn
from ygg_c.link import wire
from ygg_c.node.node import Node


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.close()


def test_a_link_speaks_in_its_first_turn(host: Host) -> None:
    host.start()
    # A request for a signature, type 2, and the first filter, type 5.
    frames = host.drain()
    assert frames[1] == 2
    assert frames[frames[0] + 2] == 5


def test_what_the_handshake_left_over_is_taken_first(host: Host) -> None:
    host.start(KEEPALIVE)
    assert host.link.rx_bytes == 2


def test_readable_takes_what_the_socket_holds(host: Host) -> None:
    host.start()
    host.outside.send(KEEPALIVE * 1000)
    host.pump.readable()
    assert host.link.rx_bytes == 2000
    host.pump.readable()
    assert host.link.rx_bytes == 2000
    assert not host.link.closed


@pytest.mark.parametrize(("data", "reason"), [(UNKNOWN, "ErrUnrecognizedMessage"), (b"\0", "ErrEmptyMessage")])
def test_bad_frames_end_the_link(host: Host, data: bytes, reason: str) -> None:
    host.start()
    host.outside.send(data)
    host.pump.readable()
    assert host.ended == [reason]
    assert host.link.closed
    host.pump.readable()
    host.pump.writable()


def test_the_end_of_the_stream_ends_the_link(host: Host) -> None:
    host.start()
    host.drain()
    host.outside.close()
    host.pump.readable()
    assert host.ended == ["EOF"]


def test_a_reset_ends_the_link_with_the_systems_words(host: Host) -> None:
    host.start()
    host.outside.close()        # with unread bytes in it
    host.pump.readable()
    assert host.ended == ["connection reset by peer"]


def test_writing_into_a_closed_socket_ends_the_link_and_not_the_process(host: Host) -> None:
    host.start()
    host.fill()
    host.drain()
    host.outside.close()
    host.pump.writable()
    assert host.ended == ["broken pipe"]


def test_a_full_socket_asks_for_the_writer_once_and_lets_it_go(host: Host) -> None:
    host.start()
    host.fill()
    assert host.blocked == [True]
    assert host.link.blocked
    assert host.link.queued > 0
    for _ in range(100):
        if host.blocked != [True]:
            break
        host.drain()
        host.pump.writable()
    assert host.blocked == [True, False]
    assert not host.link.blocked


def test_closing_is_idempotent_and_frees_the_descriptor(host: Host) -> None:
    host.start()
    descriptor = host.pump.fileno()
    assert descriptor != host.inside.fileno()
    host.pump.close()
    host.pump.close()
    assert host.pump.fileno() == -1
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    host.pump.readable()
    host.pump.writable()
    os.fstat(host.inside.fileno())


def test_a_pump_carries_one_link(host: Host) -> None:
    host.start()
    with pytest.raises(ValueError, match="has carried a link"):
        host.pump.start(public_key(3), 0, b"")


def test_a_link_to_ourselves_is_refused_and_leaves_the_node_usable(host: Host) -> None:
    with pytest.raises(ValueError, match="self"):
        host.pump.start(public_key(1), 0, b"")
    host.start()


def test_a_bad_descriptor_is_an_error() -> None:
    node = Node(private_key(1).secret)
    with pytest.raises(OSError, match="Bad file descriptor"):
        StreamPump(node, -1, lambda blocked: None)
    node.close()


# What waits below the link

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not tell what they hold")
UNSENT_TIME = 0.006
"""Seconds' worth of bytes that a link has the kernel hold unsent."""


def unsent(one: socket.socket) -> int:
    """Return what the kernel has taken and not sent."""
    return struct.unpack("i", fcntl.ioctl(one, 0x894B, bytes(4)))[0]


@needs_linux
def test_a_unix_socket_holds_as_little() -> None:
    """What nobody has read yet is all in its buffer."""
    host = Host()
    host.inside.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    host.start()
    host.fill()
    assert len(host.drain()) <= host.link.drain_rate * UNSENT_TIME
    host.close()


class OverTcp(Host):
    """A host whose link runs over TCP, with room for all at its other end."""

    def make_pump(self) -> StreamPump:
        for one in (self.inside, self.outside):
            one.close()
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.inside = socket.create_connection(server.getsockname())
            self.outside, _ = server.accept()
        for one in (self.inside, self.outside):
            one.setblocking(False)
        return super().make_pump()


@needs_linux
def test_nothing_stays_in_the_kernel_with_nothing_under_way() -> None:
    """Told that more comes, it keeps what does not fill a packet for 200 ms: so it must come."""
    host = OverTcp()
    host.inside.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    host.start()
    host.prove()
    host.outside.send(signed_record(5))
    host.pump.readable()
    host.drain()
    host.node.enter(host.node.clock.now(), host.node.clock.unix() // 10**9)
    for _ in range(3):
        host.outside.send(signed_record(4) * 30)        # each asks for an answer, in one turn
        host.pump.readable()
    host.node.leave()
    assert unsent(host.inside) == 0
    host.close()


@needs_linux
def test_a_kernel_that_has_acknowledged_all_keeps_a_link_no_longer_than_an_answer_takes() -> None:
    """The node that hangs behind it is found a second and a half after. The times are the node's."""
    host = OverTcp()
    host.start()
    host.prove()
    host.outside.send(REQUEST)
    host.pump.readable()
    now, wall = host.node.clock.now(), host.node.clock.unix() // 10**9
    while struct.unpack("i", fcntl.ioctl(host.inside, termios.TIOCOUTQ, bytes(4)))[0]:
        time.sleep(0.005)           # a delayed acknowledgement
    host.node.turn(now + int(3.5e9), wall)
    assert host.ended == []         # the kernel has heard it just now
    host.node.turn(now + int(4.4e9), wall)
    assert host.ended == []
    host.node.turn(now + int(5.6e9), wall)
    assert host.ended == ["ErrTimeout"]
    host.close()


# Turns


def test_a_flood_pauses_the_socket_until_it_has_been_dealt_with(host: Host) -> None:
    """What is too much for one turn stays unread; the next turns take it up, without another readable event."""
    host.start()
    flood = KEEPALIVE * 40000
    host.outside.setblocking(True)
    sender = threading.Thread(target=host.outside.sendall, args=(flood,))
    sender.start()
    rounds = 0
    while host.link.rx_bytes < len(flood):
        host.pump.readable()
        assert host.link.held == (host.paused[-1:] == [True])
        while host.link.held:
            before = host.link.rx_bytes
            host.pump.readable()
            assert host.link.rx_bytes == before
            run_turn(host.node, host.node.clock)
            rounds += 1
    sender.join()
    assert rounds >= len(flood) // 2 // 8000
    assert host.paused == [True, False] * (len(host.paused) // 2)
    assert not host.ended


def test_a_bulk_transfer_is_never_paused(host: Host) -> None:
    """However much it brings in all: each of its events is a round of the event loop, and has the work of one."""
    host.start()
    host.inside.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    host.outside.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    bulk = wire.encode_frame(0, bytes(1000)) * 150
    sent = 0
    for _ in range(50):
        for _ in range(4):
            sent += host.outside.send(bulk)
        while host.link.rx_bytes < sent:
            host.pump.readable()
    assert sent > 50 * 4 * 100_000
    assert host.paused == []


def test_many_links_share_the_work_of_a_round() -> None:
    """Those whose turn is late in a round of the event loop find nothing left, and go on when it is theirs."""
    with contextlib.ExitStack() as stack:
        hosts = [Host() for _ in range(10)]
        for other in hosts:
            stack.callback(other.close)
            other.node = hosts[0].node
            other.pump = other.make_pump()
            other.start()
        taken = []
        for _ in range(3):
            for other in hosts:
                other.outside.send(KEEPALIVE * 1500)
            before = [other.link.rx_bytes for other in hosts]
            for other in hosts:
                other.pump.readable()
            taken.append([other.link.rx_bytes - count for other, count in zip(hosts, before, strict=True)])
            assert 5 * 3000 <= sum(taken[-1]) <= 6 * 3000
            while any(other.link.held for other in hosts):
                run_turn(hosts[0].node, hosts[0].node.clock)
            for other in hosts:
                other.pump.readable()       # another round: what was left
                assert not other.link.held
        assert taken[0][:5] == [3000] * 5
