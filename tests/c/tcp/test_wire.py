"""ygg_c.tcp.wire: numbers and options of segments."""

from tests.c.stackkit import SYN, Peer


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
