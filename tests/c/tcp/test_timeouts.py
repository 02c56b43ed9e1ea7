"""ygg_c.tcp.timeouts: retransmission, persist timer, user timeout."""

import errno
import itertools

from tests.c.stackkit import MS, SECOND
from tests.c.tcp.scripted import scripts

test_scripts = scripts("07-timeouts")


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
