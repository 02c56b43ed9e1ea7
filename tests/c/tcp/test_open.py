"""Opening connections: closed ports, LISTEN, SYN-RECEIVED, SYN-SENT, the options of a SYN."""

import errno
from dataclasses import replace

import pytest

from tests.c.stackkit import ACK, CWR, ECE, FIN, RST, SECOND, SYN, A, B, Log, Peer, icmp_packet
from ygg_c.socket.endpoint import CLOSED, CONNECTED, FAILED

MSS_1000 = bytes([2, 4, 3, 232])


def dial(peer: Peer, **options):
    """Connect to the hand-driven peer and return (connection, SYN)."""
    connection = peer.stack.connect(B, 80, **options)
    (syn,) = peer.take()
    peer.base = replace(peer.base, sport=80, dport=syn.sport)
    peer.ack = syn.seq + 1
    return connection, syn


class TestSynSent:
    def test_handshake(self, peer):
        connection, syn = dial(peer)
        log = Log(connection)
        assert syn.has(SYN, ECE, CWR)
        assert peer.one(flags=SYN | ACK).has(ACK)
        assert connection.state == "ESTABLISHED"
        assert log.flags == CONNECTED

    def test_valid_reset_means_refused(self, peer):
        connection, _ = dial(peer)
        log = Log(connection)
        assert peer.send(flags=RST | ACK) == []
        assert connection.error == errno.ECONNREFUSED
        assert log.flags == FAILED | CLOSED
        with pytest.raises(ConnectionRefusedError):
            connection.recv()

    def test_other_resets_are_ignored(self, peer):
        connection, _ = dial(peer)
        assert peer.send(flags=RST) == []
        assert peer.send(flags=RST | ACK, ack=peer.ack + 1) == []
        assert connection.state == "SYN-SENT"

    def test_ack_outside_is_reset(self, peer):
        connection, _ = dial(peer)
        assert peer.one(flags=SYN | ACK, ack=peer.ack + 5).seq == (peer.ack + 5) % 2**32
        assert connection.state == "SYN-SENT"

    def test_bare_syn_opens_from_both_sides(self, peer):
        connection, syn = dial(peer)
        answer = peer.one(flags=SYN, ack=0)
        assert answer.has(SYN, ACK)
        assert (answer.seq, answer.ack) == (syn.seq, 1001)
        peer.seq += 1
        peer.send()
        assert connection.state == "ESTABLISHED"

    def test_close_is_silent_and_a_late_answer_is_reset(self, peer):
        connection, _ = dial(peer)
        connection.close()
        assert peer.take() == []
        assert peer.one(flags=SYN | ACK).has(RST)

    def test_early_writes_leave_on_establishment(self, peer):
        connection, _ = dial(peer)
        connection.write(b"early")
        connection.shutdown_write()
        assert peer.take() == []
        answer = peer.one(flags=SYN | ACK)
        assert answer.data == b"early"
        assert answer.has(FIN, ACK)

    def test_retransmissions_back_off_then_time_out(self, peer):
        peer.stack.syn_retries = 3
        connection, _ = dial(peer)
        started = peer.now
        times = []
        while connection.error == 0:
            peer.now = peer.deadline
            if peer.take():
                times.append((peer.now - started) // SECOND)
        assert times == [1, 3, 7]
        assert connection.error == errno.ETIMEDOUT
        assert peer.stack.endpoints() == []

    def test_unreachable_kills_only_with_a_sequence_in_flight(self, peer):
        connection, syn = dial(peer)
        for offset, error in ((5, 0), (0, errno.ECONNREFUSED)):
            quoted = replace(syn, seq=syn.seq + offset).packet(A, B)
            peer.tap.give([icmp_packet(B, A, 1, 4, bytes(4) + quoted)], peer.now)
            assert connection.error == error

    @pytest.mark.parametrize(("code", "error"), [(0, errno.ENETUNREACH), (3, errno.EHOSTUNREACH)])
    def test_what_a_router_says_is_told_when_nothing_else_came(self, peer, code, error):
        peer.stack.syn_retries = 1
        connection, syn = dial(peer)
        peer.tap.give([icmp_packet(B, A, 1, code, bytes(4) + syn.packet(A, B))], peer.now)
        assert connection.state == "SYN-SENT"
        while connection.error == 0:
            peer.now = peer.deadline
            peer.take()
        assert connection.error == error

    def test_a_listener_that_does_not_listen_refuses_and_keeps_its_port(self, peer):
        listener = peer.stack.listen(None, 80)
        listener.listening = False
        assert peer.one(flags=SYN, ack=0).has(RST, ACK)
        with pytest.raises(OSError, match=str(errno.EADDRINUSE)):
            peer.stack.listen(None, 80)
        listener.listening = True
        assert peer.one(flags=SYN, ack=0).has(SYN, ACK)

    def test_window_zero_in_the_syn_opened_by_the_final_ack(self, peer):
        listener = peer.stack.listen(None, 80)
        syn_ack = peer.one(flags=SYN, ack=0, window=0)
        peer.seq, peer.ack = 1001, syn_ack.seq + 1
        peer.send(window=65535)
        connection = listener.accept()
        connection.write(b"data")
        assert [segment.data for segment in peer.take()] == [b"data"]


def test_simultaneous_open(switch):
    one = switch.a.connect(B, 4000, None, 4000)
    two = switch.b.connect(A, 4000, None, 4000)
    switch.run(1)
    assert one.state == two.state == "ESTABLISHED"
    one.write(b"x")
    switch.run(1)
    assert two.recv() == b"x"


def test_abort_of_a_dial_leaves_nothing(switch):
    connection = switch.a.connect(B, 80)
    connection.abort()
    switch.run(1)
    assert switch.a.endpoints() == []
    assert switch.packets == 0


def test_connection_to_ourselves(switch):
    listener = switch.a.listen(A, 80)
    client = switch.a.connect(A, 80)
    switch.run(0.001)
    server = listener.accept()
    client.write(b"hello")
    switch.run(0.001)
    assert server.recv() == b"hello"
    assert switch.packets == 0
