"""ygg_c.tcp.arrival: what each segment that arrives does (RFC 9293, 3.10.7)."""

import errno

import pytest

from tests.c.stackkit import ACK, RST, SYN, Log
from tests.c.tcp.scripted import scripts
from ygg_c.socket.endpoint import CLOSED, FAILED

test_scripts = scripts("05-syn-sent", "09-resets", "10-acceptability")


class TestAcceptance:
    def test_segment_without_flags_is_dropped(self, peer):
        connection = peer.accept()
        assert peer.send(flags=0, data=b"x") == []
        assert connection.readable == 0

    def test_exact_reset_closes(self, peer):
        connection = peer.accept()
        log = Log(connection)
        assert peer.send(flags=RST) == []
        assert connection.error == errno.ECONNRESET
        assert log.flags == FAILED | CLOSED
        assert peer.stack.endpoints()[1:] == []

    def test_reset_in_the_window_is_challenged(self, peer):
        connection = peer.accept()
        answer = peer.one(flags=RST, seq=peer.seq + 10)
        assert answer.has(ACK)
        assert (answer.seq, answer.ack) == (peer.ack, peer.seq)
        assert connection.state == "ESTABLISHED"

    def test_reset_outside_is_met_with_silence(self, peer):
        connection = peer.accept()
        assert peer.send(flags=RST, seq=peer.seq - 1) == []
        assert peer.send(flags=RST, seq=peer.seq + 2**30) == []
        assert connection.state == "ESTABLISHED"

    @pytest.mark.parametrize("offset", [-5, 0, 5, 2**30])
    def test_syn_is_challenged_but_not_twice_at_once(self, peer, offset):
        connection = peer.accept()
        assert peer.one(flags=SYN, seq=peer.seq + offset).ack == peer.seq
        assert peer.send(flags=SYN, seq=peer.seq + offset) == []
        assert connection.state == "ESTABLISHED"

    def test_ack_of_what_was_never_sent_is_challenged(self, peer):
        peer.accept()
        assert peer.one(ack=peer.ack + 100).has(ACK)

    def test_data_beyond_the_window_is_acknowledged_and_not_delivered(self, peer):
        connection = peer.accept()
        assert peer.one(seq=peer.seq + 2**24, data=b"far").ack == peer.seq
        assert connection.readable == 0

    def test_old_data_is_always_acknowledged(self, peer):
        connection = peer.accept()
        peer.data(b"abc")
        for _ in range(20):
            assert peer.one(seq=peer.seq - 3, data=b"abc").ack == peer.seq
        assert connection.recv() == b"abc"
