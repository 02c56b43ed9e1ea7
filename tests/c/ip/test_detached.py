"""A stack without a lower side: it asks for turns and gets them, and what is open ends in time, or with the node."""

import errno
from typing import Any

import pytest

from tests.c.stackkit import MS, SECOND, A, B, Log, StackPair
from tests.expecting import raises_errno
from ygg.testing import secret_key
from ygg_c.base import live
from ygg_c.node.gateway import Gateway
from ygg_c.node.node import Node
from ygg_c.socket.endpoint import CLOSED, FAILED
from ygg_c.stack.netstack import NetStack
from ygg_c.stack.udp import UdpSocket
from ygg_c.testing.packets import PacketTap


class Alone:
    """A stack with nothing below, and the time; it has a turn whenever it asks for one or one is due."""

    def __init__(self, stack: NetStack, now: int) -> None:
        self.stack, self.now = stack, now
        self.asked = 0
        stack.on_work = self.ask

    def ask(self) -> None:
        self.asked += 1

    def run(self, duration: int) -> None:
        """Let `duration` ns pass."""
        end = self.now + duration
        while True:
            self.asked = 0
            deadline = self.stack.turn(self.now)
            if self.asked:
                continue
            if deadline is None or deadline > end:
                self.now = end
                return
            self.now = max(self.now, deadline)


@pytest.fixture
def switch():
    """Give two stacks on a wire."""
    switch = StackPair()
    yield switch
    switch.close()


def test_work_is_asked_for_once() -> None:
    stack = NetStack([A])
    alone = Alone(stack, SECOND)
    stack.connect(B, 80)
    stack.connect(B, 81)
    assert alone.asked == 1
    stack.turn(SECOND)
    stack.connect(B, 82)
    assert alone.asked == 2
    stack.close()


def test_an_unanswered_turn_of_the_former_lower_side_does_not_count(switch: StackPair) -> None:
    switch.a.connect(B, 80)      # asks the tap, which goes without giving a turn
    alone = Alone(switch.a, switch.now)
    switch.remove(A)
    assert alone.asked == 1
    assert switch.a.turn(switch.now) is not None


def test_a_lower_side_gives_the_turns() -> None:
    stack = NetStack([A])
    alone = Alone(stack, SECOND)
    tap = PacketTap(stack)
    stack.connect(B, 80)
    assert alone.asked == 0
    assert stack.turn(SECOND) is None
    tap.poll(SECOND)
    assert len(tap.take()) == 1
    stack.close()


def test_a_dial_times_out() -> None:
    stack = NetStack([A])
    stack.syn_retries = 0
    alone = Alone(stack, SECOND)
    connection = stack.connect(B, 80)
    log = Log(connection)
    alone.run(2 * SECOND)
    assert connection.error == errno.ETIMEDOUT
    assert log.flags == FAILED | CLOSED
    assert stack.endpoints() == []


@pytest.mark.parametrize("sent_before", [True, False])
def test_retransmission_ends_a_connection(switch: StackPair, sent_before: bool) -> None:
    """Also one that could send nothing since the lower side went."""
    client, _ = switch.pair()
    switch.a.retries = 3
    if sent_before:
        client.write(b"on the wire")
        switch.turn()
    switch.remove(A)
    alone = Alone(switch.a, switch.now)
    client.write(b"held back")
    alone.run(60 * SECOND)
    assert client.error == errno.ETIMEDOUT


def test_the_user_timeout_counts_from_the_write(switch: StackPair) -> None:
    client, _ = switch.pair()
    client.user_timeout = 10 * SECOND
    switch.remove(A)
    alone = Alone(switch.a, switch.now)
    alone.run(60 * SECOND)
    client.write(b"held back")
    alone.run(9 * SECOND)
    assert client.error == 0
    alone.run(20 * SECOND)
    assert client.error == errno.ETIMEDOUT


def test_what_was_held_back_leaves_at_once_and_is_timed_afresh(switch: StackPair) -> None:
    client, server = switch.pair()
    switch.remove(A)
    alone = Alone(switch.a, switch.now)
    client.write(b"held back")
    alone.run(20 * SECOND)
    switch.run(20)
    assert switch.now == alone.now
    assert client.info()["rto"] > 10 * SECOND       # backed off, though nothing of it was sent
    switch.add(switch.a)        # attached again
    switch.run(1, lambda: bool(server.readable))
    assert server.recv() == b"held back"
    switch.run(1)
    assert client.queued == 0
    assert client.info()["rto"] < SECOND


def dead_ends(stack: NetStack) -> None:
    """Open and give up each kind of endpoint, in every state that waits for something below."""
    for _ in range(10):
        stack.connect(B, 80).abort()
        for end in (stack.udp(None, 0), stack.udp(None, 0, (B, 9)), stack.echo()):
            end.on_event = print
            if isinstance(end, UdpSocket):
                end.send(b"x", *(() if end.remote else (B, 9)))
            else:
                end.send(B, 1)
            end.close()


def test_a_turn_lets_go_of_what_has_ended() -> None:
    stack = NetStack([A])
    alone = Alone(stack, SECOND)
    dead_ends(stack)
    alone.run(0)
    assert (live.counts()["tcp"], live.counts()["udp"]) == (0, 0)
    stack.close()


def test_a_full_link_holds_nothing_that_has_ended() -> None:
    stack = NetStack([A])
    tap = PacketTap(stack)
    tap.credit_bytes = 0
    dead_ends(stack)
    tap.poll(SECOND)
    assert (live.counts()["tcp"], live.counts()["udp"]) == (0, 0)
    stack.close()


def test_a_closed_stack_holds_nothing() -> None:
    """Although it never had a turn."""
    stack = NetStack([A])
    dead_ends(stack)
    stack.connect(B, 80)
    stack.connect(A, 80)
    stack.echo().send(B, 1)
    for endpoint in stack.endpoints():
        endpoint.on_event = print
    del endpoint
    stack.close()
    counts = live.counts()
    assert (counts["tcp"], counts["udp"], counts["packet"]) == (0, 0, 0)


def test_our_own_address_is_there_all_the_same() -> None:
    stack = NetStack([A])
    alone = Alone(stack, SECOND)
    listener = stack.listen(None, 80)
    client = stack.connect(A, 80)
    alone.run(MS)
    assert client.state == "ESTABLISHED"
    assert listener.accept() is not None
    stack.close()


class Stopped:
    """A stack over a node, with one endpoint of each kind and their events; the node closes."""

    def __init__(self) -> None:
        node = Node(secret_key(1))
        self.stack = NetStack([node.address])
        Gateway(node).attach(self.stack)
        self.alone = Alone(self.stack, SECOND)
        self.endpoints = [
            self.stack.listen(None, 80),
            self.stack.connect(B, 80),
            self.stack.udp(None, 53),
            self.stack.udp(None, 54, (B, 9)),
            self.stack.echo(),
        ]
        self.logs = [Log(endpoint) for endpoint in self.endpoints]
        node.turn(SECOND, 1)
        node.close()


def test_a_node_that_closes_ends_what_is_open() -> None:
    stopped = Stopped()
    assert stopped.alone.asked
    stopped.alone.run(0)
    assert [log.flags for log in stopped.logs] == [FAILED | CLOSED] * 5
    assert {endpoint.error for endpoint in stopped.endpoints} == {errno.ENETDOWN}
    assert stopped.stack.endpoints() == []
    connection: Any
    udp: Any
    connected: Any
    echo: Any
    _, connection, udp, connected, echo = stopped.endpoints
    for call in (
        lambda: connection.recv(),
        lambda: connection.write(b"x"),
        lambda: udp.recv_many(),
        lambda: udp.recv_many(),
        lambda: udp.send(b"x", B, 9),
        lambda: connected.send(b"x"),
        lambda: echo.send(B, 1),
    ):
        with raises_errno(errno.ENETDOWN):
            call()


def test_nothing_opens_until_it_is_attached_again() -> None:
    stack = Stopped().stack
    assert stack.down
    for call in (
        lambda: stack.listen(None, 80),
        lambda: stack.connect(B, 80),
        lambda: stack.udp(None, 53),
        lambda: stack.echo(),
    ):
        with raises_errno(errno.ENETDOWN):
            call()
    tap = PacketTap(stack)
    assert not stack.down
    stack.connect(B, 80)
    tap.poll(SECOND)
    assert len(tap.take()) == 1
    stack.close()


def test_time_that_passed_without_turns_is_not_held_against_what_begins_after_it() -> None:
    stack = NetStack([A])
    alone = Alone(stack, 1000 * SECOND)
    stack.set_clock(alone.now)
    connection = stack.connect(B, 80)
    connection.user_timeout = 100 * SECOND
    alone.run(99 * SECOND)
    assert connection.state == "SYN-SENT"
    alone.run(100 * SECOND)     # it is looked at when a retransmission is due
    assert connection.error == errno.ETIMEDOUT
    before = stack.now
    stack.set_clock(SECOND)         # never back
    assert stack.now == before
    stack.close()
