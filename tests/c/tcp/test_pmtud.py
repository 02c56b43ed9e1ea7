"""ygg_c.tcp.pmtud: what is known of the path's packet size, and what comes of it."""

from dataclasses import replace

from tests.c.stackkit import A, B, Peer, icmp_packet


class TestPathMtu:
    def quote(self, peer, segment, mtu):
        packet = segment.packet(A, B)
        peer.tap.give([icmp_packet(B, A, 2, 0, mtu.to_bytes(4, "big") + packet[:1200])], peer.now)
        return peer.take()

    def setup_peer(self, mtu=9000):
        peer = Peer(mtu, options=bytes([2, 4, 0x23, 0]))
        connection = peer.accept()
        connection.write(bytes(20_000))
        return peer, connection, peer.take()

    def test_resends_smaller_without_slowing_down(self):
        peer, connection, sent = self.setup_peer()
        before = connection.info()["cwnd"]
        again = self.quote(peer, sent[0], 2000)
        assert again[0].seq == sent[0].seq
        assert len(again[0].data) == 1940
        assert connection.info()["cwnd"] == before
        peer.close()

    def test_never_below_1280(self):
        peer, _, sent = self.setup_peer()
        assert len(self.quote(peer, sent[0], 100)[0].data) == 1220
        peer.close()

    def test_sequence_not_in_flight_is_ignored(self):
        peer, connection, sent = self.setup_peer()
        assert self.quote(peer, replace(sent[0], seq=sent[0].seq - 1), 2000) == []
        assert connection.info()["path_mtu"] == 9000
        peer.close()
