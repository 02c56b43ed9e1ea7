"""Listeners: bursts of dials, the queue of half-open connections, the queue of those to be accepted, and their ends."""

import pytest

from tests.c.stackkit import ACK, MS, RST, SECOND, SYN, A, B, Peer, StackPair, Tcp, parse_tcp, stamp
from tests.c.tcp.light import allocated, client, knock
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


class TestHalfOpen:
    def test_it_takes_little_memory(self, peer):
        peer.stack.listen(None, 80, backlog=100_000)
        knock(peer, 1, B)
        before = allocated()
        for number in range(20_000):
            assert knock(peer, 1 + number, bytes([2, number // 1000]) + bytes(14))
        assert peer.stack.half_open == 20_001
        assert (allocated() - before) / 20_000 < 200

    def test_it_is_no_endpoint(self, peer):
        listener = peer.stack.listen(None, 80)
        client(peer, 5000)
        assert peer.stack.endpoints() == [listener]
        assert peer.stack.usage(B) == {"incoming": 1, "half_open": 1, "received": 0, "queued": 0}
        peer.send()
        assert peer.stack.usage(B) == {"incoming": 1, "half_open": 0, "received": 0, "queued": 0}

    def test_answer_is_repeated_and_given_up(self, peer):
        peer.stack.listen(None, 80)
        first = client(peer, 5000)
        start = peer.now
        times = []
        while peer.stack.half_open:
            peer.now = peer.deadline
            for again in peer.take():
                assert (again.seq, again.flags, again.ack) == (first.seq, first.flags, first.ack)
                times.append((peer.now - start) // SECOND)
        assert times == [1, 3, 7, 15, 31]
        assert peer.now - start == 63 * SECOND
        assert peer.stack.counters()["tcp_opening_timeouts"] == 1
        assert peer.stack.usage(B)["incoming"] == 0
        assert peer.deadline is None

    @pytest.mark.parametrize("tries", [0, 2, 100])
    def test_how_often_is_a_setting(self, peer, tries):
        peer.stack.syn_ack_retries = tries
        peer.stack.listen(None, 80)
        client(peer, 5000)
        assert len(peer.wait(10_000 * SECOND)) == min(tries, 15)
        assert peer.stack.half_open == 0

    def test_syn_again_is_answered_again(self, peer):
        peer.stack.listen(None, 80)
        first = peer.one(flags=SYN, ack=0)
        assert peer.one(flags=SYN, ack=0) == first
        assert peer.stack.half_open == 1

    def test_another_syn_is_challenged_once(self, peer):
        """Its sender has restarted: the ACK has it send the reset that makes room (RFC 5961, 4)."""
        listener = peer.stack.listen(None, 80)
        first = client(peer, 5000)
        challenge = peer.one(seq=777, ack=0, flags=SYN)
        assert challenge.has(ACK)
        assert (challenge.seq, challenge.ack) == (first.seq + 1, 1001)
        assert peer.send(seq=778, ack=0, flags=SYN) == []
        assert peer.send(seq=challenge.ack, ack=0, flags=RST) == []
        assert peer.stack.half_open == 0
        again = peer.one(seq=779, ack=0, flags=SYN)
        peer.send(seq=780, ack=again.seq + 1)
        assert listener.accept() is not None

    def test_reset_ends_it_if_exact(self, peer):
        peer.stack.listen(None, 80)
        client(peer, 5000)
        assert peer.one(seq=1500, ack=0, flags=RST).has(ACK)
        assert peer.send(seq=99, ack=0, flags=RST) == []
        assert peer.stack.half_open == 1
        assert peer.send(ack=0, flags=RST) == []
        assert peer.stack.half_open == 0
        assert peer.one().has(RST)

    def test_segments_out_of_the_window_change_nothing(self, peer):
        listener = peer.stack.listen(None, 80)
        answer = client(peer, 5000)
        for seq in (1000 - 70_000, 1001 + 65_535, 1000):
            for objection in peer.send(seq=seq):
                assert (objection.seq, objection.ack) == (answer.seq + 1, 1001)
        assert peer.stack.half_open == 1
        peer.send()
        assert listener.accept() is not None

    def test_round_trip_is_measured_unless_it_is_ambiguous(self, peer):
        listener = peer.stack.listen(None, 80)
        client(peer, 5000)
        peer.now += 70 * MS
        peer.send()
        assert 70 * MS <= listener.accept().info()["rtt"] <= 70 * MS + 1
        client(peer, 5001)
        peer.wait(SECOND)
        peer.send()
        assert listener.accept().info()["rtt"] == 0

    def test_the_window_it_offered_holds(self, peer):
        """Memory may be short when the ACK comes: a window is never taken back."""
        peer.options = bytes([2, 4, 4, 196, 1, 3, 3, 7])
        listener = peer.stack.listen(None, 80)
        answer = client(peer, 5000, options=peer.options)
        assert answer.window == 65535
        peer.stack.max_buffered = 1
        peer.send()
        assert listener.accept().info()["receive_window"] == 65535

    def test_options_are_kept(self, peer):
        listener = peer.stack.listen(None, 80)
        client(peer, 5000, options=bytes([2, 4, 3, 232, 1, 3, 3, 7, 1, 1, 4, 2]), window=1000)
        peer.send(window=1000)
        info = listener.accept().info()
        assert (info["mss"], info["sack"], info["send_window"]) == (1000, True, 128_000)

    def test_text_with_the_syn_counts_for_its_node(self, peer):
        listener = peer.stack.listen(None, 80)
        answer = peer.one(seq=1000, ack=0, flags=SYN, data=b"early")
        assert answer.ack == 1006
        assert peer.stack.usage(B)["received"] == 5
        peer.send(seq=1006, ack=answer.seq + 1, data=b" words")
        connection = listener.accept()
        assert connection.recv() == b"early words"
        connection.abort()
        peer.take()
        peer.one(sport=5001, seq=1000, ack=0, flags=SYN, data=b"early")
        listener.close()
        peer.take()
        assert peer.stack.usage(B)["received"] == 0

    def test_text_that_there_is_no_memory_for_is_not_acknowledged(self, peer):
        peer.stack.max_buffered = 1
        peer.stack.listen(None, 80)
        assert peer.one(seq=1000, ack=0, flags=SYN, data=bytes(1000)).ack == 1001

    def test_ports_of_its_peer_are_not_dialled_from(self, peer):
        peer.stack.listen(None, 80)
        client(peer, 5000)
        with pytest.raises(OSError, match="in use"):
            peer.stack.connect(B, 5000, None, 80)


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
