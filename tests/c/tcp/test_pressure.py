"""What goes where memory is short, and which of the connections that their applications have closed."""

import errno

import pytest

from tests.c.stackkit import ACK, FIN, MS, RST, SECOND, Log, Peer, StackPair, Tcp, check_transitions
from tests.c.stage import MIB, Stage, node
from tests.expecting import raises_errno
from ygg.simulation import Conditions
from ygg_c.socket.endpoint import FAILED


def hold_ahead(stage: Stage, far, segments: int) -> None:
    """Have connections hold data out of order: the first byte of each is missing."""
    for connection in far:
        for at in range(segments):
            stage.send(connection.segment(at=1 + at * 60_000, data=bytes(60_000)))


def press(stage: Stage, numbers: range = range(10, 20)) -> None:
    """Have nodes fill memory with data in order that is not read, until it is short."""
    for number in numbers:
        for connection in stage.open(number, 10):
            for _ in range(10):
                connection.fill()


def give_up(near: list) -> None:
    """Close connections, so that those which have ended and are still known to a test hold nothing."""
    for connection in near:
        connection.close()


class TestOutOfOrder:
    def test_it_goes_before_data_in_order_is_refused(self, stage):
        """Also that of other connections and nodes than the one that needs memory."""
        hold_ahead(stage, stage.open(1, 20), 10)
        before = stage.stack.usage(node(1))["received"]
        assert before > 8 * MIB
        press(stage)
        assert stage.stack.usage(node(1))["received"] < MIB
        assert stage.stack.counters()["tcp_reneged"] == 20

    def test_the_greediest_nodes_goes_first(self, stage):
        modest = stage.open(2, 1)
        hold_ahead(stage, modest, 2)
        hold_ahead(stage, stage.open(1, 20), 10)
        held = stage.stack.usage(node(2))["received"]
        before = stage.stack.usage(node(1))["received"]
        press(stage, range(10, 13))
        assert stage.stack.usage(node(1))["received"] < before // 2
        assert stage.stack.usage(node(2))["received"] == held > 100_000

    def test_what_was_dropped_is_told_of_no_more_and_taken_again(self, stage):
        far, *others = [stage.one(node(1), port) for port in range(5000, 5020)]
        near = stage.accepted()[0]
        hold_ahead(stage, [far], 8)
        hold_ahead(stage, others, 10)
        press(stage)
        told = []
        stage.watch = lambda segment: told.append(segment.sacks) if segment.dport == far.port else None
        stage.send(far.segment(data=b"x"))
        stage.rest()                    # nothing is missing any more: the ACK may wait
        assert told[-1] == []
        assert far.seq == 1002          # and no more is acknowledged
        got = bytearray(near.recv())
        for _ in range(8):
            far.fill()
            while data := near.recv():
                got += data
        assert len(got) == 1 + 8 * 60_000

    def test_without_pressure_nothing_goes(self, stage):
        hold_ahead(stage, stage.open(1, 10), 10)
        held = stage.stack.usage(node(1))["received"]
        for connection in stage.open(2, 10):
            connection.fill()
        assert stage.stack.usage(node(1))["received"] == held
        assert stage.stack.counters()["tcp_reneged"] == 0

    @pytest.mark.parametrize("seed", range(3))
    def test_streams_stay_whole_where_a_receiver_goes_back_on_its_word(self, seed):
        """Lossy transfers from one node into too little memory: what is SACKed and dropped is sent again."""
        switch = StackPair(1280, Conditions(delay=0.02, loss=0.03), seed)
        switch.b.max_buffered = 200_000
        listener = switch.b.listen(None, 80)
        clients = [switch.a.connect(switch.b.addresses[0][0], 80) for _ in range(12)]
        switch.run(20, lambda: all(client.state == "ESTABLISHED" for client in clients))
        servers = []
        switch.run(5)
        while (server := listener.accept()) is not None:
            servers.append(server)
        content = {client.local[1]: client.local[1].to_bytes(2, "big") * 100_000 for client in clients}
        for client in clients:
            client.write(content[client.local[1]])
            client.shutdown_write()
        got = {server: bytearray() for server in servers}

        for turn in range(10_000):
            switch.run(0.02)
            for server in servers[turn % 2 :: 2]:
                got[server] += server.recv(3000)
            if all(server.at_eof for server in servers):
                break
        assert len(servers) == 12
        assert all(bytes(data) == content[server.remote[1]] for server, data in got.items())
        assert switch.b.counters()["tcp_reneged"] > 0
        switch.close()

    def test_a_sender_finds_out_soon(self, peer):
        """What was SACKed and is not acknowledged with what was missing before it is sent again within a round trip."""
        peer = Peer(options=b"\4\2")
        connection = peer.accept()
        peer.now += 40 * MS
        connection.nodelay = True
        connection.write(bytes(1000))
        peer.take()
        peer.ack += 1000
        peer.now += 40 * MS
        peer.send()
        connection.write(bytes(4 * 1220))
        first, *_ = peer.take()
        start = first.seq
        size = len(first.data)
        sack = b"\1\1\5\x0a" + (start + size).to_bytes(4, "big") + (start + 3 * size).to_bytes(4, "big")
        peer.now += 40 * MS
        peer.send(ack=start, options=sack)
        again = peer.wait(60 * MS)
        assert start in [segment.seq for segment in again]
        peer.ack = start + size
        sent = peer.send()
        began = peer.now
        while not any(segment.seq == start + size for segment in sent):
            sent = peer.wait(MS)
            assert peer.now - began < 100 * MS
        check_transitions(peer.stack)
        peer.close()


class TestEviction:
    def test_the_greediest_nodes_oldest_idle_connection_goes_for_data_in_order(self, stage):
        greedy = stage.open(1, 30)
        near = stage.accepted()
        log = Log(near[0])
        for connection in greedy:
            for _ in range(10):
                connection.fill()
        idle = stage.one(node(1), 9000)         # holds nothing
        for connection in stage.open(2, 20) + stage.open(3, 20):
            for _ in range(6):
                connection.fill()
        stage.now += 11 * SECOND
        late = stage.open(4, 20)
        for connection in late:
            for _ in range(6):
                connection.fill()
        evicted = [connection for connection in near if connection.error]
        assert evicted
        assert evicted == near[: len(evicted)]
        assert {connection.error for connection in evicted} == {errno.ECONNABORTED}
        assert {connection.readable for connection in evicted} == {0}      # it went for the memory
        assert log.flags & FAILED
        assert stage.stack.counters()["tcp_memory_evicted"] >= len(evicted)
        assert [stage.stack.usage(node(number))["incoming"] for number in (2, 3, 4)] == [20, 20, 20]
        assert idle.ack
        held = [stage.stack.usage(node(number))["received"] for number in (1, 2, 3, 4)]
        assert held[0] < 2 * held[3] + MIB

    def test_none_that_is_in_use_goes(self, stage):
        press(stage)
        assert stage.stack.counters()["tcp_no_buffer"] or stage.stack.buffered[0] > 16 * MIB
        young = Stage()
        for number in range(1, 5):
            for connection in young.open(number, 20):
                for _ in range(3):
                    young.send(connection.segment(data=bytes(60_000)))
        assert young.now < 10 * SECOND
        assert young.stack.counters()["tcp_memory_evicted"] == 0
        young.close()

    def test_a_node_with_many_idle_connections_loses_its_own_and_others_none(self, stage):
        """Nothing waits in any: the connections themselves take the memory."""
        stage.stack.max_buffered = MIB
        modest = [near for number in range(2, 12) for near in self.accepted_of(stage, number, 4)]
        greedy = self.accepted_of(stage, 1, 1000)
        assert 200 < len(greedy) < 300                          # its part: half of what is shared
        stage.now += 11 * SECOND
        for number in range(100, 220):
            stage.now += 100 * MS
            modest += self.accepted_of(stage, number, 5)
            assert stage.stack.memory_in_use <= MIB
        assert len(modest) == 10 * 4 + 120 * 5
        assert {near.error for near in modest} == {0}
        evicted = [near for near in greedy if near.error]
        assert evicted == greedy[: len(evicted)]
        assert {near.error for near in evicted} == {errno.ECONNABORTED}
        assert stage.stack.counters()["tcp_memory_evicted"] == len(evicted) > 100

    def accepted_of(self, stage: Stage, number: int, count: int) -> list:
        stage.open(number, count)
        return stage.accepted()

    def test_no_connection_goes_for_one_of_a_node_that_has_as_much(self, stage):
        stage.stack.max_buffered = MIB
        for number in range(1, 9):
            stage.open(number, 110)
        stage.now += 11 * SECOND
        before = stage.stack.usage(node(1))["incoming"]
        for number in range(1, 4):
            stage.open(number, 5)
        assert stage.stack.usage(node(1))["incoming"] == before
        assert stage.stack.counters()["tcp_memory_evicted"] == 0
        assert stage.stack.counters()["tcp_no_buffer"]
        assert stage.stack.memory_in_use <= MIB

    def test_what_has_ended_and_was_not_read_goes_first(self, stage):
        idle = stage.open(1, 20)
        ended = stage.open(1, 40)[20:]
        near = stage.accepted()
        for connection in idle + ended:
            for _ in range(10):
                connection.fill()
        for connection in ended:
            stage.send(connection.segment(RST))
        assert stage.stack.usage(node(1))["incoming"] == 20
        stage.now += 11 * SECOND
        for connection in stage.open(2, 20) + stage.open(3, 20):
            for _ in range(10):
                connection.fill()
        gone = [connection for connection in near[20:] if not connection.readable]
        assert gone
        assert stage.stack.counters()["tcp_memory_evicted"] == len(gone)
        for connection in gone:
            with raises_errno(errno.ECONNRESET):
                connection.recv()
        assert {connection.error for connection in near[:20]} == {0}
        give_up(near)

    @pytest.mark.parametrize("ended", [False, True])
    def test_what_went_is_no_end_of_a_stream(self, stage, ended):
        """Of one whose peer has said all: it was not read, and so it does not look as if it had been."""
        far = stage.open(1, 30)
        near = stage.accepted()
        for connection in far:
            for _ in range(10):
                connection.fill()
            stage.send(connection.segment(ACK | FIN))
            connection.seq += 1
        if ended:
            for here, there in zip(near, far, strict=True):
                here.shutdown_write()
                stage.turn()
                there.ack += 1
                stage.send(there.segment())
                assert here.closed
        stage.now += 70 * SECOND
        for connection in stage.open(2, 20) + stage.open(3, 20):
            for _ in range(10):
                connection.fill()
        gone = [connection for connection in near if not connection.readable]
        assert gone
        for connection in gone:
            assert not connection.at_eof
            with raises_errno(errno.ECONNABORTED):
                connection.recv()
        kept = next(connection for connection in near if connection.readable)
        while kept.recv():
            pass
        assert kept.at_eof
        give_up(near)

    def test_data_that_the_program_has_written_is_never_dropped(self, stage):
        """Memory is full of what others sent; what is written meanwhile leaves, in order and whole."""
        far = stage.one(node(1), 5000, window=60_000)
        near = stage.accepted()[0]
        press(stage)
        near.write(bytes(range(256)) * 1000)
        got = bytearray()

        def watch(segment: Tcp) -> None:
            if segment.dport == far.port and segment.seq == far.ack:
                got.extend(segment.data)
                far.ack += len(segment.data)

        stage.watch = watch
        for _ in range(100):
            stage.send(far.segment())
        assert bytes(got) == bytes(range(256)) * 1000
        assert near.error == 0


class TestOrphans:
    """Connections that the application closed and that have yet to send what it wrote."""

    def closed(self, stage: Stage, number: int, count: int, size: int = 5000) -> list:
        stage.open(number, count, window=1)
        made = stage.accepted()
        for connection in made:
            connection.write(bytes(size))
            connection.close()
        stage.turn()
        return made

    def taken(self, peer: Peer, connection, rate: int, limit: int) -> int:
        """Take so many bytes each second, until all are taken or the connection or time ends; return the seconds."""
        began = peer.now
        answers: list[Tcp] = []
        while peer.now - began < limit and connection.queued and not connection.closed:
            most = peer.ack + rate
            for segment in answers + peer.wait(SECOND):
                if segment.seq <= peer.ack < segment.seq + len(segment.data):
                    peer.ack = min(most, segment.seq + len(segment.data))
            answers = peer.send(window=rate)
        return (peer.now - began) // SECOND

    def test_one_that_trickles_ends(self, peer):
        """At a window of one byte it would take as long as the peer likes."""
        connection = peer.accept()
        connection.write(bytes(1 << 20))
        connection.close()
        seconds = self.taken(peer, connection, 1, 4000 * SECOND)
        assert 600 + 256 <= seconds <= 600 + 256 + 2
        assert connection.error == errno.ETIMEDOUT
        assert peer.stack.counters()["tcp_orphan_timeouts"] == 1

    def test_its_time_is_a_setting(self, peer):
        peer.stack.orphan_time = 20 * SECOND
        connection = peer.accept()
        connection.write(bytes(8192))
        connection.close()
        assert 22 <= self.taken(peer, connection, 1, 100 * SECOND) <= 23
        peer.stack.orphan_time = 0

    def test_zero_is_no_limit(self, peer):
        peer.stack.orphan_time = 0
        connection = peer.accept()
        connection.write(bytes(1 << 20))
        connection.close()
        assert self.taken(peer, connection, 1, 2000 * SECOND) == 2000
        assert not connection.closed

    def test_a_slow_one_that_gets_on_is_let_finish(self, peer):
        """10 KB/s for a quarter of an hour."""
        connection = peer.accept()
        connection.write(bytes(9_000_000))
        connection.close()
        start = peer.ack
        self.taken(peer, connection, 10_000, 2000 * SECOND)
        assert peer.ack - start == 9_000_000
        assert connection.error == 0

    def test_one_without_answers_ends_sooner_than_a_connection_in_use(self, peer):
        connection = peer.accept()
        connection.write(bytes(100))
        connection.close()
        peer.wait(95 * SECOND)
        assert not connection.closed
        peer.wait(15 * SECOND)
        assert (connection.closed, connection.error) == (True, errno.ETIMEDOUT)
        assert peer.stack.counters()["tcp_orphan_timeouts"] == 1

    def test_their_number_is_limited_and_the_greediest_node_loses_its_oldest(self, stage):
        stage.stack.max_orphans = 30
        modest = self.closed(stage, 2, 3)
        greedy = self.closed(stage, 1, 60)
        assert [connection.error for connection in modest] == [0, 0, 0]
        assert [connection.error for connection in greedy] == [errno.ECONNABORTED] * 33 + [0] * 27
        assert stage.stack.counters()["tcp_orphans_evicted"] == 33
        assert stage.stack.usage(node(1))["incoming"] == 27

    def test_their_bytes_are_limited(self, stage):
        """Those whose peers take little have half of what is shared: 12 of 24 MiB."""
        modest = self.closed(stage, 2, 1, MIB)
        greedy = self.closed(stage, 1, 20, MIB)
        assert [connection.error for connection in greedy] == [0] * 20
        stage.now += 11 * SECOND
        stage.turn()
        late = self.closed(stage, 3, 1, 1000)
        assert modest[0].error == late[0].error == 0
        assert [bool(connection.error) for connection in greedy] == [True] * 10 + [False] * 10
        assert stage.stack.buffered[1] <= 12 * MIB + 100_000
        assert stage.stack.counters()["tcp_orphans_evicted"] == 10

    def test_much_that_is_taken_is_delivered_whole(self):
        """Programs write what they have and close."""
        switch = StackPair(65535)
        switch.a.max_buffered = 8 * MIB
        client, server = switch.pair()
        content = bytes(range(256)) * 40_000 * 4
        client.write(content)
        client.close()
        got = bytearray()

        def done() -> bool:
            while data := server.recv():
                got.extend(data)
            return server.at_eof

        switch.run(100, done)
        assert got == content
        switch.close()

    def test_the_places_of_those_that_end_are_free(self, stage):
        stage.stack.max_connections_per_node = 5
        for connection in self.closed(stage, 1, 5):
            connection.abort()
        assert not any(stage.stack.usage(node(1)).values())
        assert len(self.closed(stage, 1, 5)) == 5

    def test_none_goes_for_a_stranger_that_asks_for_a_place(self, stage):
        """What the program wrote is not dropped unsaid: of a node's connections those go whose program can be told."""
        stage.stack.max_connections = 80        # 70 of them for strangers
        orphans = self.closed(stage, 1, 10)
        for port in range(7000, 7010):
            stage.one(node(1), port)
        used = stage.accepted()
        for number in range(2, 6):
            stage.open(number, 13 if number < 5 else 11)
        stage.now += 20 * SECOND
        stage.one(node(99), 5000)
        assert [connection.error for connection in orphans] == [0] * 10
        assert used[0].error == errno.ECONNABORTED

    def test_one_that_was_dialled_counts_too(self):
        switch = StackPair()
        switch.a.max_orphans = 2
        listener = switch.b.listen(None, 80)
        clients = [switch.a.connect(switch.b.addresses[0][0], 80) for _ in range(4)]
        switch.run(1)
        assert [listener.accept() is not None for _ in range(4)] == [True] * 4
        switch.cut()
        for client in clients:
            client.write(b"x")
            client.close()
        switch.run(1)
        assert [client.error for client in clients] == [errno.ECONNABORTED] * 2 + [0] * 2
        switch.close()

    def test_fin_wait_2_has_its_own_time(self, peer):
        peer.stack.orphan_time = 10 * SECOND
        connection = peer.accept()
        connection.close()
        peer.take()
        peer.ack += 1
        peer.send()
        assert connection.state == "FIN-WAIT-2"
        peer.wait(59 * SECOND)
        assert connection.state == "FIN-WAIT-2"
        peer.wait(2 * SECOND)
        assert connection.state == "CLOSED"
