"""What all strangers share of a stack: errors, resets and echo replies; each node has its part, by whatever address."""

from collections import Counter

import pytest

from tests.c.stackkit import (
    ACK,
    FIN,
    MS,
    RST,
    SECOND,
    SYN,
    A,
    B,
    Peer,
    Tcp,
    icmp_packet,
    ipv6_header,
    make_stack,
    udp_packet,
)

GREEDY = (b"\x02\x77" + bytes(6), b"\x03\x77" + bytes(6))     # one node's address and its subnet
MODEST = b"\x02\x55" + bytes(14)


def addresses(number: int) -> bytes:
    return GREEDY[number % 2] + number.to_bytes(8, "big")


REQUESTS = {
    "error": lambda source: udp_packet(source, 1, A, 9, b"x"),
    "header": lambda source: ipv6_header(source, A, 200, 8) + bytes(8),
    "reset": lambda source: Tcp(1000, 9, 1, 1, ACK).packet(source, A),
    "echo": lambda source: icmp_packet(source, A, 128, 0, bytes(8)),
    "large echo": lambda source: icmp_packet(source, A, 128, 0, bytes(60_000)),
}
REFUSED = {
    "error": "icmp_limited", "header": "icmp_limited", "reset": "tcp_resets_limited", "echo": "echo_limited",
    "large echo": "echo_limited",
}


@pytest.mark.parametrize("kind", list(REQUESTS))
def test_a_node_that_asks_for_everything_leaves_the_others_their_part(kind):
    """The greedy one asks a hundred times as often, from its address and all of its subnet."""
    stack, tap = make_stack(A)
    request, answers, asked = REQUESTS[kind], Counter(), Counter()
    now = SECOND
    for turn in range(2000):
        packets = [request(addresses(turn * 20 + number)) for number in range(20 if kind != "large echo" else 3)]
        asked["greedy"] += len(packets)
        if turn % 20 == 10:
            packets.append(request(MODEST))
            asked["modest"] += 1
        tap.give(packets, now)
        for packet in tap.take():
            answers["modest" if packet[24:40] == MODEST else "greedy"] += 1
        now += MS
    assert asked["modest"] == 100
    assert answers["modest"] == 100
    assert 0 < answers["greedy"] < asked["greedy"] / 2
    counts = stack.counters()
    assert counts[REFUSED[kind]] + counts["malformed"] == asked.total() - answers.total()
    stack.close()
    tap.detach()


@pytest.mark.parametrize("kind", list(REQUESTS))
def test_ordinary_use_meets_no_limit(kind):
    stack, tap = make_stack(A)
    answers = 0
    for turn in range(20):
        tap.give([REQUESTS[kind](bytes([2, number]) + bytes(14)) for number in range(2)], SECOND + turn * 100 * MS)
        answers += len(tap.take())
    assert answers == 40
    assert stack.counters()[REFUSED[kind]] == 0
    stack.close()
    tap.detach()


def counted(stack) -> Counter:
    """Return the reasons counted, without what only says that a packet came or went."""
    plain = {"packets_in", "bytes_in", "packets_out", "bytes_out", "tcp_in", "udp_in", "icmp_in", "fragments"}
    return Counter({name: count for name, count in stack.counters().items() if count and name not in plain})


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (ipv6_header(B, A, 200, 8) + bytes(8), "unknown_protocol"),
        (ipv6_header(B, A, 59, 8) + bytes(8), "unknown_protocol"),
        (Tcp(1000, 80, 1, 1, RST).packet(B, A), "tcp_ignored"),
        (Tcp(1000, 80, 1, 1, 0).packet(B, A), "tcp_ignored"),
        (Tcp(1000, 80, 1, 1, FIN).packet(B, A), "tcp_ignored"),
        (Tcp(1000, 81, 1, 1, RST).packet(B, A), "tcp_no_port"),
        (icmp_packet(B, A, 129, 0, bytes(8)), "icmp_ignored"),
        (icmp_packet(B, A, 200, 0, bytes(8)), "icmp_ignored"),
        (icmp_packet(B, A, 1, 0, bytes(60)), "icmp_ignored"),
        (bytes(39), "malformed"),
        (ipv6_header(B, B, 59, 0), "not_ours"),
        (ipv6_header(A, A, 59, 0), "martian"),
    ],
)
def test_every_packet_that_is_dropped_is_counted(packet, reason):
    stack, tap = make_stack(A)
    stack.listen(None, 80)
    tap.give([packet], SECOND)
    tap.take()
    counts = counted(stack)
    del counts["tcp_resets_sent"]
    assert counts == {reason: 1}
    stack.close()
    tap.detach()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"flags": 0, "data": b"x"}, "tcp_ignored"),
        ({"flags": RST, "back": 1}, "tcp_unacceptable"),
        ({"flags": RST, "back": -100_000_000}, "tcp_beyond_window"),
        ({"flags": ACK, "back": 1}, "tcp_unacceptable"),
    ],
)
def test_every_segment_that_a_connection_drops_is_counted(fields, reason):
    peer = Peer()
    connection = peer.accept()
    seq = peer.seq - fields.pop("back", 0)
    peer.send(seq=seq, **fields)
    assert counted(peer.stack) == {reason: 1}
    assert not connection.closed
    peer.close()


def test_answers_held_back_are_counted():
    """Challenge ACKs, and ACKs of stray segments, have a rate; what is above it is dropped without an answer."""
    peer = Peer()
    connection = peer.accept()
    sent = sum(len(peer.send(flags=SYN)) for _ in range(10))
    counts = counted(peer.stack)
    assert counts["tcp_challenges"] == sent == 10 - counts["tcp_answers_limited"]
    assert not connection.closed
    peer.close()


def test_a_closed_stack_counts_what_still_comes():
    stack, tap = make_stack(A)
    stack.close()
    tap.give([udp_packet(B, 1, A, 9, b"x")], SECOND)
    assert counted(stack) == {"closed": 1}
    tap.detach()
