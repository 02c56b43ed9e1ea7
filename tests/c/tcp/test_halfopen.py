"""ygg_c.tcp.halfopen: connections that wait for the last ACK of their handshake."""

import pytest

from tests.c.stackkit import ACK, FIN, MS, RST, SECOND, SYN, B
from tests.c.tcp.light import allocated, client, knock
from tests.c.tcp.scripted import scripts

test_scripts = scripts("04-syn-received", "08-backlog")


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
        assert peer.stack.usage(B) == {"incoming": 1, "half_open": 1, "received": 0, "queued": 0, "memory": 0}
        peer.send()
        assert peer.stack.usage(B) == {"incoming": 1, "half_open": 0, "received": 0, "queued": 0, "memory": 1344}

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
        peer.stack.max_buffered = 2000
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
        peer.stack.max_buffered = 1700
        peer.stack.listen(None, 80)
        assert peer.one(seq=1000, ack=0, flags=SYN, data=bytes(1400)).ack == 1001
        assert peer.stack.half_open == 1

    def test_they_count_in_the_stacks_memory(self, peer):
        peer.stack.listen(None, 80)
        for port in range(5000, 5020):
            client(peer, port)
        assert 20 * 120 < peer.stack.memory_in_use < 20 * 200
        peer.wait(200 * SECOND)
        assert peer.stack.half_open == peer.stack.memory_in_use == 0

    def test_ports_of_its_peer_are_not_dialled_from(self, peer):
        peer.stack.listen(None, 80)
        client(peer, 5000)
        with pytest.raises(OSError, match="in use"):
            peer.stack.connect(B, 5000, None, 80)


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
