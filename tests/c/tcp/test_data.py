"""Data on an established connection: acceptance, order, windows, acknowledgement, retransmission."""

import errno
import itertools
from dataclasses import replace

import pytest

from tests.c.stackkit import (
    ACK,
    FIN,
    MS,
    PSH,
    RST,
    SECOND,
    SYN,
    A,
    B,
    Log,
    Peer,
    StackPair,
    icmp_packet,
    parse_tcp,
    stamp,
)
from ygg.simulation import Conditions
from ygg_c.socket.endpoint import CLOSED, EOF, FAILED, READABLE, WRITABLE
from ygg_c.testing.packets import PacketTap

SACK_PERMITTED = bytes([1, 1, 4, 2])
SCALE_7 = bytes([1, 3, 3, 7])
MSS = 1220


@pytest.fixture
def sack_peer():
    peer = Peer(options=SACK_PERMITTED + bytes([2, 4, 4, 0xC4]))
    yield peer
    peer.close()


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


class TestProbing:
    def test_zero_window_is_probed_with_backoff(self, peer):
        connection = peer.accept()
        peer.send(window=0)
        connection.write(b"waiting")
        started = peer.now
        times = []
        while len(times) < 4:
            for probe in peer.take():
                assert probe.seq == (peer.ack - 1) % 2**32
                assert probe.data == b""
                times.append((peer.now - started) // MS)
                peer.send(window=0)
            peer.now = peer.deadline
        gaps = [b - a for a, b in itertools.pairwise(times)]
        assert gaps == sorted(gaps)
        assert gaps[-1] >= 2 * gaps[0]
        assert [s.data for s in peer.send(window=1000)] == [b"waiting"]
        assert connection.error == 0

    def test_answered_probes_keep_the_connection(self, peer):
        peer.stack.retries = 3
        connection = peer.accept()
        peer.send(window=0)
        connection.write(b"waiting")
        peer.take()
        for _ in range(30):
            peer.now = peer.deadline
            if peer.take():
                peer.send(window=0)
        assert connection.state == "ESTABLISHED"

    def test_user_timeout_ends_it_all_the_same(self, peer):
        connection = peer.accept()
        connection.user_timeout = 5 * SECOND
        peer.send(window=0)
        connection.write(b"waiting")
        peer.take()
        for _ in range(30):
            if connection.error:
                break
            peer.now = peer.deadline
            if peer.take():
                peer.send(window=0)
        assert connection.error == errno.ETIMEDOUT

    def test_window_too_small_for_a_segment_is_used_in_the_end(self, peer):
        connection = peer.accept()
        peer.send(window=10)
        connection.write(bytes(1000))
        assert peer.take() == []
        sent = peer.wait(2 * SECOND)
        assert len(sent[0].data) == 10


class TestLoss:
    def fill(self, peer, segments=10):
        connection = peer.accept()
        connection.write(bytes(200_000))
        assert len(peer.take()) == segments
        return connection

    def test_timer_doubles_and_never_fires_early(self, sack_peer):
        connection = sack_peer.accept()
        connection.write(b"lost")
        sack_peer.take()
        rto = connection.info()["rto"]
        started = sack_peer.now
        times = []
        while len(times) < 4:
            sack_peer.now = sack_peer.deadline
            times += [sack_peer.now - started for _ in sack_peer.take()]
        assert times == [rto * (2**n - 1) for n in range(1, 5)]

    def test_retries_end_in_etimedout(self, peer):
        peer.stack.retries = 4
        connection = peer.accept()
        connection.write(b"lost")
        peer.take()
        sent = peer.wait(100 * SECOND)
        assert [s.data for s in sent] == [b"lost"] * 4 + [b""]
        assert sent[-1].flags & RST
        assert connection.error == errno.ETIMEDOUT

    def test_sacked_duplicates_release_then_repair(self, sack_peer):
        connection = self.fill(sack_peer)
        una = sack_peer.ack
        released = []
        for n in (1, 2, 3):
            block = bytes([1, 1, 5, 10]) + (una + MSS).to_bytes(4, "big") + (una + (n + 1) * MSS).to_bytes(4, "big")
            released.append(sack_peer.send(options=block))
        assert [[s.seq for s in batch] for batch in released[:2]] == [[una + 10 * MSS], [una + 11 * MSS]]
        assert released[2][0].seq == una
        info = connection.info()
        assert (info["phase"], info["retransmits"]) == ("recovery", 1)
        assert info["ssthresh"] == 7 * MSS
        assert info["cwnd"] < 10 * MSS

    def test_three_plain_duplicates_resend_one_segment(self, peer):
        peer.options = bytes([2, 4, 4, 0xC4])
        connection = self.fill(peer)
        answers = [peer.send() for _ in range(3)]
        assert [len(batch) for batch in answers] == [1, 1, 1]
        assert answers[2][0].seq == peer.ack
        # A partial ACK reveals the next hole (RFC 6582).
        peer.ack += 4 * MSS
        assert peer.ack in [s.seq for s in peer.send()]
        peer.ack += 8 * MSS
        peer.send()
        assert connection.info()["phase"] == "open"

    def test_only_gaps_are_resent(self, sack_peer):
        self.fill(sack_peer)
        una = sack_peer.ack
        blocks = b"".join(
            (una + a * MSS).to_bytes(4, "big") + (una + b * MSS).to_bytes(4, "big") for a, b in ((1, 3), (4, 10))
        )
        sent = sack_peer.send(options=bytes([1, 1, 5, 18]) + blocks)
        assert [s.seq for s in sent[:2]] == [una, una + 3 * MSS]
        assert all(s.seq >= una + 10 * MSS for s in sent[2:])

    def test_spurious_timeout_is_undone(self):
        peer = Peer(options=bytes([2, 4, 4, 0xC4]) + stamp(1, 0))
        listener = peer.stack.listen(None, 80)
        syn = peer.one(flags=SYN, ack=0, options=peer.options)
        peer.seq, peer.ack = 1001, syn.seq + 1
        peer.send(options=stamp(2, int.from_bytes(syn.option(8)[:4], "big")))
        connection = listener.accept()
        connection.write(bytes(12080))
        first = peer.take()
        original = int.from_bytes(first[0].option(8)[:4], "big")
        before = connection.info()["cwnd"]
        resent = peer.wait(connection.info()["rto"])
        assert resent[0].seq == first[0].seq
        assert connection.info()["cwnd"] < before
        peer.send(ack=peer.ack + len(first[0].data), options=stamp(3, original))
        assert connection.info()["phase"] == "open"
        assert connection.info()["cwnd"] >= before
        peer.close()

    @pytest.mark.parametrize("mtu", [1280, 65535])
    @pytest.mark.parametrize("loss", [0.01, 0.05, 0.2])
    def test_stream_survives(self, mtu, loss):
        switch = StackPair(mtu, Conditions(delay=0.005, loss=loss, duplicate=0.05, jitter=0.008), seed=(mtu, loss))
        client, server = switch.pair()
        data = switch.random.randbytes(300_000)
        client.write(data)
        client.shutdown_write()
        received = bytearray()

        def done():
            while piece := server.recv():
                received.extend(piece)
            return server.at_eof

        switch.run(600, done)
        assert bytes(received) == data
        switch.close()

    @pytest.mark.parametrize("seed", range(8))
    def test_echo_that_fills_both_windows_survives(self, seed):
        """Who cannot write does not read: a lost window or ACK must not leave both waiting for each other."""
        switch = StackPair(1280, Conditions(delay=0.005, loss=0.05, jitter=0.02), seed)
        for stack in (switch.a, switch.b):
            stack.receive_buffer = stack.receive_buffer_max = stack.send_buffer = stack.send_buffer_max = 16384
        client, server = switch.pair()
        data = switch.random.randbytes(200_000)
        unsent, unechoed, received = data, b"", bytearray()

        def done():
            nonlocal unsent, unechoed
            unsent = unsent[client.send(unsent) :]
            while unechoed := unechoed or server.recv(4096):
                unechoed = unechoed[server.send(unechoed) :]
                if unechoed:
                    break
            received.extend(client.recv())
            return len(received) == len(data)

        switch.run(600, done)
        assert bytes(received) == data
        switch.close()


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


class TestWrap:
    """Sequence numbers are 32 bits; streams are not."""

    def test_receiving_across_the_wrap(self):
        peer = Peer(iss=2**32 - 5)
        listener = peer.stack.listen(None, 80)
        syn = peer.one(flags=SYN, ack=0)
        peer.seq, peer.ack = 2**32 - 4, syn.seq + 1
        peer.send()
        connection = listener.accept()
        peer.send(seq=peer.seq + 10, data=b"later")
        assert peer.one(data=b"0123456789").ack == 11
        assert connection.recv() == b"0123456789later"
        peer.close()

    def test_sending_across_the_wrap(self):
        # The clock is part of the first sequence number (RFC 6528): choose one just before the wrap.
        probe = Peer()
        listener = probe.stack.listen(None, 80)
        syn = probe.one(flags=SYN, ack=0)
        listener.close()
        probe.close()
        peer = Peer(options=bytes([2, 4, 4, 0xC4]))
        peer.now += (2**32 - 500 - syn.seq) * 4000
        listener = peer.stack.listen(None, 80)
        syn = peer.one(flags=SYN, ack=0, options=peer.options)
        assert syn.seq > 2**32 - 1000
        peer.seq, peer.ack = 1001, syn.seq + 1
        peer.send()
        connection = listener.accept()
        connection.nodelay = True
        data = bytes(range(250)) * 14
        connection.write(data)
        sent = peer.take()
        assert sent[-1].seq < sent[0].seq
        peer.send(ack=(peer.ack + len(sent[0].data)) % 2**32)
        again = peer.wait(connection.info()["rto"])
        assert again[0].seq == sent[1].seq
        peer.send(ack=(peer.ack + len(data)) % 2**32)
        assert connection.queued == 0
        peer.close()


def test_detached_stack_sends_when_attached_again(peer):
    connection = peer.accept()
    peer.tap.detach()
    connection.write(b"patience")
    peer.tap = PacketTap(peer.stack)
    assert [segment.data for segment in peer.take()] == [b"patience"]


@pytest.mark.parametrize("late", [0, 1, 999_999, 1_000_000, 5_000_000])
def test_the_shortest_round_trip_is_never_shorter_than_it_was(late):
    """A retransmission's sample comes from timestamps of whole milliseconds: it must not claim less than passed."""
    peer = Peer(options=stamp(1, 0))
    listener = peer.stack.listen(None, 80)
    syn = peer.one(flags=SYN, ack=0, options=stamp(1, 0))
    peer.seq, peer.ack = peer.seq + 1, syn.seq + 1
    peer.now += 50 * MS
    peer.send(options=stamp(2, int.from_bytes(syn.option(8)[:4], "big")))
    connection = listener.accept()
    connection.send(b"data")
    (first,) = peer.take()
    peer.now = peer.deadline
    (again,) = peer.take()
    peer.now += late
    peer.send(ack=first.seq + 4, options=stamp(3, int.from_bytes(again.option(8)[:4], "big")))
    assert connection.info()["in_flight"] == 0
    assert max(late, 1000) <= connection.info()["rtt_min"] <= late + 2_000_000
    peer.close()
