"""Data on an established connection: acceptance, order, windows, acknowledgement, retransmission."""

import itertools
from dataclasses import replace

import pytest

from tests.c.stackkit import ACK, FIN, MS, MSS, SECOND, SYN, A, B, Log, Peer, stamp
from ygg_c.socket.endpoint import EOF, READABLE
from ygg_c.testing.packets import PacketTap

SCALE_7 = bytes([1, 3, 3, 7])


class TestOrder:
    def test_hole_is_acknowledged_at_once_with_the_newest_block_first(self, sack_peer):
        sack_peer.accept()
        base = sack_peer.seq
        assert sack_peer.one(seq=base + 10, data=b"b" * 10).sacks == [(base + 10, base + 20)]
        assert sack_peer.one(seq=base + 30, data=b"d" * 10).sacks == [(base + 30, base + 40), (base + 10, base + 20)]

    def test_full_duplicate_is_reported_first(self, sack_peer):
        sack_peer.accept()
        sack_peer.data(b"abc")
        answer = sack_peer.one(seq=sack_peer.seq - 3, data=b"abc")
        assert answer.sacks == [(sack_peer.seq - 3, sack_peer.seq)]

    @pytest.mark.parametrize("order", list(itertools.permutations(range(5))))
    def test_five_segments_in_any_order(self, order):
        peer = Peer()
        connection = peer.accept()
        pieces = [bytes([65 + n]) * (n + 1) for n in range(5)]
        starts = [sum(map(len, pieces[:n])) for n in range(5)]
        for n in order:
            peer.send(seq=peer.seq + starts[n], data=pieces[n])
        assert connection.recv() == b"".join(pieces)
        peer.close()

    def test_overlaps_across_holes_deliver_each_byte_once(self, peer):
        connection = peer.accept()
        text = bytes(range(100))
        for start, end in [(50, 60), (20, 30), (25, 55), (80, 100), (10, 22), (0, 12), (40, 90)]:
            peer.send(seq=peer.seq + start, data=text[start:end])
        assert connection.recv() == text

    def test_fin_ahead_of_its_data(self, peer):
        connection = peer.accept()
        log = Log(connection)
        peer.send(seq=peer.seq + 3, data=b"def", flags=ACK | FIN)
        assert not connection.at_eof
        answer = peer.one(data=b"abc")
        assert answer.ack == peer.seq + 7
        assert connection.recv() == b"abcdef"
        assert connection.at_eof
        assert log.flags == READABLE | EOF


class TestAcknowledgement:
    def test_lone_segment_waits_two_full_ones_do_not(self, peer):
        peer.accept()
        assert peer.data(bytes(MSS)) == []
        (answer,) = peer.wait(40 * MS)
        assert answer.ack == peer.seq
        assert peer.data(bytes(MSS)) == []
        assert peer.data(bytes(MSS))[0].ack == peer.seq

    def test_one_ack_for_a_batch(self, peer):
        peer.accept()
        batch = [
            replace(peer.base, seq=peer.seq + n * MSS, ack=peer.ack, data=bytes(MSS)).packet(B, A) for n in range(10)
        ]
        peer.tap.give(batch, peer.now)
        (answer,) = peer.take()
        assert answer.ack == peer.seq + 10 * MSS

    def test_reply_carries_the_acknowledgement(self, peer):
        connection = peer.accept()
        peer.data(b"request")
        connection.write(b"reply")
        (answer,) = peer.take()
        assert (answer.data, answer.ack) == (b"reply", peer.seq)
        peer.send(ack=peer.ack + 5)
        assert peer.wait(SECOND) == []


class TestReceiveWindow:
    def test_full_buffer_shows_zero_and_takes_a_fin(self, peer):
        peer.stack.receive_buffer = 4000
        connection = peer.accept()
        for _ in range(4):
            peer.data(bytes(1000))
        peer.wait(100 * MS)
        assert peer.one(data=b"x").window == 0
        assert connection.readable == 4000
        peer.one(flags=ACK | FIN)
        assert len(connection.recv()) == 4000
        assert connection.at_eof

    def test_window_update_only_when_it_is_worth_one(self, peer):
        peer.stack.receive_buffer = 8000
        connection = peer.accept()
        for _ in range(8):
            peer.data(bytes(1000))
        peer.wait(100 * MS)
        assert len(connection.recv(500)) == 500
        assert peer.take() == []
        assert len(connection.recv(2000)) == 2000
        (update,) = peer.take()
        assert update.window >= 2000

    def test_probe_is_answered_with_the_window(self, peer):
        peer.accept()
        assert peer.one(seq=peer.seq - 1).window > 0

    def test_edge_never_moves_back(self, peer):
        peer.options = SCALE_7
        connection = peer.accept()
        scale = peer.syn.option(3)[0]
        edge = 0
        for n in range(40):
            answers = peer.data(bytes(1000))
            if n % 3:
                connection.recv(700)
            for answer in answers + peer.take():
                # The field cuts off what is less than a unit of the scale (RFC 7323, 2.4).
                assert answer.ack + (answer.window << scale) > edge - (1 << scale)
                edge = answer.ack + (answer.window << scale)


class TestTimestamps:
    def test_older_stamp_is_dropped_and_acknowledged(self):
        peer = Peer(options=stamp(100, 0))
        listener = peer.stack.listen(None, 80)
        syn = peer.one(flags=SYN, ack=0, options=peer.options)
        peer.seq, peer.ack = 1001, syn.seq + 1
        peer.send(options=stamp(101, 0))
        connection = listener.accept()
        assert peer.one(data=b"old", options=stamp(99, 0)).ack == peer.seq
        assert connection.readable == 0
        peer.send(data=b"new", options=stamp(102, 0))
        assert connection.recv() == b"new"
        assert peer.stack.counters()["tcp_paws"] == 1
        peer.close()


def test_detached_stack_sends_when_attached_again(peer):
    connection = peer.accept()
    peer.tap.detach()
    connection.write(b"patience")
    peer.tap = PacketTap(peer.stack)
    assert [segment.data for segment in peer.take()] == [b"patience"]
