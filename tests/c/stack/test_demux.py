"""ygg_c.stack.demux: what becomes of a packet that arrives, and of one that leaves."""

import pytest

from tests.c.stackkit import SECOND, A, B, ipv6_header, make_stack, udp_packet
from tests.c.tcp.scripted import scripts

test_scripts = scripts("21-ipv6")
MULTICAST, UNSPECIFIED = b"\xff\x02" + bytes(13) + b"\1", bytes(16)


def test_bad_packets_are_dropped():
    stack, tap = make_stack(A)
    socket = stack.udp(None, 53)
    good = udp_packet(B, 1, A, 53, b"hello")
    wrong_sum = good[:-1] + b"!"
    wrong_length = good[:44] + b"\xff\xff" + good[46:]
    tap.give([wrong_sum, wrong_length, good[:41], good], SECOND)
    assert [data for data, _ in socket.recv_many()] == [b"hello"]
    counters = stack.counters()
    assert (counters["bad_checksum"], counters["malformed"]) == (1, 2)
    stack.close()
    tap.detach()


@pytest.mark.parametrize(("packet", "counter"), [
    (b"", "malformed"),
    (bytes(40), "malformed"),                                                   # of no version
    (b"\x45" + ipv6_header(B, A, 59, 0)[1:], "malformed"),                      # of version 4
    (ipv6_header(B, A, 59, 0)[:39], "malformed"),
    (ipv6_header(B, A, 59, 1), "malformed"),                                    # shorter than it says
    (ipv6_header(B, B, 59, 0), "not_ours"),
    (ipv6_header(B, MULTICAST, 59, 0), "not_ours"),
    (ipv6_header(MULTICAST, A, 59, 0), "martian"),
    (ipv6_header(UNSPECIFIED, A, 59, 0), "martian"),
    (ipv6_header(A, A, 59, 0), "martian"),                                      # from outside, in our name
    (ipv6_header(B, A, 59, 0), "unknown_protocol"),                             # "no next header" is not reported
])
def test_what_is_for_nothing_is_counted_and_not_answered(stack_tap, packet, counter):
    stack, tap = stack_tap
    tap.give([packet], SECOND)
    assert tap.take() == []
    counters = stack.counters()
    assert counters[counter] == 1
    assert sum(counters.values()) == 2 + len(packet)        # with packets_in and bytes_in


def test_what_is_longer_than_it_says_is_cut(stack_tap):
    stack, tap = stack_tap
    socket = stack.udp(None, 53)
    tap.give([udp_packet(B, 1, A, 53, b"hello") + b"trailing"], SECOND)
    assert [data for data, _ in socket.recv_many()] == [b"hello"]


def test_every_address_of_a_subnet_is_ours_and_none_beside_it():
    stack, tap = make_stack(A)
    stack.add_address(bytes([3]) + bytes(15), 61)
    socket = stack.udp(None, 53)
    inside = [bytes([3]) + bytes(14) + b"\1", bytes([3]) + bytes(6) + b"\x07" + b"\xff" * 8]
    outside = [bytes([3]) + bytes(6) + b"\x08" + bytes(8), bytes([3, 1]) + bytes(14)]
    tap.give([udp_packet(B, 1, target, 53, target) for target in inside + outside], SECOND)
    assert [data for data, _ in socket.recv_many()] == inside
    assert stack.counters()["not_ours"] == 2
    stack.close()
    tap.detach()


def test_a_closed_stack_counts_what_comes_and_says_nothing():
    stack, tap = make_stack(A)
    stack.close()
    tap.poll(SECOND)
    tap.take()
    tap.give([udp_packet(B, 1, A, 53, b"x")], SECOND)
    assert tap.take() == []
    assert stack.counters()["closed"] == 1
    tap.detach()


def test_without_a_lower_side_what_leaves_is_counted():
    stack, tap = make_stack(A)
    socket = stack.udp(None, 1)
    tap.detach()
    stack.turn(SECOND)
    socket.send(b"x", B, 9)
    stack.turn(SECOND)
    counters = stack.counters()
    assert counters["packets_out"] == counters["no_link"]
    stack.close()
    stack.turn(SECOND)
