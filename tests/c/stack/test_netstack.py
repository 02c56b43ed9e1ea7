"""ygg_c.stack.netstack: what programs ask of a stack."""

import errno
import itertools

import pytest

from tests.c.stackkit import SECOND, A, B, Log, icmp_packet, make_stack
from tests.expecting import raises_errno
from ygg.simulation import World
from ygg_c.base.clock import Clock, VirtualClock
from ygg_c.base.sodium import SeededRandom
from ygg_c.socket.endpoint import CLOSED, FAILED
from ygg_c.stack.netstack import NetStack

CALLS = {
    "connect": lambda stack, *where: stack.connect(B, 80, *where),
    "listen": lambda stack, address, port=80: stack.listen(address, port),
    "udp": lambda stack, address, port=80: stack.udp(address, port),
}


def test_ports_are_picked_at_random_and_none_is_in_use(switch):
    """RFC 6056, algorithm 2."""
    ports = [switch.a.connect(B, 80).local[1] for _ in range(2000)]
    assert len(set(ports)) == len(ports)
    assert min(ports) >= 32768
    steps = {(after - before) % 32768 for before, after in itertools.pairwise(ports)}
    assert len(steps) > 1500
    switch.a.listen(None, next(port for port in range(32768, 65536) if port not in ports))
    with pytest.raises(OSError, match="in use"):
        switch.a.connect(B, 80, None, ports[0])


@pytest.mark.parametrize(("arguments", "error", "text"), [
    (([],), ValueError, "address"),
    (([b"short"],), ValueError, "16"),
    (([(A, 129)],), ValueError, "prefix"),
    (([A], 1279), ValueError, "1280"),
    (([A], 65536), ValueError, "65535"),
])
def test_what_makes_no_stack_is_refused(arguments, error, text):
    with pytest.raises(error, match=text):
        NetStack(*arguments)


def test_it_tells_what_it_was_made_of():
    clock, random = VirtualClock(5), SeededRandom(1)
    stack = NetStack([A, (B, 64)], 1500, random, clock)
    assert stack.addresses == [(A, 128), (B, 64)]
    assert (stack.mtu, stack.clock, stack.random, stack.down) == (1500, clock, random, False)
    stack.set_clock(77)
    assert stack.now == 77
    stack.close()
    plain = NetStack([A])
    assert isinstance(plain.clock, Clock)
    assert plain.mtu == 65535
    plain.close()


@pytest.mark.parametrize("call", CALLS)
def test_an_address_that_is_not_ours_cannot_be_had(stack_tap, call):
    stack, _ = stack_tap
    with raises_errno(errno.EADDRNOTAVAIL):
        CALLS[call](stack, B)
    assert stack.endpoints() == []


@pytest.mark.parametrize("call", CALLS)
def test_one_end_is_one_sockets(stack_tap, call):
    stack, _ = stack_tap
    first = CALLS[call](stack, A, 80)
    with raises_errno(errno.EADDRINUSE):
        CALLS[call](stack, A, 80)
    assert stack.endpoints() == [first]


@pytest.mark.parametrize("target", [bytes(16), b"\xff\x02" + bytes(14)], ids=["unspecified", "multicast"])
def test_nothing_connects_to_what_is_no_host(stack_tap, target):
    stack, tap = stack_tap
    with raises_errno(errno.ENETUNREACH):
        stack.connect(target, 80)
    tap.poll(SECOND)
    assert tap.take() == []


def test_the_places_of_connections_have_an_end(stack_tap):
    stack, _ = stack_tap
    stack.max_connections = 16
    for _ in range(16):
        stack.connect(B, 80)
    with raises_errno(errno.ENOBUFS):
        stack.connect(B, 80)


def test_what_a_path_takes_is_known_for_ten_minutes(stack_tap):
    stack, tap = stack_tap
    socket = stack.udp(None, 0)
    socket.send(bytes(5000), B, 9)
    tap.poll(SECOND)
    (packet,) = tap.take()
    assert stack.mtu_to(B) == 65535
    tap.give([icmp_packet(B, A, 2, 0, (2000).to_bytes(4, "big") + packet[:1200])], SECOND)
    assert stack.mtu_to(B) == 2000
    tap.poll(SECOND + 601 * SECOND)
    assert stack.mtu_to(B) == 65535
    with pytest.raises(ValueError, match="16"):
        stack.mtu_to(b"short")


def test_closing_it_ends_everything_once():
    stack, tap = make_stack(A)
    connection, listener, socket, echo = stack.connect(B, 80), stack.listen(None, 80), stack.udp(None, 53), stack.echo()
    log = Log(connection)
    assert set(stack.endpoints()) == {connection, listener, socket, echo}
    stack.close()
    stack.close()
    tap.poll(SECOND)
    tap.take()
    assert stack.endpoints() == []
    assert all(one.closed for one in (connection, listener, socket, echo))
    assert log.calls == 0           # nothing more is told
    for call in (lambda: stack.connect(B, 80), lambda: stack.listen(None, 81), lambda: stack.udp(None, 54), stack.echo):
        with raises_errno(errno.EBADF):
            call()
    tap.detach()


def test_usage_tells_what_a_node_has_and_nothing_of_others(switch):
    client, server = switch.pair()
    client.write(bytes(5000))
    switch.run(0.1)
    theirs = switch.b.usage(A)
    assert theirs["incoming"] == 1
    assert theirs["received"] >= 5000
    assert set(switch.b.usage(bytes([2, 9]) + bytes(14)).values()) == {0}
    assert switch.a.usage(B)["incoming"] == 0
    del server


def test_a_stack_that_is_down_says_so():
    """When what was below has ended all that is open fails with ENETDOWN."""
    with World() as world:
        node, other = world.add(1), world.add(2)
        target = other.engine.address
        connection = node.stack.connect(target, 80)
        log = Log(connection)
        world.run(0.1)
        node.engine.close()
        node.stack.turn(2 * SECOND)
        assert node.stack.down
        assert log.flags & (FAILED | CLOSED) == FAILED | CLOSED
        assert connection.error == errno.ENETDOWN
        with raises_errno(errno.ENETDOWN):
            node.stack.connect(target, 80)
        del connection, log
