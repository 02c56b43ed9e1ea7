"""ygg_c.tcp.reset: resets in answer to what belongs to nothing (RFC 9293, 3.5.2)."""

from tests.c.stackkit import ACK, FIN, RST, SYN, Tcp
from tests.c.tcp.scripted import scripts

test_scripts = scripts("01-closed")


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
