"""ygg_c.tcp.loss: what ACKs tell of loss, and what the sender does about it."""

import errno

import pytest

from tests.c.stackkit import MSS, RST, SECOND, SYN, Peer, StackPair, stamp
from tests.c.tcp.scripted import scripts
from ygg.simulation import Conditions

test_scripts = scripts("14-recovery")


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
