"""Settings of a connection, by what they do to segments."""

import errno

import pytest

from tests.c.stackkit import ACK, CWR, ECE, MS, SECOND, SYN, B, Peer, stamp
from ygg_c.tcp.options import TcpOptions


def test_quick_ack_delays_none(peer):
    connection = peer.accept()
    assert peer.data(b"delayed") == []
    assert peer.wait(SECOND)
    connection.quick_ack = True
    (answer,) = peer.data(b"at once")
    assert answer.ack == peer.seq
    connection.quick_ack = False
    assert peer.data(b"delayed") == []


def test_quick_ack_sends_what_is_being_delayed(peer):
    connection = peer.accept()
    assert peer.data(b"delayed") == []
    connection.quick_ack = True
    (answer,) = peer.take()
    assert answer.ack == peer.seq


def test_a_small_receive_limit_is_the_window(peer):
    connection = peer.accept()
    connection.receive_limit = 8192
    sent = b""
    while len(sent) < 200_000 and (room := connection.info()["receive_window"]):
        piece = bytes(min(room, 1000))
        peer.data(piece)
        sent += piece
    # What had been offered before is still taken, and no more while nothing is read.
    assert connection.readable == len(sent) <= 65535
    while connection.recv():
        pass
    peer.wait(SECOND)
    assert 0 < connection.info()["receive_window"] <= 8192


def dial(peer: Peer, options: TcpOptions):
    """Open a connection to the peer with these options, and return it and its SYN."""
    connection = peer.stack.connect(B, 9, None, 4000, options)
    (syn,) = peer.take()
    return connection, syn


def window_scale(segment) -> int:
    return segment.option(3)[0]


class TestOptions:
    """What connections begin with, by what their first segments say and do."""

    def test_the_stacks_hold_for_dials_and_for_listeners_made_later(self, peer):
        listener = peer.stack.listen(None, 81)
        peer.stack.options.mss_limit = 700
        peer.stack.options.user_timeout = 5 * SECOND
        connection = peer.accept()
        assert (connection.mss_limit, connection.user_timeout) == (700, 5 * SECOND)
        dialled = peer.stack.connect(B, 9)
        assert (dialled.mss_limit, dialled.user_timeout) == (700, 5 * SECOND)
        assert listener.options.mss_limit is None

    def test_a_listeners_are_its_own(self, peer):
        options = TcpOptions()
        listener = peer.stack.listen(None, 80, options=options)
        options.nodelay = True
        assert not listener.options.nodelay
        listener.options.corked = True
        connection = peer.accept(listener)
        assert (connection.nodelay, connection.corked) == (False, True)

    @pytest.mark.parametrize("limit", [64, 500])
    def test_a_limit_of_segments_is_told_to_the_peer(self, peer, limit):
        """As Linux has it: set before a connection is opened, it limits what comes, too."""
        options = TcpOptions()
        options.mss_limit = limit
        peer.accept(peer.stack.listen(None, 80, options=options))
        _, syn = dial(peer, options)
        for segment in (peer.syn, syn):
            assert segment.option(2) == limit.to_bytes(2, "big")

    def test_one_larger_than_the_path_takes_is_not(self, peer):
        options = TcpOptions()
        options.mss_limit = 9000
        _, syn = dial(peer, options)
        assert syn.option(2) == (1220).to_bytes(2, "big")

    def test_a_small_receive_limit_is_the_first_window(self, peer):
        options = TcpOptions()
        options.receive_limit = 5000
        connection = peer.accept(peer.stack.listen(None, 80, options=options))
        assert peer.syn.window == connection.info()["receive_window"] == 5000
        dialled, syn = dial(peer, options)
        assert (syn.window, dialled.receive_limit) == (5000, 5000)

    @pytest.mark.parametrize(("limit", "scale"), [(None, 10), (5000, 10), (200 << 20, 12), (1 << 30, 14)])
    def test_a_window_as_large_as_the_limit_can_be_said(self, peer, limit, scale):
        options = TcpOptions()
        options.receive_limit = limit
        peer.options = bytes([3, 3, 7])
        listener = peer.stack.listen(None, 80, options=options)
        connection = peer.accept(listener)
        assert window_scale(peer.syn) == connection.info()["receive_scale"] == scale
        _, syn = dial(peer, options)
        assert window_scale(syn) == scale

    def test_what_was_offered_holds_when_the_listener_is_told_otherwise_meanwhile(self, peer):
        peer.options = bytes([3, 3, 7])
        listener = peer.stack.listen(None, 80)
        listener.options.receive_limit = 200 << 20
        answer = peer.one(flags=SYN, ack=0, options=peer.options)
        listener.options.receive_limit = 5000
        peer.seq, peer.ack = peer.seq + 1, answer.seq + 1
        assert peer.send() == []
        connection = listener.accept()
        assert connection.info()["receive_scale"] == window_scale(answer) == 12
        assert connection.info()["receive_window"] == answer.window == 65_535

    @pytest.mark.parametrize("use", [0, 1, 2])
    def test_ecn_of_a_dial(self, peer, use):
        options = TcpOptions()
        options.ecn = use
        connection, syn = dial(peer, options)
        assert bool(syn.flags & (ECE | CWR)) == (use == 1)
        assert connection.ecn == use

    @pytest.mark.parametrize("cookies", [1, 2])
    @pytest.mark.parametrize(("use", "agrees"), [(None, True), (0, False), (1, True), (2, True)])
    def test_ecn_of_a_listener(self, peer, use, agrees, cookies):
        peer.stack.syn_cookies = cookies
        listener = peer.stack.listen(None, 80)
        listener.options.ecn = use
        options = stamp(500, 0)
        answer = peer.one(flags=SYN | ECE | CWR, ack=0, options=options)
        assert answer.has(SYN, ACK, ECE) if agrees else answer.has(SYN, ACK)
        echo = stamp(501, int.from_bytes(answer.option(8)[:4], "big"))
        peer.seq, peer.ack = peer.seq + 1, answer.seq + 1
        peer.send(options=echo)
        assert listener.accept().info()["ecn"] == agrees

    def test_ecn_of_the_stack_counts_where_nothing_is_said(self, peer):
        peer.stack.ecn = 0
        connection, syn = dial(peer, TcpOptions())
        assert (connection.ecn, syn.flags) == (0, SYN)

    def test_keepalive_probes_what_the_application_has_not_seen_yet(self, peer):
        options = TcpOptions()
        options.keepalive = (10 * SECOND, SECOND, 2)
        listener = peer.stack.listen(None, 80, options=options)
        answer = peer.one(flags=SYN, ack=0)
        peer.seq, peer.ack = peer.seq + 1, answer.seq + 1
        peer.send()
        assert peer.wait(9 * SECOND) == []
        (probe,) = peer.wait(SECOND)
        assert probe.seq == peer.ack - 1
        peer.wait(3 * SECOND)
        assert listener.accept() is None

    def test_times_of_keepalive_stay_when_it_is_switched_off_and_on(self, peer):
        connection = peer.accept()
        assert connection.keepalive_times == (7200 * SECOND, 75 * SECOND, 9)
        connection.keepalive_times = (5 * SECOND, SECOND, 3)
        assert connection.keepalive is None
        assert peer.wait(100 * SECOND) == []
        connection.keepalive = connection.keepalive_times
        connection.keepalive = None
        assert connection.keepalive_times == (5 * SECOND, SECOND, 3)
        for wrong in ((0, 1, 1), (1, 0, 1), (1, 1, 0)):
            with pytest.raises(ValueError, match="positive"):
                connection.keepalive_times = wrong

    def test_a_dial_ends_with_its_user_timeout(self, peer):
        options = TcpOptions()
        options.user_timeout = 2 * SECOND
        connection, _ = dial(peer, options)
        peer.wait(1999 * MS)
        assert connection.error == 0
        peer.wait(MS)
        assert connection.error == errno.ETIMEDOUT

    def test_linger_of_a_listener_resets_what_it_accepted(self, peer):
        options = TcpOptions()
        options.linger = 0
        connection = peer.accept(peer.stack.listen(None, 80, options=options))
        connection.close()
        (reset,) = peer.take()
        assert reset.has(4, ACK)

    @pytest.mark.parametrize("name", ["cubic", "newreno"])
    def test_congestion_control(self, peer, name):
        peer.stack.congestion = "newreno" if name == "cubic" else "cubic"
        options = TcpOptions()
        options.congestion_control = name
        connection, _ = dial(peer, options)
        assert connection.congestion_control == name
        assert peer.accept().congestion_control == peer.stack.congestion
        with pytest.raises(ValueError, match="is one of"):
            options.congestion_control = "carrier-pigeon"

    @pytest.mark.parametrize(("name", "value"), [
        ("ecn", 3), ("ecn", -1), ("mss_limit", 63), ("send_limit", 0), ("receive_limit", -5), ("unsent_limit", 0),
    ])  # fmt: skip
    def test_values_that_are_none_are_refused(self, name, value):
        options = TcpOptions()
        with pytest.raises(ValueError, match=r"ecn is|a segment has|a limit is"):
            setattr(options, name, value)
        assert getattr(options, name) is None
