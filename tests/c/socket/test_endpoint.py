"""ygg_c.socket.endpoint: what all sockets have in common: events, their end, and whose turn it is."""

import sys
from typing import Any

import pytest

from tests.c.stackkit import SECOND, A, B, Log, make_stack, udp_packet
from ygg_c.socket import endpoint
from ygg_c.socket.endpoint import CLOSED, COUNT_NAMES, FAILED, READABLE, WRITABLE


def test_events_are_bits_of_their_own() -> None:
    values = [getattr(endpoint, name) for name in
              ("READABLE", "WRITABLE", "CONNECTED", "EOF", "FAILED", "CLOSED", "DRAINED")]
    assert [value.bit_count() for value in values] == [1] * 7
    assert len(set(values)) == 7


def test_counters_have_the_names_in_their_order(stack_tap: list[Any]) -> None:
    stack, tap = stack_tap
    assert list(stack.counters())[: len(COUNT_NAMES)] == list(COUNT_NAMES)
    assert len(set(COUNT_NAMES)) == len(COUNT_NAMES)
    tap.give([b"\x60"], SECOND)
    assert {name for name, count in stack.counters().items() if count} == {"packets_in", "bytes_in", "malformed"}


def test_a_batch_is_told_once_and_after_it(stack_tap: list[Any]) -> None:
    stack, tap = stack_tap
    socket = stack.udp(None, 53)
    seen: list[int] = []
    socket.on_event = lambda flags: seen.append(socket.pending)
    tap.give([udp_packet(B, 1, A, 53, b"x")] * 3, SECOND)
    tap.poll(SECOND)
    assert seen == [3]


def test_what_happened_before_there_was_a_handler_is_told_to_it(stack_tap: list[Any]) -> None:
    stack, tap = stack_tap
    socket = stack.udp(None, 53)
    tap.give([udp_packet(B, 1, A, 53, b"x")], SECOND)
    tap.poll(SECOND)
    log = Log(socket)
    assert log.flags == 0           # never from inside the call
    tap.poll(SECOND)
    assert log.flags == READABLE
    socket.on_event = None
    tap.give([udp_packet(B, 1, A, 53, b"x")], SECOND)
    tap.poll(SECOND)
    assert log.calls == 1


def test_the_last_event_is_told_and_then_the_handler_and_owner_are_let_go(stack_tap: list[Any]) -> None:
    stack, tap = stack_tap
    connection = stack.connect(B, 80)
    connection.owner = object()
    log = Log(connection)
    tap.poll(SECOND)
    assert not connection.closed
    assert connection.clock is stack.clock
    connection.abort()
    tap.poll(SECOND)
    assert log.flags & CLOSED
    assert (connection.closed, connection.owner, connection.on_event, connection.clock) == (True, None, None, None)


def test_a_failure_is_told_with_its_number(stack_tap: list[Any]) -> None:
    stack, tap = stack_tap
    stack.syn_retries = 0
    connection = stack.connect(B, 80)
    log = Log(connection)
    deadline = tap.poll(SECOND)
    tap.poll(deadline)
    assert log.flags == FAILED | CLOSED
    assert connection.error == 110      # ETIMEDOUT


def test_a_handler_that_raises_harms_no_other(stack_tap: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", raised.append)
    stack, tap = stack_tap
    one, other = stack.udp(None, 53), stack.udp(None, 54)
    one.on_event = lambda flags: 1 / 0
    log = Log(other)
    tap.give([udp_packet(B, 1, A, port, b"x") for port in (53, 54)], SECOND)
    tap.poll(SECOND)
    assert log.flags == READABLE
    assert [type(report.exc_value) for report in raised] == [ZeroDivisionError]
    raised.clear()


def test_a_handler_may_close_the_socket_that_is_told_next(stack_tap: list[Any]) -> None:
    stack, tap = stack_tap
    one, other = stack.udp(None, 53), stack.udp(None, 54)
    one.on_event = lambda flags: other.close()
    log = Log(other)
    tap.give([udp_packet(B, 1, A, port, b"x") for port in (53, 54)], SECOND)
    tap.poll(SECOND)
    assert other.closed
    assert log.flags in (0, READABLE)
    assert stack.endpoints() == [one]


def test_who_waits_for_a_link_is_told_in_turn_when_it_has_room() -> None:
    stack, tap = make_stack(A)
    sockets = [stack.udp(None, port) for port in (1, 2, 3)]
    order: list[int] = []
    for number, socket in enumerate(sockets):
        socket.on_event = lambda flags, number=number: order.append(number) if flags & WRITABLE else None
    tap.credit_bytes = 0
    assert [sockets[number].send(bytes(1000), B, 9) for number in (2, 0, 1)] == [False] * 3
    tap.give_credit(1 << 20, SECOND)
    tap.poll(SECOND)
    assert order == [2, 0, 1]
    assert all(socket.send(bytes(1000), B, 9) for socket in sockets)
    tap.take()
    stack.close()
    tap.detach()


def test_without_a_lower_side_work_is_announced_once() -> None:
    stack, tap = make_stack(A)
    tap.detach()
    asked: list[int] = []
    stack.on_work = lambda: asked.append(1)
    stack.turn(SECOND)
    asked.clear()
    stack.connect(B, 80)
    stack.connect(B, 81)
    assert asked == [1]
    assert stack.turn(SECOND) is not None
    stack.connect(B, 82)
    assert asked == [1, 1]
    stack.close()
    stack.turn(SECOND)
