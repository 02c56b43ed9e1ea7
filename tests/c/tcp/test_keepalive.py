"""ygg_c.tcp.keepalive: when an idle connection is probed (RFC 9293, 3.8.4)."""

import errno

from tests.c.stackkit import RST, SECOND, B
from tests.c.tcp.scripted import scripts

test_scripts = scripts("27-keepalive")


class TestKeepalive:
    def test_it_is_off_unless_the_stack_has_it_on(self, peer):
        """Then all that is opened later is probed; times are the RFC's until others are set."""
        options = peer.stack.options
        assert options.keepalive is None
        assert options.keepalive_times == (7200 * SECOND, 75 * SECOND, 9)
        assert peer.stack.connect(B, 99).keepalive is None
        peer.take()
        options.keepalive = (300 * SECOND, 30 * SECOND, 4)
        assert peer.accept().keepalive == (300 * SECOND, 30 * SECOND, 4)
        assert peer.stack.connect(B, 99).keepalive == (300 * SECOND, 30 * SECOND, 4)

    def test_probes_then_gives_up(self, peer):
        connection = peer.accept()
        connection.keepalive = (10 * SECOND, SECOND, 3)
        peer.take()
        sent = peer.wait(14 * SECOND)
        assert [s.seq for s in sent[:3]] == [peer.ack - 1] * 3
        assert sent[3].flags & RST
        assert connection.error == errno.ETIMEDOUT

    def test_answers_keep_it(self, peer):
        connection = peer.accept()
        connection.keepalive = (10 * SECOND, SECOND, 3)
        peer.take()
        for _ in range(20):
            peer.now = peer.deadline
            if peer.take():
                peer.send()
        assert connection.state == "ESTABLISHED"
