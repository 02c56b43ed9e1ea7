"""ygg_c.stack.icmp: echo both ways, and errors that arrive."""

import errno
import struct

from tests.c.stackkit import DELAY, SECOND, A, B, StackPair, icmp_packet, ipv6_header


def test_ping():
    switch = StackPair()
    echo = switch.a.echo()
    assert echo.send(B, 7, b"payload")
    switch.run(1)
    ((code, sequence, source, payload, arrival),) = echo.recv_many()
    assert (code, sequence, source, payload) == (0, 7, B, b"payload")
    assert arrival == SECOND + 2 * DELAY
    assert echo.recv_many() == []
    switch.close()


def test_request_is_answered_in_kind(stack_tap):
    _, tap = stack_tap
    rest = struct.pack(">HH", 0x1234, 5) + bytes(range(200)) * 300
    tap.give([icmp_packet(B, A, 128, 0, rest)], SECOND)
    (reply,) = tap.take()
    assert reply == icmp_packet(A, B, 129, 0, rest)


def test_replies_nobody_asked_for_are_ignored(stack_tap):
    stack, tap = stack_tap
    echo = stack.echo()
    tap.give([icmp_packet(B, A, 129, 0, struct.pack(">HH", echo.identifier ^ 1, 1))], SECOND)
    assert echo.recv_many() == []
    assert tap.take() == []


def test_error_about_a_request_is_told(stack_tap):
    stack, tap = stack_tap
    echo = stack.echo()
    echo.send(B, 3)
    (request,) = tap.take()
    tap.give([icmp_packet(B, A, 1, 0, bytes(4) + request)], SECOND)
    assert echo.recv_many() == [(errno.ENETUNREACH, 3, B, b"", SECOND)]


def test_wrong_checksum_is_dropped(stack_tap):
    stack, tap = stack_tap
    packet = icmp_packet(B, A, 128, 0, bytes(8))
    tap.give([packet[:-1] + b"\1"], SECOND)
    assert tap.take() == []
    assert stack.counters()["bad_checksum"] == 1


def test_errors_without_a_quoted_packet_of_ours_are_ignored(stack_tap):
    _, tap = stack_tap
    for rest in (b"", bytes(4), bytes(60), bytes(4) + ipv6_header(B, A, 6, 20) + bytes(20)):
        for kind in (1, 2, 3, 4):
            tap.give([icmp_packet(B, A, kind, 0, rest)], SECOND)
    assert tap.take() == []
