"""Echo sockets; what a stack answers and refuses is tested in tests/c/ip/test_icmp.py."""

import errno
import struct

import pytest

from tests.c.stackkit import SECOND, A, B, icmp_packet, make_stack


def test_each_has_an_identifier_of_its_own() -> None:
    """A reply goes to the socket that asked, and nowhere once that is closed."""
    stack, tap = make_stack(A)
    one, other = stack.echo(), stack.echo()
    assert one.identifier != other.identifier
    for number, socket in enumerate((one, other)):
        socket.send(B, number, b"question")
    first, second = tap.take()
    answers = [icmp_packet(B, A, 129, 0, request[44:]) for request in (second, first)]
    tap.give(answers, SECOND)
    assert one.recv_many() == [(0, 0, B, b"question", SECOND)]
    assert other.recv_many() == [(0, 1, B, b"question", SECOND)]
    one.close()
    ignored = stack.counters()["icmp_ignored"]
    tap.give(answers, 2 * SECOND)
    assert other.recv_many() == [(0, 1, B, b"question", 2 * SECOND)]
    assert stack.counters()["icmp_ignored"] == ignored + 1
    stack.close()
    tap.detach()


def test_what_cannot_be_sent_is_refused() -> None:
    stack, tap = make_stack(A)
    echo = stack.echo()
    for address, sequence in ((B[:15], 1), (B, -1), (B, 65536)):
        with pytest.raises(ValueError, match="sequence number"):
            echo.send(address, sequence)
    with pytest.raises(OSError, match="too long") as caught:
        echo.send(B, 1, bytes(65528))
    assert caught.value.errno == errno.EMSGSIZE
    echo.close()
    with pytest.raises(OSError, match="descriptor") as caught:
        echo.send(B, 1)
    assert caught.value.errno == errno.EBADF
    assert tap.take() == []
    stack.close()
    tap.detach()


def test_a_request_is_a_packet_of_its_own() -> None:
    stack, tap = make_stack(A)
    echo = stack.echo()
    echo.send(B, 258, b"payload")
    (packet,) = tap.take()
    assert packet == icmp_packet(A, B, 128, 0, struct.pack(">HH", echo.identifier, 258) + b"payload")
    stack.close()
    tap.detach()
