"""Datagrams and echoes larger than the path takes: fragments on sending, and what puts them together again."""

import errno
import itertools
import struct

import pytest

from tests.c.stackkit import SECOND, A, B, Log, StackPair, icmp_packet, ipv6_header, make_stack, udp_packet
from ygg_c.socket.endpoint import WRITABLE

LARGEST = 65_527     # of a UDP datagram: 65,535 less its header


def split(mtu_a: int, mtu_b: int | None = None) -> StackPair:
    """Two stacks; B's packet size may be another than A's."""
    switch = StackPair(mtu_a)
    if mtu_b is not None:
        switch.change_b(mtu_b)
    return switch


@pytest.mark.parametrize("mtu", [1280, 1281, 1287, 1500, 9000, 32768, 65535])
@pytest.mark.parametrize("over", [-49, -48, -47, -41, -40, 0, 1, 1000])
def test_datagrams_around_the_packet_size_arrive_both_ways(mtu, over):
    switch = split(mtu)
    size = min(mtu + over, LARGEST)
    data = bytes(n % 251 for n in range(size))
    near, far = switch.a.udp(A, 1), switch.b.udp(B, 2)
    assert near.send(data, B, 2)
    assert far.send(data, A, 1)
    switch.run(1)
    assert far.recv_many() == [(data, (A, 1))]
    assert near.recv_many() == [(data, (B, 2))]
    del near, far
    switch.close()


@pytest.mark.parametrize("mtu", [1280, 1500, 65535])
def test_the_largest_datagram_and_one_more(mtu):
    switch = split(mtu)
    near, far = switch.a.udp(A, 1), switch.b.udp(B, 2)
    assert near.send(bytes(LARGEST), B, 2)
    with pytest.raises(OSError, match="too long") as caught:
        near.send(bytes(LARGEST + 1), B, 2)
    assert caught.value.errno == errno.EMSGSIZE
    switch.run(1)
    assert [len(data) for data, _ in far.recv_many()] == [LARGEST]
    del near, far
    switch.close()


@pytest.mark.parametrize("mtu", [1280, 9000, 65535])
@pytest.mark.parametrize("size", [0, 1232, 1233, 9000, 65_487, 65_488, 65_527])
def test_echoes_of_every_size_are_answered(mtu, size):
    switch = split(mtu)
    echo = switch.a.echo()
    payload = bytes(n % 253 for n in range(size))
    assert echo.send(B, 1, payload)
    switch.run(1)
    ((code, _, source, answer, _),) = echo.recv_many()
    assert (code, source, answer) == (0, B, payload)
    with pytest.raises(OSError, match="too long"):
        echo.send(B, 1, bytes(65_528))
    del echo
    switch.close()


def pieces_of(packets: list[bytes]) -> list[tuple[int, bool, int, bytes]]:
    """Return offset, more, identification and content of fragments."""
    result = []
    for packet in packets:
        assert packet[6] == 44
        assert len(packet) == 40 + struct.unpack(">H", packet[4:6])[0]
        _, reserved, offset, identification = struct.unpack(">BBHI", packet[40:48])
        assert reserved == 0
        assert not offset & 6
        result.append((offset & 0xFFF8, bool(offset & 1), identification, packet[48:]))
    return result


def test_fragments_are_as_the_standard_has_them():
    """In order, full but for the last, a multiple of eight, none above the path's packet size, one identification."""
    stack, tap = make_stack(A, 1280)
    socket = stack.udp(A, 1)
    data = bytes(n % 251 for n in range(5000))
    socket.send(data, B, 2)
    packets = tap.take()
    pieces = pieces_of(packets)
    assert max(map(len, packets)) <= 1280
    assert [piece[0] for piece in pieces] == [0, 1232, 2464, 3696, 4928]
    assert [piece[1] for piece in pieces] == [True] * 4 + [False]
    assert len({piece[2] for piece in pieces}) == 1
    assert {packet[40] for packet in packets} == {17}
    whole = b"".join(piece[3] for piece in pieces)
    assert ipv6_header(A, B, 17, len(whole)) + whole == udp_packet(A, 1, B, 2, data)
    assert stack.counters()["fragments_sent"] == 5
    stack.close()
    tap.detach()


def identifications(seed: object, count: int) -> list[int]:
    stack, tap = make_stack(A, 1280, seed)
    socket = stack.udp(A, 1)
    for _ in range(count):
        socket.send(bytes(2000), B, 2)
    found = [piece[2] for piece in pieces_of(tap.take())[::2]]
    stack.close()
    tap.detach()
    return found


def test_identifications_cannot_be_foretold():
    """They follow neither each other nor a pattern, and are drawn from the randomness that was given."""
    found = identifications(1, 100)
    assert len(set(found)) == 100
    differences = {(after - before) % 2**32 for before, after in itertools.pairwise(found)}
    assert len(differences) == 99
    assert identifications(1, 100) == found
    assert not set(identifications(2, 100)) & set(found)


def test_what_must_not_be_fragmented_is_refused():
    stack, tap = make_stack(A, 1280)
    for socket, send in (
        (stack.udp(A, 1), lambda socket, size: socket.send(bytes(size), B, 2)),
        (stack.echo(), lambda socket, size: socket.send(B, 1, bytes(size))),
    ):
        assert socket.dont_fragment is False
        socket.dont_fragment = True
        assert send(socket, 1232)
        with pytest.raises(OSError, match="too long") as caught:
            send(socket, 1233)
        assert caught.value.errno == errno.EMSGSIZE
        assert len(tap.take()) == 1
        socket.dont_fragment = False
        assert send(socket, 1233)
        assert len(tap.take()) == 2
    del socket
    stack.close()
    tap.detach()


def test_fragments_count_against_the_credit_of_the_link():
    """A datagram goes whole or not at all, and its sender is told when there is room for all of its fragments."""
    stack, tap = make_stack(A, 1280)
    socket = stack.udp(A, 1)
    log = Log(socket)
    needed = 65_535 + 54 * 48
    tap.credit_bytes = needed - 1
    assert not socket.send(bytes(LARGEST), B, 2)
    assert tap.take() == []
    tap.give_credit(needed, SECOND)
    tap.poll(SECOND)
    assert log.flags == WRITABLE
    assert socket.send(bytes(LARGEST), B, 2)
    packets = tap.take()
    assert len(packets) == 54
    assert sum(map(len, packets)) == needed
    del socket
    stack.close()
    tap.detach()


def too_big(mtu: int, quoted: bytes, source: bytes = B) -> bytes:
    return icmp_packet(source, A, 2, 0, struct.pack(">I", mtu) + quoted[:1200])


@pytest.mark.parametrize("kind", ["udp", "request", "reply", "fragment"])
def test_packet_too_big_lowers_the_size_of_fragments(kind):
    """Whatever was too big: a datagram, an echo request, our answer to one, a fragment. What follows is smaller."""
    stack, tap = make_stack(A, 9000)
    socket, echo = stack.udp(A, 1), stack.echo()

    def send() -> None:
        if kind == "request":
            echo.send(B, 1, bytes(8000))
        elif kind == "reply":
            tap.give([icmp_packet(B, A, 128, 0, bytes(8000))], SECOND)
        else:
            socket.send(bytes(8000 if kind == "udp" else 20_000), B, 2)

    send()
    first = tap.take()
    assert max(map(len, first)) > 8000
    tap.give([too_big(2000, first[0])], SECOND)
    assert stack.counters()["icmp_ignored"] == 0
    send()
    sizes = [len(packet) for packet in tap.take()]
    assert 1900 < max(sizes) <= 2000
    assert len(sizes) > 4
    stack.close()
    tap.detach()


@pytest.mark.parametrize("dont_fragment", [False, True])
def test_a_connected_socket_is_told_once_that_a_datagram_was_too_big(dont_fragment):
    """As the kernel tells it, with and without IPV6_DONTFRAG; a socket without a peer is not told."""
    stack, tap = make_stack(A, 9000)
    connected, unconnected = stack.udp(A, 1, (B, 2)), stack.udp(A, 3)
    connected.dont_fragment = unconnected.dont_fragment = dont_fragment
    connected.send(bytes(8000))
    unconnected.send(bytes(8000), B, 2)
    tap.give([too_big(2000, packet) for packet in tap.take()], SECOND)
    assert unconnected.recv_many() == []
    with pytest.raises(OSError, match="too long") as caught:
        connected.recv_many()
    assert caught.value.errno == errno.EMSGSIZE
    assert connected.recv_many() == []
    assert connected.send(bytes(1952))
    (packet,) = tap.take()
    tap.give([too_big(1280, packet, B[:1] + bytes([255]) + B[2:])], SECOND)
    assert connected.recv_many() == []
    del connected, unconnected
    stack.close()
    tap.detach()


def test_others_cannot_lower_the_size_of_a_path():
    """Only the node at the end of a path, by its address or from its subnet, says what the path takes."""
    stack, tap = make_stack(A, 9000)
    target, subnet = b"\x02\x11" + bytes(13) + b"\x01", b"\x03\x11" + bytes(13) + b"\x07"
    stranger = b"\x02\x12" + bytes(13) + b"\x01"
    socket = stack.udp(A, 1)
    socket.send(bytes(8000), target, 2)
    (packet,) = tap.take()
    tap.give([too_big(1280, packet, stranger)], SECOND)
    socket.send(bytes(8000), target, 2)
    assert len(tap.take()) == 1
    tap.give([too_big(2000, packet, subnet)], SECOND)
    socket.send(bytes(8000), target, 2)
    assert len(tap.take()) > 4
    del socket
    stack.close()
    tap.detach()
