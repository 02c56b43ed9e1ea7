"""SYN cookies: what a listener does whose queue of half-open connections is full."""

import struct

import pytest

from tests.c.stackkit import ACK, FIN, MS, RST, SECOND, SYN, A, B, Peer, StackPair, Tcp, stamp
from tests.c.tcp.light import client
from ygg.simulation import Conditions

SCALE_7, SACK, MSS_8940 = bytes([1, 3, 3, 7]), bytes([1, 1, 4, 2]), bytes([2, 4, 34, 236])


@pytest.fixture
def peer():
    peer = Peer(mtu=65535)
    peer.stack.syn_cookies = 2
    yield peer
    peer.close()


class TestCookie:
    def test_it_needs_no_memory(self, peer):
        listener = peer.stack.listen(None, 80)
        client(peer, 5000)
        assert peer.stack.half_open == peer.stack.usage(B)["incoming"] == 0
        assert peer.wait(100 * SECOND) == []
        assert peer.send() == []
        assert listener.accept().remote == (B, 5000)
        counters = peer.stack.counters()
        assert counters["tcp_cookies_sent"] == counters["tcp_cookies_taken"] == counters["syn_queue_full"] == 1

    def test_text_with_the_syn_is_left_to_be_sent_again(self, peer):
        listener = peer.stack.listen(None, 80)
        assert client(peer, 5000, data=b"hello").ack == 1001
        peer.send(data=b"hello")
        assert listener.accept().recv() == b"hello"

    @pytest.mark.parametrize(("flags", "state"), [(ACK, "ESTABLISHED"), (ACK | FIN, "CLOSE-WAIT")])
    def test_data_may_come_with_the_ack(self, peer, flags, state):
        listener = peer.stack.listen(None, 80)
        client(peer, 5000)
        peer.send(data=b"hello", flags=flags)
        connection = listener.accept()
        assert (connection.recv(), connection.state) == (b"hello", state)

    def test_fin_alone(self, peer):
        listener = peer.stack.listen(None, 80)
        client(peer, 5000)
        assert peer.one(flags=ACK | FIN).ack == 1002
        assert listener.accept().at_eof

    @pytest.mark.parametrize(("before", "after"), [(4096, 1 << 30), (1 << 30, None)])
    def test_the_window_has_the_scale_that_was_told(self, peer, before, after):
        """What a listener is told between its answer and the ACK does not change what the peer knows."""
        listener = peer.stack.listen(None, 80)
        listener.options.receive_limit = before
        answer = client(peer, 5000, options=MSS_8940 + SCALE_7 + SACK + stamp(77, 0))
        value, _ = struct.unpack(">II", answer.option(8))
        listener.options.receive_limit = after
        peer.send(options=stamp(78, value))
        assert listener.accept().info()["receive_scale"] == answer.option(3)[0]

    def test_also_of_one_that_has_to_wait_for_a_place(self, peer):
        listener = peer.stack.listen(None, 80, backlog=1)
        listener.options.receive_limit = 4096
        first = peer.one(sport=4999, seq=1000, ack=0, flags=SYN)
        answer = client(peer, 5000, options=MSS_8940 + SCALE_7 + SACK + stamp(77, 0))
        value, _ = struct.unpack(">II", answer.option(8))
        peer.send(sport=4999, ack=first.seq + 1)
        listener.options.receive_limit = 1 << 30
        peer.send(options=stamp(78, value))
        assert peer.stack.half_open == 1
        assert listener.accept().remote == (B, 4999)
        peer.send(options=stamp(79, value))
        connection = listener.accept()
        assert connection.remote == (B, 5000)
        assert connection.info()["receive_scale"] == answer.option(3)[0]

    def test_later_cookies_have_the_new_scale(self, peer):
        listener = peer.stack.listen(None, 80)
        scales = []
        for port, limit in ((5000, 4096), (5001, 1 << 30)):
            listener.options.receive_limit = limit
            answer = client(peer, port, options=MSS_8940 + SCALE_7 + SACK + stamp(77, 0))
            scales.append(answer.option(3)[0])
            peer.wait(140 * SECOND)
        assert scales[0] < scales[1]

    def test_the_timestamp_carries_the_options(self, peer):
        listener = peer.stack.listen(None, 80)
        answer = client(peer, 5000, options=MSS_8940 + SCALE_7 + SACK + stamp(77, 0))
        value, echo = struct.unpack(">II", answer.option(8))
        assert echo == 77
        assert answer.option(3) is not None
        assert answer.option(4) == b""
        peer.now += 40 * MS
        peer.send(options=stamp(78, value), window=1000)
        connection = listener.accept()
        info = connection.info()
        assert (info["sack"], info["timestamps"], info["send_window"]) == (True, True, 128_000)
        assert info["mss"] == 8940 - 12
        connection.write(b"x")
        (segment,) = peer.take()
        later, echo = struct.unpack(">II", segment.option(8))
        assert echo == 78
        assert 0 < later - value <= 40 + 32       # the clock runs on from what carried the options

    @pytest.mark.parametrize("offered", [MSS_8940, MSS_8940 + SACK, SCALE_7])
    def test_options_not_offered_are_not_assumed(self, peer, offered):
        options = offered + stamp(77, 0)
        listener = peer.stack.listen(None, 80)
        answer = client(peer, 5000, options=options)
        assert (answer.option(3) is None) == (SCALE_7 not in options)
        assert (answer.option(4) is None) == (SACK not in options)
        peer.send(options=stamp(78, struct.unpack(">II", answer.option(8))[0]), window=1000)
        info = listener.accept().info()
        assert info["sack"] == (SACK in options)
        assert info["send_window"] == (128_000 if SCALE_7 in options else 1000)

    def test_without_timestamps_there_is_neither_scale_nor_sack(self, peer):
        listener = peer.stack.listen(None, 80)
        answer = client(peer, 5000, options=MSS_8940 + SCALE_7 + SACK)
        assert answer.option(2)
        assert answer.option(3) is answer.option(4) is answer.option(8) is None
        peer.send(window=1000)
        info = listener.accept().info()
        assert (info["sack"], info["timestamps"], info["send_window"], info["mss"]) == (False, False, 1000, 8940)

    @pytest.mark.parametrize(
        ("said", "kept"), [(None, 1220), (30, 64), (535, 64), (536, 536), (1440, 1440), (1460, 1440), (65475, 65475)]
    )
    def test_segments_are_not_larger_than_the_peer_takes(self, peer, said, kept):
        listener = peer.stack.listen(None, 80)
        client(peer, 5000, options=b"" if said is None else struct.pack(">BBH", 2, 4, said))
        peer.send()
        assert listener.accept().info()["mss"] == kept

    @pytest.mark.parametrize("wait", [0, 60, 68])
    def test_it_holds_for_a_minute(self, peer, wait):
        listener = peer.stack.listen(None, 80)
        client(peer, 5000)
        peer.now += wait * SECOND
        assert peer.send() == []
        assert listener.accept() is not None

    def test_and_not_for_long(self, peer):
        listener = peer.stack.listen(None, 80)
        client(peer, 5000)
        peer.now += 138 * SECOND
        client(peer, 5001)              # others come all the while
        answer = peer.one(sport=5000)
        assert answer.has(RST)
        assert listener.accept() is None

    def test_it_is_for_one_connection(self, peer):
        listener = peer.stack.listen(None, 80)
        client(peer, 5000)
        for field in ({"sport": 5001}, {"seq": 1002}, {"ack": peer.ack + 1}, {"ack": peer.ack ^ 1 << 27}):
            assert peer.one(**field).has(RST)
        assert peer.stack.counters()["tcp_cookies_wrong"] == 4
        assert listener.accept() is None

    def test_only_where_one_was_sent(self, peer):
        """A listener that has sent none for as long as one holds takes none, however good the guess."""
        peer.stack.syn_cookies = 1
        listener = peer.stack.listen(None, 80)
        assert peer.one().has(RST)
        assert peer.one(data=b"data").has(RST)
        assert peer.stack.counters()["tcp_cookies_wrong"] == 0
        assert listener.accept() is None

    def test_what_overtakes_the_ack_does_not_end_the_connection(self, peer):
        """The first segment was lost, the second comes: a reset would end what the peer takes for open."""
        listener = peer.stack.listen(None, 80)
        client(peer, 5000)
        assert peer.send(seq=1006, data=b"world") == []
        peer.send(data=b"hello")
        peer.send(seq=1006, data=b"world")
        connection = listener.accept()
        assert connection.recv() == b"helloworld"

    def test_a_full_backlog_remembers_those_that_are_proved(self, peer):
        listener = peer.stack.listen(None, 80, backlog=1)
        second = peer.one(sport=5001, seq=1000, ack=0, flags=SYN)
        client(peer, 5000)
        peer.send()
        assert peer.send(sport=5001, seq=1001, ack=second.seq + 1) == []
        assert peer.stack.half_open == 1
        assert listener.accept().remote == (B, 5000)
        assert listener.accept() is None
        # The peer, which has nothing to say, answers what is said again.
        (again,) = peer.wait(SECOND)
        assert (again.seq, again.flags) == (second.seq, SYN | ACK)
        peer.send(sport=5001, seq=1001, ack=second.seq + 1)
        assert listener.accept().remote == (B, 5001)
        assert peer.stack.half_open == 0


@pytest.mark.parametrize("setting", [0, 1, 2])
def test_the_setting(setting: int) -> None:
    peer = Peer()
    peer.stack.syn_cookies, peer.stack.syn_queue = setting, 8
    peer.stack.listen(None, 80, backlog=8)
    answers = sum(len(peer.send(sport=port, seq=1000, ack=0, flags=SYN)) for port in range(1, 21))
    counters = peer.stack.counters()
    assert answers == (4 if setting == 0 else 20)
    assert peer.stack.half_open == (0 if setting == 2 else 4)
    assert counters["syn_queue_full"] == (20 if setting == 2 else 16)
    assert counters["tcp_cookies_sent"] == (0 if setting == 0 else counters["syn_queue_full"])
    peer.close()


@pytest.mark.parametrize("nodes", [1, 200])
@pytest.mark.parametrize("loss", [0.0, 0.02])
def test_a_flood_keeps_no_honest_client_out(nodes: int, loss: float) -> None:
    """SYNs come at 20,000/s, from the clients' own node too; who dials is 60 ms away and is served."""
    switch = StackPair(seed=nodes)
    switch.change(Conditions(delay=0.03))
    listener = switch.b.listen(None, 80)
    switch.passes = lambda packet: packet[24:40] == A or (packet[24:40] == B and switch.random.random() >= loss)
    clients, servers = [], []
    for ms in range(1500):
        switch.give(flood(20 * ms + n, nodes) for n in range(20))
        if ms % 30 == 0:
            clients.append(switch.a.connect(B, 80))
            clients[-1].write(b"request")
        switch.run(0.001)
        answer(listener, servers)
    for _ in range(1000):
        switch.run(0.02)
        answer(listener, servers)
        if all(client.readable for client in clients):
            break
    assert [client.recv() for client in clients] == [b"REQUEST"] * 50
    assert switch.b.counters()["tcp_cookies_sent"] > 25_000
    assert switch.b.half_open <= switch.b.syn_queue
    switch.close()


def answer(listener, servers: list) -> None:
    """Accept what there is and answer what was asked."""
    while (server := listener.accept()) is not None:
        servers.append(server)
    for server in servers:
        if server.readable:
            server.write(server.recv().upper())


def flood(number: int, nodes: int) -> bytes:
    """Return one of many SYNs: of the node that A belongs to, or of this many others."""
    address = A[:8] + number.to_bytes(8, "big") if nodes == 1 else bytes([2, 9]) + (number % nodes).to_bytes(14, "big")
    return Tcp(1 + number % 60_000, 80, number, 0, SYN, options=SCALE_7).packet(address, B)
