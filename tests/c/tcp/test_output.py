"""ygg_c.tcp.output: what is sent next, and what holds it back."""

import pytest

from tests.c.stackkit import MSS, PSH, SECOND, A, Log, StackPair, parse_tcp
from tests.c.tcp.scripted import scripts
from ygg.simulation import Conditions
from ygg_c.socket.endpoint import WRITABLE

test_scripts = scripts("13-zero-window", "16-nagle")


class TestSending:
    def test_initial_window_is_ten_segments(self, sack_peer):
        connection = sack_peer.accept()
        connection.write(bytes(100_000))
        sent = sack_peer.take()
        assert [len(segment.data) for segment in sent] == [MSS] * 10

    def test_small_write_waits_for_the_ack(self, peer):
        connection = peer.accept()
        connection.write(b"one")
        assert [s.data for s in peer.take()] == [b"one"]
        connection.write(b"two")
        connection.write(b"three")
        assert peer.take() == []
        assert peer.one(ack=peer.ack + 3).data == b"twothree"

    def test_nodelay_does_not_wait(self, peer):
        connection = peer.accept()
        connection.nodelay = True
        connection.write(b"one")
        peer.take()
        connection.write(b"two")
        assert [s.data for s in peer.take()] == [b"two"]

    def test_cork_holds_until_it_is_pulled(self, peer):
        connection = peer.accept()
        connection.corked = True
        connection.write(b"one")
        connection.write(b"two")
        assert peer.take() == []
        connection.corked = False
        assert [s.data for s in peer.take()] == [b"onetwo"]

    def test_last_segment_is_pushed(self, sack_peer):
        connection = sack_peer.accept()
        connection.write(bytes(MSS + 1))
        connection.nodelay = True
        first, last = sack_peer.take()
        assert not first.flags & PSH
        assert last.flags & PSH

    def test_credit_holds_back_and_lets_go(self, sack_peer):
        """What leaves makes room for as much."""
        connection = sack_peer.accept()
        sack_peer.tap.credit_bytes = 3000
        connection.write(bytes(7 * MSS))
        assert len(sack_peer.take()) == 2
        sack_peer.tap.credit_bytes = 0
        assert len(sack_peer.take()) == 2
        assert sack_peer.take() == []
        sack_peer.tap.give_credit(1 << 20, sack_peer.now)
        assert len(sack_peer.take()) == 3

    def test_connections_share_the_credit(self, switch):
        one, _ = switch.pair()
        two, _ = switch.pair()
        switch.tap(A).credit_bytes = 0
        for connection in (one, two):
            connection.write(bytes(1 << 20))
        switch.turn()
        sent = []
        switch.passes = lambda packet: (packet[8:24] == A and sent.append(parse_tcp(packet).sport)) or False
        switch.tap(A).give_credit(1 << 18, switch.now)
        switch.turn()
        assert sent.count(one.local[1]) == sent.count(two.local[1]) == 10

    def test_writable_comes_after_a_refusal(self, peer):
        connection = peer.accept()
        log = Log(connection)
        connection.send_limit = 1000
        assert connection.send(bytes(5000)) == 1000
        assert connection.send_space == 0
        assert connection.send(b"x") == 0
        peer.take()
        assert log.flags == 0
        peer.send(ack=peer.ack + 1000)
        assert log.flags == WRITABLE
        assert connection.send_space >= 1000

    def test_mutable_data_is_copied(self, peer):
        connection = peer.accept()
        data = bytearray(b"before")
        connection.write(data)
        data[:] = b"after!"
        assert peer.take()[0].data == b"before"


    def test_window_of_an_older_position_counts_with_a_newer_ack(self, peer):
        connection = peer.accept()
        connection.write(bytes(50_000))
        sent = peer.take()
        peer.send(seq=peer.seq + 10, data=b"later")
        end = sent[-1].seq + len(sent[-1].data)
        answers = peer.data(b"0123456789", ack=end, window=0)
        assert [answer.data for answer in answers] == [b""]

    def test_acknowledgements_stay_inside_a_window_that_shrank(self, peer):
        connection = peer.accept()
        connection.write(bytes(50_000))
        edge = peer.take()[0].seq + MSS
        peer.ack = edge
        peer.send(window=0)
        assert peer.one(seq=peer.seq + 1, data=b"hole", window=0).seq == edge


class TestUnsent:
    """A low-water mark for what is not sent yet (RFC 9293, A.4): what is under way does not count."""

    def test_room_is_what_may_be_unsent(self, peer):
        connection = peer.accept()
        connection.unsent_limit = 4000
        assert connection.send_space == 4000
        assert connection.send(bytes(10_000)) == 4000
        assert (connection.send_space, connection.write_limit) == (0, 4000)
        peer.take()
        # All but what Nagle's algorithm holds has left: so there is room, though nothing is acknowledged.
        assert connection.queued == 4000
        assert connection.send_space == 4000 - connection.info()["unsent"] > 3000

    def test_writable_comes_when_it_has_been_sent(self, peer):
        connection = peer.accept()
        connection.unsent_limit = 4000
        log = Log(connection)
        connection.send(bytes(10_000))
        assert not log.flags & WRITABLE
        peer.take()
        assert log.flags & WRITABLE

    def test_and_not_while_a_window_holds_it_back(self, peer):
        connection = peer.accept()
        connection.unsent_limit = 4000
        peer.send(window=0)
        log = Log(connection)
        connection.send(bytes(10_000))
        peer.take()
        assert not log.flags & WRITABLE
        peer.send(window=1220)
        assert not log.flags & WRITABLE      # 2780 are unsent
        peer.ack += 1220
        peer.send(window=1220)
        assert log.flags & WRITABLE          # 1560

    @pytest.mark.parametrize("limit", [20_000, 100_000])
    def test_a_transfer_is_as_fast_as_without(self, limit):
        """Up to what the windows give at once, which is more than is ready to be sent."""
        assert self.transfer(limit) <= 1.2 * self.transfer(None)

    @pytest.mark.parametrize("limit", [1, 100])
    def test_with_little_it_goes_on(self, limit):
        assert self.transfer(limit, 2000) < 100 * SECOND

    @staticmethod
    def transfer(limit: int | None, size: int = 3 << 20) -> int:
        """Have an application write what there is room for when it is told to, and return how long it takes, in ns."""
        switch = StackPair(1500, Conditions(delay=0.01))
        client, server = switch.pair()
        client.nodelay = True
        client.unsent_limit = limit
        left = size

        def more(_events: int) -> None:
            nonlocal left
            left -= client.send(bytes(left))
            assert limit is None or client.info()["unsent"] <= limit

        def done() -> bool:
            while server.recv():
                pass
            return server.info()["bytes_in"] == size

        client.on_event = more
        more(0)
        start = switch.now
        switch.run(1000, done)
        assert done()
        took = switch.now - start
        client.on_event = None
        switch.close()
        return took


class TestCork:
    """What fills all the room there is leaves though it is no full segment: more could not come."""

    @pytest.mark.parametrize(("name", "limit"), [("send_limit", 4096), ("unsent_limit", 1), ("unsent_limit", 2000)])
    def test_a_transfer_goes_on(self, name, limit):
        switch = StackPair(65535, Conditions(delay=0.01))
        client, server = switch.pair()
        client.corked = True
        setattr(client, name, limit)
        sent = 0

        def more(_events: int) -> None:
            nonlocal sent
            sent += client.send(bytes(2 * limit))

        client.on_event = more
        more(0)
        switch.run(10, lambda: sent > 20 * limit)
        assert sent > 20 * limit
        assert server.info()["bytes_in"] > 18 * limit
        client.on_event = None
        switch.close()

    def test_it_leaves_when_nothing_is_under_way(self, peer):
        """What is under way makes room when it is acknowledged; until then it may still become a full segment."""
        connection = peer.accept()
        connection.corked = True
        connection.unsent_limit = 500
        connection.write(bytes(1220 + 500 + 100))
        assert [len(segment.data) for segment in peer.take()] == [1220]
        peer.ack += 1220
        assert [len(segment.data) for segment in peer.send()] == [600]
        connection.write(bytes(100))
        assert peer.take() == []
