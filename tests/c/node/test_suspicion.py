"""Silence that makes a stack ask for another way: repeated timeouts of every kind."""

import pytest

from tests.c.stackkit import SECOND, A, B, Peer, icmp_packet, make_stack


@pytest.fixture
def told():
    """A peer on an established connection, and the addresses that were suspected."""
    peer = Peer()
    suspects: list[bytes] = []
    peer.tap.on_suspect = suspects.append
    parts = [peer, peer.accept(), suspects]
    yield parts
    peer.close()
    parts.clear()


def test_the_second_timeout_in_a_row_is_told(told):
    peer, connection, suspects = told
    connection.send(b"data")
    peer.take()
    while connection.info()["timeouts"] < 1:
        peer.now = peer.deadline
        peer.take()
    assert suspects == []
    while connection.info()["timeouts"] < 3:
        peer.now = peer.deadline
        peer.take()
    assert suspects == [B, B]


def test_an_answer_between_two_timeouts_is_enough(told):
    peer, connection, suspects = told
    for _ in range(5):
        connection.send(b"data")
        peer.take()
        before = connection.info()["timeouts"]
        while connection.info()["timeouts"] == before:
            peer.now = peer.deadline
            peer.take()
        peer.ack += 4
        peer.send()
    assert suspects == []


def test_each_repetition_of_a_syn_is_told():
    stack, tap = make_stack(A)
    suspects: list[bytes] = []
    tap.on_suspect = suspects.append
    connection = stack.connect(B, 80)
    now = SECOND
    while not connection.closed:
        now = tap.poll(now) or now
    assert suspects == [B] * stack.syn_retries
    tap.take()
    stack.close()
    tap.detach()


def probes(peer):
    """Return what is sent next by a timer. At others, as when memory is given back, nothing leaves."""
    sent = []
    while not sent:
        peer.now = peer.deadline
        sent = peer.take()
    return sent


def test_window_probes_without_an_answer_are_told_and_answered_ones_are_not(told):
    peer, connection, suspects = told
    peer.send(window=0)
    connection.send(b"data")
    peer.take()
    for _ in range(4):
        assert probes(peer)
        peer.send(window=0)
    assert suspects == []
    for _ in range(3):
        assert probes(peer)
    assert suspects == [B, B]


def test_keepalive_probes_without_an_answer_are_told(told):
    peer, connection, suspects = told
    connection.keepalive = (100 * SECOND, 10 * SECOND, 4)
    peer.wait(1000 * SECOND)
    assert connection.closed
    assert suspects == [B] * 3


def test_what_is_acknowledged_is_told_now_and_then(told):
    peer, connection, suspects = told
    works: list[bytes] = []
    peer.tap.on_works = works.append
    for _ in range(40):
        connection.send(b"data")
        peer.take()
        peer.ack += 4
        peer.now += SECOND
        peer.send()
    assert works == [B] * 4
    assert suspects == []
    peer.send()         # what acknowledges nothing new says nothing
    peer.now += 20 * SECOND
    peer.send(data=b"theirs")
    assert len(works) == 4


def test_echo_replies_are_told_now_and_then():
    stack, tap = make_stack(A)
    works: list[bytes] = []
    tap.on_works = works.append
    echo = stack.echo()
    for second in range(25):
        tap.give([icmp_packet(B, A, 129, 0, echo.identifier.to_bytes(2, "big") + b"\0\1")], (1 + second) * SECOND)
    assert works == [B] * 3
    stack.close()
    tap.detach()
