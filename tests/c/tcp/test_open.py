"""Opening connections: closed ports, LISTEN, SYN-RECEIVED, SYN-SENT, the options of a SYN."""

import errno
import itertools
import struct
from dataclasses import replace

import pytest

from tests.c.stackkit import ACK, CWR, ECE, FIN, MS, RST, SECOND, SYN, A, B, Log, Peer, Tcp, icmp_packet, stamp
from ygg_c.socket.endpoint import CLOSED, CONNECTED, FAILED

MSS_1000 = bytes([2, 4, 3, 232])


def dial(peer: Peer, **options):
    """Connect to the hand-driven peer and return (connection, SYN)."""
    connection = peer.stack.connect(B, 80, **options)
    (syn,) = peer.take()
    peer.base = replace(peer.base, sport=80, dport=syn.sport)
    peer.ack = syn.seq + 1
    return connection, syn


class TestClosedPort:
    def test_syn_is_reset(self, peer):
        answer = peer.one(Tcp(1, 9, seq=100, flags=SYN))
        assert answer.has(RST, ACK)
        assert (answer.seq, answer.ack) == (0, 101)

    def test_fin_with_data_counts_both(self, peer):
        assert peer.one(Tcp(1, 9, seq=100, flags=FIN, data=b"abc")).ack == 104

    def test_ack_names_the_sequence_of_the_reset(self, peer):
        answer = peer.one(Tcp(1, 9, seq=100, ack=777, flags=ACK))
        assert answer.has(RST)
        assert answer.seq == 777

    def test_rst_is_met_with_silence(self, peer):
        assert peer.send(Tcp(1, 9, seq=100, flags=RST)) == []


class TestListen:
    def test_ack_is_reset_fin_ignored_and_syn_still_works(self, peer):
        listener = peer.stack.listen(None, 80)
        assert peer.one(flags=ACK, ack=55).seq == 55
        assert peer.send(flags=FIN, ack=0) == []
        assert peer.accept(listener).state == "ESTABLISHED"

    def test_syn_ack_is_reset(self, peer):
        peer.stack.listen(None, 80)
        assert peer.one(flags=SYN | ACK, ack=9).has(RST)

    def test_syn_that_offers_ecn_is_answered(self, peer):
        peer.stack.listen(None, 80)
        assert peer.one(flags=SYN | ECE | CWR, ack=0).has(SYN, ACK, ECE)

    def test_options_not_offered_are_not_answered(self, peer):
        peer.stack.listen(None, 80)
        answer = peer.one(flags=SYN, ack=0)
        assert answer.option(2) == struct.pack(">H", 1220)
        assert answer.option(3) is answer.option(4) is answer.option(8) is None

    def test_options_offered_are_answered(self, peer):
        peer.stack.listen(None, 80)
        answer = peer.one(flags=SYN, ack=0, options=bytes([1, 3, 3, 7, 1, 1, 4, 2]) + stamp(77, 0))
        assert answer.option(3) is not None
        assert answer.option(4) == b""
        assert answer.option(8)[4:] == struct.pack(">I", 77)

    @pytest.mark.parametrize("mss", [0, 1])
    def test_absurd_mss_makes_progress(self, peer, mss):
        peer.options = struct.pack(">BBH", 2, 4, mss)
        connection = peer.accept()
        connection.nodelay = True
        connection.write(bytes(200))
        sent = peer.take()
        assert sum(len(segment.data) for segment in sent) == 200
        assert max(len(segment.data) for segment in sent) >= 64

    def test_port_in_use(self, peer):
        peer.stack.listen(None, 80)
        for address in (None, A):
            with pytest.raises(OSError, match="in use") as caught:
                peer.stack.listen(address, 80)
            assert caught.value.errno == errno.EADDRINUSE
        with pytest.raises(OSError, match="assign") as caught:
            peer.stack.listen(B, 81)
        assert caught.value.errno == errno.EADDRNOTAVAIL


class TestSynReceived:
    def test_ack_off_by_one_is_reset_exact_one_establishes(self, peer):
        listener = peer.stack.listen(None, 80)
        syn_ack = peer.one(flags=SYN, ack=0)
        peer.seq += 1
        wrong = peer.one(ack=syn_ack.seq + 2)
        assert wrong.has(RST)
        assert wrong.seq == syn_ack.seq + 2
        assert listener.accept() is None
        peer.send(ack=syn_ack.seq + 1)
        assert listener.accept().state == "ESTABLISHED"

    def test_rst_closes_and_a_later_ack_is_reset(self, peer):
        peer.stack.listen(None, 80)
        syn_ack = peer.one(flags=SYN, ack=0)
        assert peer.send(seq=1001, flags=RST, ack=0) == []
        assert peer.one(seq=1001, ack=syn_ack.seq + 1).has(RST)

    def test_syn_ack_is_sent_again(self, peer):
        peer.stack.listen(None, 80)
        first = peer.one(flags=SYN, ack=0)
        (again,) = peer.wait(1500 * MS)
        assert (again.seq, again.flags) == (first.seq, first.flags)
        assert peer.one(flags=SYN, ack=0).seq == first.seq

    def test_data_with_the_final_ack_is_taken(self, peer):
        listener = peer.stack.listen(None, 80)
        syn_ack = peer.one(flags=SYN, ack=0)
        peer.send(seq=1001, ack=syn_ack.seq + 1, data=b"hello", flags=ACK | FIN)
        connection = listener.accept()
        assert connection.recv() == b"hello"
        assert connection.at_eof


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


@pytest.mark.parametrize(("mtu", "mss"), [(1280, 1220), (9000, 8940), (65535, 65475)])
def test_mss_follows_the_mtu(mtu, mss):
    peer = Peer(mtu)
    _, syn = dial(peer)
    assert syn.option(2) == struct.pack(">H", mss)
    peer.close()


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


def test_initial_sequence_numbers_differ_by_connection_and_advance(switch):
    ports = [switch.a.connect(B, port) for port in (1, 2, 3)]
    seen = []
    switch.passes = lambda packet: seen.append(packet) or False
    switch.turn()
    assert len({packet[44:48] for packet in seen}) == len(ports)


def test_all_segments_of_a_connection_have_one_flow_label(switch):
    """RFC 6437: from the SYN,ACK of a half-open connection to the last ACK of TIME-WAIT, and as none of another."""
    def label(packet):
        return packet[1] & 15, packet[2:4]

    seen = {}
    switch.passes = lambda packet: seen.setdefault((packet[8:24], packet[40:44]), []).append(label(packet)) or True
    for _ in range(3):
        client, server = switch.pair()
        for end in (client, server):
            end.write(bytes(3000))
            end.shutdown_write()
            switch.run(1)
    labels = [set(headers) for headers in seen.values()]
    assert [len(of_one) for of_one in labels] == [1] * 6
    assert len(set.union(*labels)) == 6
    assert switch.a.time_waiting == 3
    (state,) = {end.state for end in [client]}
    assert state == "TIME-WAIT"


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
