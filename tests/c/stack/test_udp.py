"""UDP sockets: who receives what, limits, errors that come back."""

import errno

import pytest

from tests.c.stackkit import SECOND, A, B, Log, icmp_packet, make_stack, udp_packet
from tests.c.tcp.scripted import scripts
from ygg_c.socket.endpoint import FAILED, READABLE

test_scripts = scripts("22-udp")


def test_there_and_back(switch):
    server = switch.b.udp(None, 53)
    client = switch.a.udp(None, 0)
    log = Log(server)
    assert client.send(b"question", B, 53)
    switch.run(1)
    assert log.flags == READABLE
    ((data, source),) = server.recv_many()
    assert (data, source) == (b"question", (A, client.local[1]))
    server.send(b"answer", *source)
    switch.run(1)
    assert client.recv_many() == [(b"answer", (B, 53))]
    assert client.recv_many() == []


def test_sizes_odd_empty_and_largest(switch):
    server = switch.b.udp(B, 53)
    client = switch.a.udp(A, 0)
    client.dont_fragment = True
    sizes = (0, 1, 2, 3, 999, 1280 - 48)
    for size in sizes:
        client.send(bytes(size), B, 53)
    switch.run(1)
    assert [len(data) for data, _ in server.recv_many()] == list(sizes)
    with pytest.raises(OSError, match="too long") as caught:
        client.send(bytes(1280 - 47), B, 53)
    assert caught.value.errno == errno.EMSGSIZE


def test_refusal_reaches_a_connected_socket_once(switch):
    connected = switch.a.udp(None, 0, (B, 9))
    plain = switch.a.udp(None, 0)
    log, plain_log = Log(connected), Log(plain)
    connected.send(b"x")
    plain.send(b"x", B, 9)
    switch.run(1)
    assert log.flags == FAILED
    assert plain_log.flags == 0
    with pytest.raises(ConnectionRefusedError):
        connected.recv_many()
    assert connected.recv_many() == []
    assert connected.send(b"y")


def test_unbound_port_is_answered_with_code_4():
    _, tap = make_stack(A)
    packet = udp_packet(B, 1, A, 9, bytes(3000))
    tap.give([packet], SECOND)
    (error,) = tap.take()
    assert (error[6], error[40], error[41]) == (58, 1, 4)
    assert len(error) == 1280
    assert packet.startswith(error[48:])
    tap.detach()


def test_flood_of_an_unbound_port_is_answered_at_a_limited_rate():
    stack, tap = make_stack(A)
    packets = [udp_packet(B, 1, A, 9, b"x")] * 10_000
    tap.give(packets, SECOND)
    assert 0 < len(tap.take()) <= 50
    tap.credit_bytes = 0
    tap.give(packets, 3 * SECOND)
    assert tap.take() == []
    assert stack.counters()["udp_no_port"] == 20_000
    tap.detach()


def test_too_big_lowers_what_may_be_sent():
    stack, tap = make_stack(A)
    socket = stack.udp(None, 0)
    socket.dont_fragment = True
    socket.send(bytes(5000), B, 9)
    (packet,) = tap.take()
    tap.give([icmp_packet(B, A, 2, 0, (2000).to_bytes(4, "big") + packet[:1200])], SECOND)
    with pytest.raises(OSError, match="too long"):
        socket.send(bytes(5000), B, 9)
    assert socket.send(bytes(1952), B, 9)
    # It is forgotten after ten minutes.
    tap.poll(SECOND + 601 * SECOND)
    assert socket.send(bytes(5000), B, 9)
    tap.take()
    stack.close()
    tap.detach()
