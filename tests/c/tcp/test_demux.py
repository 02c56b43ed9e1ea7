"""ygg_c.tcp.demux: which connection a segment is for, and whether there is to be one."""

import errno
import struct

import pytest

from tests.c.stackkit import ACK, CWR, ECE, FIN, RST, SYN, A, B, stamp
from tests.c.tcp.scripted import scripts

test_scripts = scripts("02-listen", "06-first-window")


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


def test_initial_sequence_numbers_differ_by_connection_and_advance(switch):
    ports = [switch.a.connect(B, port) for port in (1, 2, 3)]
    seen = []
    switch.passes = lambda packet: seen.append(packet) or False
    switch.turn()
    assert len({packet[44:48] for packet in seen}) == len(ports)
