"""What UDP and echo sockets have in common: the queue of what came, and who may send."""

import errno
import struct
from collections.abc import Iterator

import pytest

from tests.c.stackkit import SECOND, A, B, Log, StackPair, icmp_packet, make_stack, udp_packet
from ygg_c.socket.endpoint import WRITABLE
from ygg_c.testing.packets import PacketTap


@pytest.fixture
def switch() -> Iterator[StackPair]:
    switch = StackPair()
    yield switch
    switch.close()


def test_queue_is_bounded_and_counts_what_it_drops(switch: StackPair) -> None:
    server = switch.b.udp(None, 53)
    server.queue_limit = 10_000
    switch.give([udp_packet(A, 1, B, 53, bytes(100))] * 1000)
    assert server.pending < 100
    assert server.dropped == 1000 - server.pending == switch.b.counters()["udp_full"]
    assert len(server.recv_many(10)) == 10
    switch.give([udp_packet(A, 1, B, 53, bytes(100))] * 5)
    rest = server.recv_many()
    assert all(item == (bytes(100), (A, 1)) for item in rest)


def test_full_link_refuses_then_tells() -> None:
    stack, tap = make_stack(A)
    socket = stack.udp(None, 0)
    log = Log(socket)
    tap.credit_bytes = 0
    assert socket.send(b"x", B, 1) is False
    tap.give_credit(10_000, SECOND)
    tap.poll(SECOND)
    assert log.flags == WRITABLE
    assert socket.send(b"x", B, 1) is True
    socket.close()
    tap.take()
    tap.detach()


def test_what_is_taken_a_little_at_a_time_comes_in_order(switch: StackPair) -> None:
    """However full the store is, and wherever in it the oldest lies: what is left moves to its front for more."""
    server = switch.b.udp(None, 53)
    server.queue_limit = 20_000
    sent = got = 0
    for count in (30, 7, 40, 25, 1, 60):
        switch.give([udp_packet(A, 1, B, 53, bytes([number % 256]) * 50) for number in range(sent, sent + count)])
        sent += count
        for data, _ in server.recv_many(count // 2 + 5):
            assert data == bytes([got % 256]) * 50
            got += 1
    assert [data[0] for data, _ in server.recv_many()] == [number % 256 for number in range(got, sent)]
    assert server.dropped == 0


@pytest.mark.parametrize(("kind", "counter"), [("udp", "udp_full"), ("echo", "echo_full")])
def test_a_full_queue_has_a_counter_for_each_kind(kind: str, counter: str) -> None:
    stack, tap = make_stack(A)
    udp, echo = stack.udp(None, 53), stack.echo()
    socket = udp if kind == "udp" else echo
    socket.queue_limit = 32
    packet = (udp_packet(B, 1, A, 53, b"x") if kind == "udp"
              else icmp_packet(B, A, 129, 0, struct.pack(">HH", echo.identifier, 1) + b"x"))
    give(tap, packet, packet)
    assert socket.dropped == stack.counters()[counter] == 2
    stack.close()
    tap.detach()


def give(tap: PacketTap, *packets: bytes) -> None:
    tap.give(list(packets), SECOND)


def test_a_closed_socket_gives_back_its_memory() -> None:
    stack, tap = make_stack(A)
    socket = stack.udp(None, 53)
    give(tap, udp_packet(B, 1, A, 53, b"not read"))
    assert stack.buffered[0] > 0
    assert socket.pending == 1
    socket.close()
    assert stack.buffered == (0, 0)
    assert socket.pending == 0
    with pytest.raises(OSError, match="descriptor") as caught:
        socket.send(b"", B, 1)
    assert caught.value.errno == errno.EBADF
    stack.close()
    tap.detach()
