"""IPv6: what is accepted, extension headers, options, fragments."""

import itertools
import struct
from typing import Any

import pytest

from tests.c.stackkit import SECOND, A, B, icmp_packet, ipv6_header, make_stack, udp_packet

MULTICAST = bytes([0xFF, 2]) + bytes(13) + b"\1"


@pytest.fixture
def stack_tap():
    pair: list[Any] = [*make_stack(A)]
    yield pair
    pair[0].close()
    pair[1].detach()
    pair.clear()


def with_header(packet: bytes, kind: int, header: bytes) -> bytes:
    """Insert an extension header of a kind; its first byte is set to what followed."""
    body = packet[6:7] + header[1:] + packet[40:]
    return ipv6_header(packet[8:24], packet[24:40], kind, len(body)) + body


def option_header(option: int) -> bytes:
    """A destination options header with one option of the given type and padding."""
    return bytes([0, 0, option, 0, 1, 2, 0, 0])


def fragments(packet: bytes, cuts: list[int], identification: int = 9) -> list[bytes]:
    """Cut a packet's payload at multiples of eight."""
    body = packet[40:]
    edges = [0, *cuts, len(body)]
    result = []
    for start, end in itertools.pairwise(edges):
        field = start | (end < len(body))
        header = struct.pack(">BBHI", packet[6], 0, field, identification)
        piece = header + body[start:end]
        result.append(ipv6_header(packet[8:24], packet[24:40], 44, len(piece)) + piece)
    return result


def test_what_is_not_for_us_or_cannot_be_is_dropped(stack_tap):
    stack, tap = stack_tap
    good = udp_packet(B, 1, A, 9, b"x")
    tap.give(
        [b"", good[:39], b"\x45" + good[1:], good[:-1], udp_packet(B, 1, B, 9, b"x"), udp_packet(A, 1, A, 9, b"x"),
         udp_packet(MULTICAST, 1, A, 9, b"x"), udp_packet(bytes(16), 1, A, 9, b"x")],
        SECOND,
    )
    assert tap.take() == []
    counters = stack.counters()
    assert (counters["malformed"], counters["not_ours"], counters["martian"]) == (4, 1, 3)


def test_bytes_behind_the_packet_are_ignored(stack_tap):
    _, tap = stack_tap
    request = icmp_packet(B, A, 128, 0, bytes(8))
    tap.give([request + b"surplus"], SECOND)
    assert tap.take() == [icmp_packet(A, B, 129, 0, bytes(8))]


def test_subnet_is_served_whole():
    stack, tap = make_stack(A)
    prefix = bytes([3]) + bytes(7)
    stack.add_address(prefix + bytes(8), 64)
    inside = prefix + b"somebody"
    socket = stack.udp(inside, 53)
    tap.give([udp_packet(B, 1, inside, 53, b"x")], SECOND)
    assert [data for data, _ in socket.recv_many()] == [b"x"]
    socket.send(b"y", B, 1)
    assert tap.take()[0][8:24] == inside
    outside = bytes([3, 0, 0, 0, 0, 0, 0, 1]) + b"somebody"
    tap.give([udp_packet(B, 1, outside, 53, b"x")], SECOND)
    assert socket.pending == 0
    stack.close()
    tap.detach()


@pytest.mark.parametrize(
    ("option", "answer"), [(0x1E, "reply"), (0x5E, None), (0x9E, "problem"), (0xDE, "problem")]
)
def test_unknown_option_does_what_its_bits_say(stack_tap, option, answer):
    _, tap = stack_tap
    packet = with_header(icmp_packet(B, A, 128, 0, bytes(8)), 60, option_header(option))
    tap.give([packet], SECOND)
    sent = tap.take()
    if answer is None:
        assert sent == []
    elif answer == "reply":
        assert sent[0][40] == 129
    else:
        assert (sent[0][40], sent[0][41], struct.unpack(">I", sent[0][44:48])[0]) == (4, 2, 42)


def test_chain_of_headers_is_walked(stack_tap):
    _, tap = stack_tap
    packet = icmp_packet(B, A, 128, 0, bytes(8))
    packet = with_header(packet, 43, bytes([0, 0, 7, 0, 0, 0, 0, 0]))
    packet = with_header(packet, 60, option_header(0x1E))
    packet = with_header(packet, 0, option_header(0x1E))
    tap.give([packet], SECOND)
    assert tap.take()[0][40] == 129


def test_hop_by_hop_must_come_first(stack_tap):
    _, tap = stack_tap
    packet = with_header(icmp_packet(B, A, 128, 0, bytes(8)), 0, option_header(0x1E))
    tap.give([with_header(packet, 60, option_header(0x1E))], SECOND)
    (error,) = tap.take()
    assert (error[40], error[41], struct.unpack(">I", error[44:48])[0]) == (4, 1, 40)


def test_source_route_with_segments_left_is_refused(stack_tap):
    _, tap = stack_tap
    tap.give([with_header(icmp_packet(B, A, 128, 0, bytes(8)), 43, bytes([0, 0, 0, 1, 0, 0, 0, 0]))], SECOND)
    (error,) = tap.take()
    assert (error[40], error[41], struct.unpack(">I", error[44:48])[0]) == (4, 0, 42)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_fragments_in_any_order(order):
    stack, tap = make_stack(A)
    request = icmp_packet(B, A, 128, 0, bytes(range(256)) * 40)
    pieces = fragments(request, [2000, 2008, 9000])
    for index in order:
        assert tap.take() == []
        tap.give([pieces[index]], SECOND)
    assert tap.take() == [icmp_packet(A, B, 129, 0, bytes(range(256)) * 40)]
    stack.close()
    tap.detach()


def test_overlapping_fragments_drop_the_packet(stack_tap):
    stack, tap = stack_tap
    request = icmp_packet(B, A, 128, 0, bytes(4000))
    first, second, third = fragments(request, [1000, 2000])
    overlapping = fragments(request, [992, 2000])[1]
    tap.give([first, overlapping, second, third], SECOND)
    assert tap.take() == []
    assert stack.counters()["fragments_dropped"] == 3


def test_timeout_with_the_first_fragment_is_reported(stack_tap):
    _, tap = stack_tap
    first = fragments(icmp_packet(B, A, 128, 0, bytes(4000)), [1000])[0]
    other = fragments(icmp_packet(B, A, 128, 0, bytes(4000)), [1000], 10)[1]
    tap.give([first, other], SECOND)
    assert tap.poll(2 * SECOND) == 61 * SECOND
    assert tap.poll(61 * SECOND) is None
    (error,) = tap.take()
    assert (error[40], error[41]) == (3, 1)


def test_fragments_are_held_in_bounded_memory(stack_tap):
    _, tap = stack_tap
    request = icmp_packet(B, A, 128, 0, bytes(4000))
    tap.give([fragments(request, [1000], identification)[0] for identification in range(2000)], SECOND)
    # The latest still complete; the earliest had to give way.
    tap.give([fragments(request, [1000], 1999)[1], fragments(request, [1000], 0)[1]], SECOND)
    assert len(tap.take()) == 1


def test_fragment_sizes_that_cannot_be(stack_tap):
    _, tap = stack_tap
    uneven = ipv6_header(B, A, 44, 17) + struct.pack(">BBHI", 17, 0, 1, 1) + bytes(9)
    beyond = ipv6_header(B, A, 44, 24) + struct.pack(">BBHI", 58, 0, 0xFFF8, 2) + bytes(16)
    tap.give([uneven, beyond], SECOND)
    assert [(error[40], error[41], struct.unpack(">I", error[44:48])[0]) for error in tap.take()] == [
        (4, 0, 4), (4, 0, 42),
    ]
