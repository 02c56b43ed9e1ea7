"""TIME-WAIT: what is left of a connection that both ends have closed, and what its application still has."""

import gc
from dataclasses import replace

import pytest

from tests.c.stackkit import ACK, FIN, MS, RST, SECOND, SYN, A, B, Log, Peer, StackPair, Tcp, parse_tcp, stamp
from tests.c.tcp.light import allocated, client
from ygg_c.socket.endpoint import CLOSED, DRAINED, EOF, READABLE


def finish(peer: Peer, connection, data: bytes = b"", **fields: object) -> None:
    """Close from our side first, and go to TIME-WAIT with what the peer still says."""
    connection.shutdown_write()
    (fin,) = peer.take()
    assert fin.has(FIN, ACK)
    peer.ack += 1
    assert peer.one(flags=FIN | ACK, data=data, **fields).ack == peer.seq + len(data) + 1
    peer.seq += len(data) + 1
    assert connection.state == "TIME-WAIT"


class TestObject:
    """The application's, which has left the stack."""

    def test_it_tells_how_it_ended_and_can_be_read(self, peer):
        connection = peer.accept()
        log = Log(connection)
        finish(peer, connection, b"last words")
        assert log.flags == READABLE | EOF | DRAINED | CLOSED
        assert (connection.state, connection.closed, connection.error) == ("TIME-WAIT", True, 0)
        assert connection.readable == 10
        assert connection.recv(4) + connection.recv() == b"last words"
        assert connection.at_eof
        info = connection.info()
        assert (info["state"], info["bytes_in"]) == ("TIME-WAIT", 10)
        assert connection.remote == (B, 5000)
        connection.keepalive, connection.nodelay = (SECOND, SECOND, 1), True
        with pytest.raises(BrokenPipeError):
            connection.write(b"x")

    def test_its_state_follows(self, peer):
        connection = peer.accept()
        finish(peer, connection)
        assert peer.wait(59 * SECOND) == []
        assert (connection.state, peer.stack.time_waiting) == ("TIME-WAIT", 1)
        peer.wait(2 * SECOND)
        assert (connection.state, peer.stack.time_waiting) == ("CLOSED", 0)
        assert peer.one().has(RST)

    def test_the_place_does_not_need_it(self, peer):
        finish(peer, peer.accept())
        gc.collect()
        assert peer.stack.time_waiting == 1
        assert peer.one(seq=peer.seq - 1, flags=FIN | ACK).ack == peer.seq

    def test_abort_gives_the_place_up(self, peer):
        connection = peer.accept()
        finish(peer, connection)
        connection.abort()
        assert (connection.state, peer.stack.time_waiting) == ("CLOSED", 0)
        assert peer.take() == []

    def test_close_leaves_it(self, peer):
        connection = peer.accept()
        finish(peer, connection)
        connection.close()
        connection.shutdown_write()
        assert peer.stack.time_waiting == 1

    def test_it_survives_its_stack(self):
        peer = Peer()
        connection = peer.accept()
        finish(peer, connection, b"read late")
        peer.close()
        assert connection.state == "CLOSED"
        assert connection.recv() == b"read late"

    def test_nothing_is_held_of_its_node_but_what_can_be_read(self, peer):
        connection = peer.accept()
        finish(peer, connection, bytes(500))
        usage = peer.stack.usage(B)
        assert usage == {"incoming": 0, "half_open": 0, "received": 1024, "queued": 0, "memory": 1024 + 1344}
        assert connection.recv() == bytes(500)
        assert not any(peer.stack.usage(B).values())
        assert connection not in peer.stack.endpoints()


class TestSegments:
    def test_duplicate_fin_is_acknowledged_and_restarts_it(self, peer):
        connection = peer.accept()
        finish(peer, connection)
        peer.wait(50 * SECOND)
        again = peer.one(seq=peer.seq - 1, flags=FIN | ACK)
        assert again.has(ACK)
        assert (again.seq, again.ack) == (peer.ack, peer.seq)
        peer.wait(50 * SECOND)
        assert connection.state == "TIME-WAIT"
        peer.wait(11 * SECOND)
        assert connection.state == "CLOSED"

    def test_an_old_one_of_another_place_does_not(self, peer):
        connection = peer.accept()
        finish(peer, connection)
        peer.wait(50 * SECOND)
        assert peer.one(seq=peer.seq - 100, flags=FIN | ACK).ack == peer.seq
        peer.wait(11 * SECOND)
        assert connection.state == "CLOSED"

    def test_old_data_are_acknowledged_each_time(self, peer):
        finish(peer, peer.accept(), b"data")
        for _ in range(20):
            assert peer.one(seq=peer.seq - 5, data=b"data").ack == peer.seq

    def test_reset_is_ignored(self, peer):
        connection = peer.accept()
        finish(peer, connection)
        for seq in (peer.seq, peer.seq + 1, peer.seq - 1):
            assert peer.send(seq=seq, flags=RST | ACK) == []
        assert connection.state == "TIME-WAIT"

    def test_the_last_ack_is_not_answered(self, peer):
        finish(peer, peer.accept())
        assert peer.send() == []

    def test_an_ack_that_does_not_fit_is_answered_now_and_then(self, peer):
        """Where both ends disagree, each answer would call for the next."""
        finish(peer, peer.accept())
        assert peer.one(seq=peer.seq + 7).ack == peer.seq
        assert peer.send(seq=peer.seq + 7) == []
        assert peer.stack.counters()["tcp_answers_limited"] == 1
        peer.now += 200 * MS
        assert peer.one(seq=peer.seq + 7).ack == peer.seq

    def test_answers_carry_timestamps(self, peer):
        peer.options = stamp(500, 0)
        connection = stamped(peer)
        finish(peer, connection, options=stamp(510, 0))
        late = peer.one(seq=peer.seq - 1, flags=FIN | ACK, options=stamp(510, 0))
        assert late.option(8)[4:] == (510).to_bytes(4, "big")
        assert peer.one(seq=peer.seq - 1, flags=FIN | ACK, options=stamp(499, 0)).ack == peer.seq
        assert peer.stack.counters()["tcp_paws"] == 1


def stamped(peer: Peer):
    """Accept a connection that uses timestamps."""
    listener = peer.stack.listen(None, 80)
    client(peer, 5000, options=peer.options)
    peer.send(options=peer.options)
    return listener.accept()


class TestNewerSyn:
    def test_by_sequence_number(self, peer):
        listener = peer.stack.listen(None, 80)
        connection = peer.accept(listener)
        finish(peer, connection)
        assert peer.one(seq=peer.seq - 1000, flags=SYN, ack=0).has(ACK)
        assert connection.state == "TIME-WAIT"
        answer = peer.one(seq=peer.seq + 1000, flags=SYN, ack=0)
        assert answer.has(SYN, ACK)
        assert (connection.state, peer.stack.time_waiting, peer.stack.half_open) == ("CLOSED", 0, 1)
        peer.send(seq=peer.seq + 1001, ack=answer.seq + 1)
        assert listener.accept().state == "ESTABLISHED"

    @pytest.mark.parametrize(
        ("ahead", "value", "taken"), [(1000, 511, True), (-1000, 511, True), (1000, 510, True), (-1000, 510, False),
                                      (1000, 509, False), (-1000, 509, False)],
    )
    def test_by_timestamp(self, peer, ahead, value, taken):
        peer.options = stamp(500, 0)
        connection = stamped(peer)
        finish(peer, connection, options=stamp(510, 0))
        answer = peer.one(seq=peer.seq + ahead, flags=SYN, ack=0, options=stamp(value, 0))
        assert answer.has(*((SYN, ACK) if taken else (ACK,)))
        assert connection.state == ("CLOSED" if taken else "TIME-WAIT")

    def test_numbers_begin_beyond_the_old_ones(self, peer):
        """However much the old connection has sent since its first number: late segments of ours fit in nowhere."""
        listener = peer.stack.listen(None, 80)
        peer.base = replace(peer.base, window=65535)
        connection = peer.accept(listener)
        connection.write(bytes(60_000))
        sent = peer.take()
        while sent:
            peer.ack += sum(len(segment.data) for segment in sent)
            sent = peer.send()
        finish(peer, connection)
        answer = peer.one(seq=peer.seq + 1000, flags=SYN, ack=0)
        assert 65_536 < (answer.seq - peer.ack) % 2**32 < 2**31

    def test_without_a_listener_it_is_refused(self, peer):
        listener = peer.stack.listen(None, 80)
        connection = peer.accept(listener)
        listener.close()
        finish(peer, connection)
        assert peer.one(seq=peer.seq + 1000, flags=SYN, ack=0).has(RST, ACK)

    def test_other_segments_do_not_count(self, peer):
        connection = peer.accept()
        finish(peer, connection)
        assert peer.one(seq=peer.seq + 1000, flags=SYN | ACK).has(ACK)
        assert connection.state == "TIME-WAIT"


class TestPlaces:
    def test_it_takes_little_memory(self, peer):
        listener = peer.stack.listen(None, 80)
        peer.stack.max_time_wait = 30_000
        self.end(peer, listener, 1)
        gc.collect()
        before = allocated()
        for port in range(2, 5002):
            self.end(peer, listener, port)
        gc.collect()
        assert peer.stack.time_waiting == 5001
        assert (allocated() - before) / 5000 < 200

    @staticmethod
    def end(peer: Peer, listener, port: int) -> None:
        client(peer, port)
        peer.send()
        finish(peer, listener.accept())

    def test_number_is_bounded(self, peer):
        peer.stack.max_time_wait = 3
        listener = peer.stack.listen(None, 80)
        for port in range(6000, 6008):
            self.end(peer, listener, port)
        assert peer.stack.time_waiting == 3
        assert peer.stack.counters()["time_wait_evicted"] == 5

    @pytest.mark.parametrize("most", [0, 1])
    def test_it_may_be_small(self, peer, most):
        peer.stack.max_time_wait = most
        connection = peer.accept()
        connection.shutdown_write()
        peer.take()
        peer.ack += 1
        peer.send(flags=FIN | ACK)
        assert connection.state == ("TIME-WAIT" if most else "CLOSED")

    @staticmethod
    def visit(peer: Peer, listener, address: bytes, port: int) -> None:
        """Have a client at `address` connect and close, so that its connection is left in TIME-WAIT."""
        syn = Tcp(port, 80, 1000, 0, SYN)
        peer.tap.give([syn.packet(address, A)], peer.now)
        (answer,) = map(parse_tcp, peer.tap.take())
        peer.tap.give([replace(syn, seq=1001, ack=answer.seq + 1, flags=ACK).packet(address, A)], peer.now)
        listener.accept().shutdown_write()
        peer.tap.poll(peer.now)
        peer.tap.give([replace(syn, seq=1001, ack=answer.seq + 2, flags=FIN | ACK).packet(address, A)], peer.now)
        peer.take()

    @staticmethod
    def waits(peer: Peer, address: bytes, port: int) -> bool:
        """Whether a late FIN of that client is still acknowledged, and not reset."""
        fin = Tcp(port, 80, 1001, 0, FIN | ACK)
        peer.tap.give([fin.packet(address, A)], peer.now)
        return not peer.take()[0].has(RST)

    def test_the_greediest_node_loses_its_own(self, peer):
        """However many connections one node goes through, by whatever addresses, the others' are kept."""
        peer.stack.max_time_wait = 20
        listener = peer.stack.listen(None, 80)
        modest = [bytes([2, 1, number]) + bytes(13) for number in range(4)]
        greedy = [bytes([2 + host % 2]) + b"greedy!" + bytes([host]) + bytes(7) for host in range(100)]
        for address in modest:
            for port in (5000, 5001):
                self.visit(peer, listener, address, port)
        for address in greedy:
            self.visit(peer, listener, address, 6000)
            peer.now += 10 * MS
        assert peer.stack.time_waiting == 20
        assert all(self.waits(peer, address, port) for address in modest for port in (5000, 5001))
        assert [self.waits(peer, address, 6000) for address in greedy] == [False] * 88 + [True] * 12
        assert peer.stack.counters()["time_wait_evicted"] == 88

    def test_many_nodes_share_them(self, peer):
        peer.stack.max_time_wait = 20
        listener = peer.stack.listen(None, 80)
        addresses = [bytes([2, 1, number]) + bytes(13) for number in range(5)]
        for address in addresses:
            for port in range(5000, 5020):
                self.visit(peer, listener, address, port)
                peer.now += 200 * MS
        kept = [sum(self.waits(peer, address, port) for port in range(5000, 5020)) for address in addresses]
        assert sum(kept) == 20
        assert min(kept) >= 3

    def test_its_port_is_not_dialled_from(self, peer):
        finish(peer, peer.accept())
        with pytest.raises(OSError, match="in use"):
            peer.stack.connect(B, 5000, None, 80)

    def test_it_takes_no_place_of_a_connection(self, peer):
        peer.stack.max_connections_per_node = 1
        listener = peer.stack.listen(None, 80)
        for port in range(6000, 6020):
            self.end(peer, listener, port)
        assert peer.stack.time_waiting == 20


def test_both_close_at_once() -> None:
    switch = StackPair()
    one, other = switch.pair()
    one.shutdown_write()
    other.shutdown_write()
    switch.run(1)
    assert one.state == other.state == "TIME-WAIT"
    assert switch.a.time_waiting == switch.b.time_waiting == 1
    switch.run(61)
    assert one.state == other.state == "CLOSED"
    switch.close()


def test_ports_are_used_again() -> None:
    """One pair of ports, again and again: each SYN finds the one before in TIME-WAIT."""
    switch = StackPair()
    listener = switch.b.listen(None, 80)
    for number in range(30):
        one = switch.a.connect(B, 80, A, 4000)
        switch.run(1, lambda one=one: one.state == "ESTABLISHED")
        switch.run(0.1)
        other = listener.accept()
        other.write(bytes(50_000))
        other.shutdown_write()
        one.write(number.to_bytes(2, "big"))
        got = bytearray()
        switch.run(5, lambda one=one, got=got: bool(got.extend(one.recv()) or one.at_eof))
        assert len(got) == 50_000
        one.shutdown_write()
        switch.run(1)
        assert other.recv() == number.to_bytes(2, "big")
        assert (one.state, other.state) == ("CLOSED", "TIME-WAIT")
    switch.close()
