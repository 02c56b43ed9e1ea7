"""ygg_c.stack.loopback: what a stack sends to its own addresses."""

from tests.c.stackkit import SECOND, A, Log, make_stack
from ygg_c.socket.endpoint import WRITABLE

LARGEST = 65_527     # of a UDP datagram: 65,535 less its header


def test_datagrams_to_ourselves_may_be_as_large():
    stack, tap = make_stack(A, 1280)
    here, there = stack.udp(A, 1), stack.udp(A, 2)
    assert here.send(bytes(LARGEST), A, 2)
    tap.poll(SECOND)
    assert [len(data) for data, _ in there.recv_many()] == [LARGEST]
    del here, there
    stack.close()
    tap.detach()


def test_what_is_on_its_way_is_bounded_and_told():
    """A socket is refused while 4 MiB are under way, and told when there is room."""
    stack, tap = make_stack(A, 65535)
    here, there = stack.udp(A, 1), stack.udp(A, 2)
    there.queue_limit = 64 << 20
    log = Log(here)
    sent = 0
    while here.send(bytes(60_000), A, 2):
        sent += 1
    assert 4 << 20 > 60_000 * sent > (4 << 20) - 130_000
    assert log.flags == 0
    tap.poll(SECOND)
    tap.poll(SECOND)
    assert log.flags & WRITABLE
    assert there.pending == sent
    assert stack.counters()["loop_dropped"] == 0
    assert tap.take() == []
    stack.close()
    tap.detach()


def test_they_come_in_order_and_never_leave():
    stack, tap = make_stack(A, 1280)
    here, there = stack.udp(A, 1), stack.udp(A, 2)
    for number in range(100):
        assert here.send(number.to_bytes(2, "big"), A, 2)
    tap.poll(SECOND)
    assert [int.from_bytes(data, "big") for data, _ in there.recv_many()] == list(range(100))
    assert tap.take() == []
    stack.close()
    tap.detach()


def test_a_stack_without_a_lower_side_talks_to_itself():
    stack, tap = make_stack(A, 1280)
    tap.detach()
    here, there = stack.udp(A, 1), stack.udp(A, 2)
    assert here.send(b"alone", A, 2)
    stack.turn(SECOND)
    assert there.recv_many() == [(b"alone", (A, 1))]
    stack.close()
    stack.turn(SECOND)


def test_what_is_under_way_when_the_stack_closes_goes_with_it():
    stack, tap = make_stack(A, 1280)
    here, _there = stack.udp(A, 1), stack.udp(A, 2)
    assert here.send(bytes(1000), A, 2)
    stack.close()
    tap.poll(SECOND)
    assert tap.take() == []
    assert stack.buffered == (0, 0)
    tap.detach()
