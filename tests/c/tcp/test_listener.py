"""Listeners: bursts of dials, the queue of half-open connections, the queue of those to be accepted, and their ends."""

import pytest

from tests.c.stackkit import ACK, RST, SECOND, SYN, A, B, Peer, StackPair, Tcp, parse_tcp, stamp
from tests.c.tcp.light import client
from ygg.simulation import Conditions
from ygg_c.testing.packets import PacketTap


def serve(count: int, backlog: int, *, late: bool = False) -> StackPair:
    """Dial `count` times at once, 60 ms away, have each connection served, and return the switch."""
    switch = StackPair()
    switch.change(Conditions(delay=0.03))
    switch.b.max_connections_per_node = 4096
    listener = switch.b.listen(None, 80, backlog=backlog)
    dials = [switch.a.connect(B, 80) for _ in range(count)]
    for dial in dials:
        dial.write(b"?")
    if late:
        switch.run(0.5)
    servers = {}
    for _ in range(300):
        while (server := listener.accept()) is not None:
            servers[server.remote[1]] = server
        for port, server in servers.items():
            if server.readable:
                server.write(server.recv() + port.to_bytes(2, "big"))
        switch.run(0.1)
        if all(dial.readable == 3 for dial in dials):
            break
    assert [dial.error for dial in dials] == [0] * count
    assert all(dial.recv() == b"?" + dial.local[1].to_bytes(2, "big") for dial in dials)
    assert len(servers) == count
    assert switch.b.half_open == 0
    return switch


class TestBursts:
    @pytest.mark.parametrize(("count", "backlog"), [(1000, 1000), (2000, 2000), (300, 128)])
    def test_every_dial_of_a_burst_is_served(self, count, backlog):
        switch = serve(count, backlog)
        assert switch.b.counters()["tcp_resets_sent"] == switch.a.counters()["tcp_resets_sent"] == 0
        assert switch.now < 2 * SECOND + SECOND // 2
        switch.close()

    def test_a_program_that_accepts_late_serves_all_the_same(self):
        """The whole backlog fills before anything is accepted; the others wait."""
        switch = serve(500, 100, late=True)
        assert switch.b.counters()["accept_queue_full"]
        assert switch.b.counters()["tcp_resets_sent"] == 0
        switch.close()

    def test_with_loss(self):
        switch = StackPair(conditions=Conditions(delay=0.005, loss=0.05), seed=3)
        listener = switch.b.listen(None, 80, backlog=300)
        dials = [switch.a.connect(B, 80) for _ in range(300)]
        switch.run(10)
        assert {dial.state for dial in dials} == {"ESTABLISHED"}
        assert sum(listener.accept() is not None for _ in range(300)) == 300
        assert switch.b.half_open == 0
        switch.close()


class TestAcceptQueue:
    def test_backlog_full_then_room(self, peer):
        listener = peer.stack.listen(None, 80, backlog=1)
        syn_ack = peer.one(flags=SYN, ack=0)
        peer.send(seq=1001, ack=syn_ack.seq + 1)
        assert peer.send(sport=5001, seq=1, flags=SYN, ack=0) == []
        assert peer.stack.counters()["accept_queue_full"] == 1
        assert listener.accept().state == "ESTABLISHED"
        assert peer.one(sport=5001, seq=1, flags=SYN, ack=0).has(SYN, ACK)

    def test_final_ack_waits_for_room(self, peer):
        listener = peer.stack.listen(None, 80, backlog=1)
        one = peer.one(flags=SYN, ack=0)
        two = peer.one(sport=5001, flags=SYN, ack=0)
        peer.send(seq=1001, ack=one.seq + 1)
        peer.send(sport=5001, seq=1001, ack=two.seq + 1)
        assert listener.accept() is not None
        assert listener.accept() is None
        # Where the peer has nothing to say, it answers when ours is repeated.
        (again,) = peer.wait(SECOND)
        assert (again.seq, again.flags) == (two.seq, two.flags)
        peer.send(sport=5001, seq=1001, ack=two.seq + 1)
        assert listener.accept().remote == (B, 5001)

    def test_they_come_in_order(self, peer):
        listener = peer.stack.listen(None, 80)
        for port in range(100):
            client(peer, 6000 + port)
            peer.send()
        assert [listener.accept().remote[1] for _ in range(100)] == list(range(6000, 6100))

    def test_what_has_ended_is_not_accepted_and_holds_no_place(self, peer):
        listener = peer.stack.listen(None, 80, backlog=10)
        for port in range(1, 3001):
            client(peer, port)
            peer.send()
            if port % 500:
                peer.send(flags=RST, ack=0)
        assert [listener.accept().remote[1] for _ in range(6)] == list(range(500, 3001, 500))
        assert listener.accept() is None
        assert peer.stack.usage(B)["incoming"] == 6

    def test_accepted_and_ended_in_turns(self, peer):
        listener = peer.stack.listen(None, 80, backlog=1000)
        accepted = []
        for port in range(1, 1201):
            client(peer, port)
            peer.send()
            if port % 3 == 0:
                peer.send(flags=RST, ack=0)
            if port % 2 == 0:
                accepted.append(listener.accept().remote[1])
        while (connection := listener.accept()) is not None:
            accepted.append(connection.remote[1])
        assert accepted == sorted(set(accepted))
        assert set(accepted) >= {port for port in range(1, 1201) if port % 3}


class TestClosing:
    def test_closing_resets_what_was_not_accepted(self, peer):
        listener = peer.stack.listen(None, 80)
        client(peer, 5000)
        peer.send()
        listener.close()
        (reset,) = peer.take()
        assert reset.has(RST, ACK)
        assert (reset.seq, reset.ack) == (peer.ack, peer.seq)
        assert peer.stack.endpoints() == []

    def test_and_half_open_connections(self, peer):
        listener = peer.stack.listen(None, 80)
        answer = client(peer, 5000)
        listener.close()
        (reset,) = peer.take()
        assert reset.has(RST, ACK)
        assert (reset.seq, reset.ack) == (answer.seq + 1, 1001)
        assert peer.stack.half_open == 0
        assert peer.one().has(RST)

    def test_of_one_listener_leaves_the_others(self, peer):
        listener, other = peer.stack.listen(None, 80), peer.stack.listen(None, 81)
        client(peer, 5000)
        answer = peer.one(dport=81, seq=1000, ack=0, flags=SYN)
        listener.close()
        listener.close()
        peer.take()
        assert peer.stack.half_open == 1
        peer.send(dport=81, seq=1001, ack=answer.seq + 1)
        assert other.accept() is not None

    def test_of_the_stack(self, peer):
        peer.stack.listen(None, 80)
        client(peer, 5000)
        peer.stack.close()
        assert peer.stack.half_open == 0
        assert [parse_tcp(packet).flags for packet in peer.tap.take()] == [RST | ACK]


def test_a_listener_may_close_while_answers_wait(peer: Peer) -> None:
    """No turn is needed for them, so none may find it gone."""
    listener = peer.stack.listen(None, 80)
    packets = [Tcp(port, 80, 1, 0, SYN).packet(B, A) for port in range(1, 50)]
    peer.tap.give(packets, peer.now)
    listener.close()
    assert len([p for p in peer.tap.take() if parse_tcp(p).flags == RST | ACK]) == 49
    assert isinstance(peer.tap, PacketTap)
    assert peer.wait(100 * SECOND) == []


def test_an_ack_without_the_timestamp_that_was_agreed_on_opens_nothing(peer: Peer) -> None:
    """It would become a connection that takes no such segment (RFC 7323, 3.2), and waits in no queue."""
    listener = peer.stack.listen(None, 80)
    stamps = stamp(1000, 0)
    answer = peer.one(flags=SYN, ack=0, options=stamps)
    assert peer.send(seq=1001, ack=answer.seq + 1) == []
    assert peer.stack.half_open == 1
    assert peer.stack.endpoints() == [listener]
    assert peer.send(seq=1001, ack=answer.seq + 1, options=stamps) == []
    assert listener.accept() is not None
