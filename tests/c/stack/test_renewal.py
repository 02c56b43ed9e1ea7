"""Peers that may have restarted: what their connections are asked, how fast, and what comes of it."""

import errno
from collections import Counter

import pytest

from tests.c.stackkit import ACK, DELAY, MS, RST, SECOND, SYN, A, B, Peer, StackPair, Tcp, make_stack, parse_tcp

SUBNET = bytes([3]) + bytes(7)


@pytest.fixture
def switch():
    switch = StackPair()
    yield switch
    switch.close()


def renewed(switch: StackPair) -> None:
    switch.a.peer_made_session(B, SUBNET)


def probes(peer: Peer, duration: int) -> list[int]:
    """Return when probes left, in ns from now, while `duration` passes."""
    began, found = peer.now, []
    limit = peer.now + duration
    while True:
        found += [peer.now - began for segment in peer.take() if segment.seq % 2**32 == peer.ack - 1]
        if peer.deadline is None or peer.deadline > limit:
            peer.now = limit
            return found
        peer.now = max(peer.now, peer.deadline)


def test_an_idle_connection_to_a_restarted_host_ends_at_once(switch):
    client, _ = switch.pair()
    switch.run(100)
    switch.change_b()
    renewed(switch)
    began = switch.now
    switch.run(1, lambda: client.closed)
    assert isinstance(OSError(client.error, ""), ConnectionResetError)
    assert switch.now - began <= 2 * DELAY


def test_a_connection_to_a_host_that_lives_does_not_notice(switch):
    client, server = switch.pair()
    client.send(b"before")
    switch.run(1)
    state = (client.info()["cwnd"], client.info()["phase"], client.info()["rto"])
    sent = switch.packets
    renewed(switch)
    switch.run(10)
    assert switch.packets == sent + 2       # a probe, its answer, and no more
    assert (client.info()["cwnd"], client.info()["phase"], client.info()["rto"]) == state
    client.send(b" and after")
    switch.run(1)
    assert server.recv(100) == b"before and after"


@pytest.mark.parametrize("count", [50, 2000])
def test_all_connections_to_a_restarted_host_end_within_a_second(switch, count):
    """The host that came back answers as many probes as are sent to it."""
    switch.b.max_connections_per_node = count
    listener = switch.b.listen(None, 80, 4096)
    clients = []
    for _ in range(count):
        clients.append(switch.a.connect(B, 80))
        switch.run(0.001)
        clients[-1].keepalive = None
    switch.run(1)
    assert {client.state for client in clients} == {"ESTABLISHED"}
    del listener
    switch.change_b()
    renewed(switch)
    switch.run(1)
    assert [client for client in clients if not client.closed] == []
    assert {client.error for client in clients} == {errno.ECONNRESET}
    assert switch.b.counters()["tcp_resets_limited"] == 0


def test_half_closed_connections_are_asked_too(switch):
    client, server = switch.pair()
    client.shutdown_write()
    switch.run(1)
    assert (client.state, server.state) == ("FIN-WAIT-2", "CLOSE-WAIT")
    switch.change_b()
    renewed(switch)
    switch.run(1)
    assert client.closed
    assert client.error


def test_data_that_waits_for_a_long_timer_is_sent_again_at_once(switch):
    client, _ = switch.pair()
    switch.cut()
    client.send(b"lost")
    switch.run(100)
    assert client.info()["timeouts"] > 5
    switch.mend()
    switch.change_b()
    renewed(switch)
    began = switch.now
    switch.run(60, lambda: client.closed)
    assert switch.now - began <= 2 * DELAY
    assert client.error


def test_what_is_sent_again_at_once_may_be_lost_too(switch):
    """The next follows by a short timer, not by the one that silence had made long."""
    client, _ = switch.pair()
    switch.cut()
    client.send(b"lost")
    switch.run(100)
    switch.change_b()
    renewed(switch)
    switch.run(0.5)
    switch.mend()
    began = switch.now
    switch.run(60, lambda: client.closed)
    assert switch.now - began <= SECOND
    assert client.error == errno.ECONNRESET


def test_asking_again_and_again_takes_no_retransmission_away(switch):
    client, _ = switch.pair()
    switch.cut()
    client.send(b"lost")
    switch.run(5)
    for _ in range(100):
        renewed(switch)
        switch.run(0.2)
    assert not client.closed


def test_a_probe_without_an_answer_is_repeated_twice():
    peer = Peer()
    connection = peer.accept()
    peer.stack.peer_made_session(B, SUBNET)
    times = probes(peer, 600 * SECOND)
    assert len(times) == 3
    assert times[0] == 0
    assert SECOND <= times[1] < 2 * SECOND
    assert times[2] >= 5 * SECOND
    assert not connection.closed
    peer.close()


def test_an_answer_ends_the_repetition_and_a_reset_the_connection():
    peer = Peer()
    connection = peer.accept()
    peer.stack.peer_made_session(B, SUBNET)
    (probe,) = peer.take()
    assert probe.has(ACK)
    assert (probe.seq, probe.data) == (peer.ack - 1, b"")
    assert peer.send() == []
    assert probes(peer, 600 * SECOND) == []
    peer.stack.peer_made_session(B, SUBNET)
    (probe,) = peer.take()
    assert peer.send(seq=probe.ack, ack=0, flags=RST) == []
    assert connection.closed
    peer.close()


def test_keepalive_goes_on_as_before():
    peer = Peer()
    connection = peer.accept()
    connection.keepalive = (100 * SECOND, 10 * SECOND, 3)
    peer.take()
    peer.stack.peer_made_session(B, SUBNET)
    assert len(peer.take()) == 1
    peer.send()
    assert probes(peer, 99 * SECOND) == []
    assert len(probes(peer, 60 * SECOND)) == 3
    assert connection.closed
    peer.close()


def test_addresses_of_the_subnet_belong_to_the_peer_and_others_do_not():
    stack, tap = make_stack(A)
    subnet, other = SUBNET[:7] + b"\x01", SUBNET[:7] + b"\x02"
    theirs = (B, subnet + b"somebody")
    mine = [open_to(stack, tap, address) for address in (*theirs, other + b"somebody", B[:15] + b"\x0c")]
    stack.peer_made_session(B, subnet)
    tap.poll(2 * SECOND)
    asked = {packet[24:40] for packet in tap.take()}
    assert asked == set(theirs)
    del mine
    stack.close()
    tap.take()
    tap.detach()


def open_to(stack, tap, address: bytes, port: int = 80):
    """Open a connection to a peer played by the test."""
    connection = stack.connect(address, port)
    tap.poll(SECOND)
    (packet,) = tap.take()
    syn = parse_tcp(packet)
    answer = Tcp(syn.dport, syn.sport, 7000, syn.seq + 1, SYN | ACK)
    tap.give([answer.packet(address, A)], SECOND)
    tap.take()
    assert connection.state == "ESTABLISHED"
    return connection


def test_many_connections_are_asked_in_steps_and_fairly():
    """A peer with thousands of connections neither causes a burst nor delays the probe of another's."""
    stack, tap = make_stack(A)
    crowd, single = B, B[:15] + b"\x0c"
    connections = [open_to(stack, tap, crowd, 1 + number) for number in range(3000)]
    connections.append(open_to(stack, tap, single))
    stack.peer_made_session(crowd, SUBNET)
    stack.peer_made_session(single, SUBNET[:7] + b"\x05")
    now, sent, steps = 2 * SECOND, Counter(), []
    found = None
    while now < 3 * SECOND:
        deadline = tap.poll(now)
        packets = [packet[24:40] for packet in tap.take()]
        steps.append(len(packets))
        sent.update(packets)
        if single in packets:
            found = now
        if deadline is None or sent.total() == 3001:
            break
        now = max(now, deadline)
    assert max(steps) <= 16
    assert sent == {crowd: 3000, single: 1}
    assert found - 2 * SECOND <= 10 * MS
    assert stack.counters()["tcp_probes"] == 3001
    del connections
    stack.close()
    tap.take()
    tap.detach()


def test_peers_beyond_the_limit_are_counted():
    stack, tap = make_stack(A)
    connection = open_to(stack, tap, B)
    for number in range(1000, 2000):
        stack.peer_made_session(b"\x02" + number.to_bytes(15, "big"), b"\x03" + number.to_bytes(7, "big"))
    assert stack.counters()["renewals_refused"] == 1000 - 256
    tap.poll(2 * SECOND)
    stack.peer_made_session(B, SUBNET)
    assert tap.poll(2 * SECOND) == 2 * SECOND + 100 * MS
    assert tap.take() == []
    tap.poll(2 * SECOND + 100 * MS)
    assert len(tap.take()) == 1
    assert not connection.closed
    del connection
    stack.close()
    tap.take()
    tap.detach()
