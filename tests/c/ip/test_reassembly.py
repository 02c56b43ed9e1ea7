"""ygg_c.ip.reassembly: fragments in any order become the packet they were, in bounded memory (RFC 8200, 4.5)."""

import random
import struct

from hypothesis import given, settings, strategies

from tests.c.ip.test_fragment import LARGEST, split
from tests.c.stackkit import SECOND, A, B, ipv6_header, make_stack, udp_packet
from ygg.simulation import Conditions


@settings(max_examples=60, deadline=None, derandomize=True)
@given(mtu=strategies.integers(1280, 65535), size=strategies.integers(0, LARGEST), seed=strategies.integers(0, 1 << 30))
def test_any_size_over_any_packet_size_in_any_order(mtu, size, seed):
    shuffle = random.Random(seed)
    near, near_tap = make_stack(A, mtu)
    far, far_tap = make_stack(B, 65535)
    source, target = near.udp(A, 1), far.udp(B, 2)
    data = shuffle.randbytes(size)
    assert source.send(data, B, 2)
    packets = near_tap.take()
    assert all(len(packet) <= mtu for packet in packets)
    shuffle.shuffle(packets)
    far_tap.give(packets, SECOND)
    assert target.recv_many() == [(data, (A, 1))]
    del source, target
    for stack, tap in ((near, near_tap), (far, far_tap)):
        stack.close()
        tap.detach()


def fragment_of(source: bytes, number: int, index: int = 0, more: bool = True, data: bytes = bytes(64)) -> bytes:
    """One fragment of a datagram that is never whole, or its other piece."""
    header = struct.pack(">BBHI", 17, 0, index * 64 | more, number)
    return ipv6_header(source, A, 44, 8 + len(data)) + header + data


def test_a_flood_of_fragments_takes_its_own_places_only():
    """Of all that fill the places, whoever holds most of them gives way; others' datagrams are put together."""
    stack, tap = make_stack(A)
    honest = b"\x02\x22" + bytes(14)
    whole = udp_packet(honest, 1, A, 9, bytes(56))
    socket = stack.udp(A, 9)
    first, last = whole[40:72], whole[72:]
    tap.give([ipv6_header(honest, A, 44, 40) + struct.pack(">BBHI", 17, 0, 1, 77) + first], SECOND)
    flood = [b"\x02\x33" + bytes(6), b"\x03\x33" + bytes(6)]
    for number in range(5000):
        tap.give([fragment_of(flood[number % 2] + number.to_bytes(8, "big"), number)], SECOND + number)
    tap.give([ipv6_header(honest, A, 44, 40) + struct.pack(">BBHI", 17, 0, 32, 77) + last], 2 * SECOND)
    assert [data for data, _ in socket.recv_many()] == [bytes(56)]
    assert stack.counters()["reassembly_evicted"] == 5000 - 63
    tap.poll(100 * SECOND)
    assert stack.counters()["reassembly_timeouts"] == 63
    tap.take()
    del socket
    stack.close()
    tap.detach()


def test_a_fragment_that_comes_twice_does_no_harm():
    switch = split(1280)
    switch.change(Conditions(delay=0.005, duplicate=1.0))
    near, far = switch.a.udp(A, 1), switch.b.udp(B, 2)
    near.send(bytes(5000), B, 2)
    switch.run(1)
    assert [len(data) for data, _ in far.recv_many()][:1] == [5000]
    del near, far
    switch.close()


def test_a_fragment_that_says_something_else_drops_the_datagram():
    stack, tap = make_stack(A)
    socket = stack.udp(A, 9)
    whole = udp_packet(B, 1, A, 9, bytes(120))
    pieces = [fragment_of(B, 1, 0, True, whole[40:104]), fragment_of(B, 1, 1, False, whole[104:])]
    tap.give([pieces[0], fragment_of(B, 1, 0, True, b"\1" * 64), pieces[1]], SECOND)
    assert socket.recv_many() == []
    assert stack.counters()["fragments_dropped"] == 2
    del socket
    stack.close()
    tap.detach()
