"""What one remote node may have of a stack, by whatever address: memory in queues, and places for connections."""

import errno
import tracemalloc

import pytest

from tests.c.stackkit import ACK, MS, SECOND, SYN, A, B, Log, StackPair, Tcp, parse_tcp
from tests.c.stage import MIB, node
from tests.expecting import raises_errno
from ygg.simulation import Conditions
from ygg_c.socket.endpoint import WRITABLE


@pytest.fixture
def memory():
    """Give the bytes that were allocated since."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    yield lambda: tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()


class TestMemory:
    def test_an_application_that_does_not_read_holds_little_for_one_node(self, stage, memory):
        far = stage.open(1, 300)
        for _ in range(60):
            for connection in far:
                connection.fill()
        received, queued = stage.stack.buffered
        assert 11 * MIB < received < 13 * MIB + 300 * 16_384
        assert queued == 0
        assert abs(memory() - received) < 6 * MIB       # connections and the test's own included
        assert stage.stack.counters()["tcp_no_buffer"]

    def test_single_bytes_all_over_the_windows(self, stage, memory):
        for connection in stage.open(1, 1000):
            for at in range(60_000, 1, -6000):
                stage.send(connection.segment(at=at, data=b"z"))
        received, _ = stage.stack.buffered
        assert 9 * MIB < received < 12 * MIB
        assert memory() < received + 8 * MIB

    def test_an_echo_to_a_peer_that_takes_nothing(self, stage, memory):
        far = stage.open(1, 300)
        near = stage.accepted()
        for _ in range(40):
            for here, there in zip(near, far, strict=True):
                there.fill()
                if here.send_space:
                    here.send(here.recv())
        assert sum(stage.stack.buffered) < 30 * MIB
        assert memory() < 38 * MIB

    def test_many_nodes_share_all(self, stage):
        for number in range(1, 9):
            for connection in stage.open(number, 40):
                for _ in range(10):
                    connection.fill()
        held = [stage.stack.usage(node(number))["received"] for number in range(1, 9)]
        assert stage.stack.buffered[0] == sum(held) < stage.stack.max_buffered
        assert min(held) > MIB // 2
        # The next has little, and yet a window for segments of any size.
        late = stage.one(node(99), 5000)
        near = stage.accepted()[-1]
        for _ in range(20):
            assert late.offered >= 65_000
            before = late.seq
            late.fill()
            assert late.seq == before + 60_000
            while near.recv():
                pass
            stage.rest()

    def test_it_ends_somewhere(self, stage):
        """Three hundred nodes with ten connections each, that nothing is read from."""
        stage.stack.max_buffered = 4 * MIB
        for number in range(1, 301):
            for connection in stage.open(number, 10):
                connection.fill(16_000)
        assert stage.stack.buffered[0] > MIB
        assert 3.9 * MIB < stage.stack.memory_in_use <= 4 * MIB

    def test_a_greedy_node_does_not_shrink_the_windows_of_others(self, stage):
        modest = stage.one(node(2), 5000)
        near = stage.accepted()[-1]
        for connection in stage.open(1, 400):
            for _ in range(30):
                connection.fill()
        for _ in range(50):
            assert modest.offered >= 65_535
            before = modest.seq
            modest.fill()
            assert modest.seq == before + 60_000
            while near.recv():
                pass
            stage.rest()
        assert modest.offered > MIB - 61_000

    def test_windows_of_the_greedy_node_shrink_and_grow_again(self, stage):
        far = stage.open(1, 40)
        near = stage.accepted()
        for _ in range(80):
            for connection in far:
                connection.fill()
        late = stage.one(node(1), 5000)
        for _ in range(10):
            late.fill()
        assert 11 * MIB < stage.stack.usage(node(1))["received"] < 12 * MIB + 41 * 16_500
        assert late.offered < 65_536
        for connection in near:
            while connection.recv():
                pass
        late.fill()
        assert stage.stack.buffered[0] < MIB
        assert late.offered > MIB - 70_000

    def test_a_connection_that_is_read_goes_on_whatever_its_node_holds(self, stage):
        far = stage.open(1, 300)
        near = stage.accepted()
        for _ in range(60):
            for connection in far[1:]:
                connection.fill()
        got = 0
        for _ in range(40):
            far[0].fill(16_000)
            while data := near[0].recv():
                got += len(data)
            stage.turn()
        assert got >= 40 * 16_000

    def test_what_an_application_queues_for_one_node_is_not_at_the_cost_of_others(self, stage):
        stage.open(1, 1)
        modest = stage.one(node(2), 5000)
        greedy, other = stage.accepted()
        greedy.write(bytes(60 * MIB))
        assert stage.stack.usage(node(1))["queued"] > 60 * MIB
        assert greedy.write_limit == 16_384
        assert other.write_limit == other.send_limit == MIB
        modest.fill()
        assert modest.offered >= 512 * 1024

    def test_writable_comes_when_a_node_has_room_again(self):
        switch = StackPair()
        near, far = switch.pair()
        # What is shared, three quarters, is what both may hold, and what the connection takes of it.
        switch.b.max_buffered = (MIB + 2 * switch.b.memory_in_use) * 4 // 3
        log = Log(far)
        assert far.send(bytes(2 * MIB)) == MIB
        assert far.crowded
        assert far.send(b"x") == far.send_space == 0
        assert far.write_limit < far.send_limit
        switch.run(60, lambda: bool(near.recv() and log.flags & WRITABLE))
        assert far.send_space > 0
        switch.close()

    @pytest.mark.parametrize("loss", [0.0, 0.02])
    def test_nothing_acknowledged_is_lost_where_memory_is_short(self, loss):
        """Twenty transfers through 256 KiB, to an application that looks at one connection in 20 ms."""
        switch = StackPair(conditions=Conditions(delay=0.005, loss=loss), seed=loss)
        switch.b.max_buffered = 256 * 1024
        listener = switch.b.listen(None, 80)
        clients = [switch.a.connect(B, 80) for _ in range(20)]
        switch.run(20, lambda: all(client.state == "ESTABLISHED" for client in clients))
        servers = []
        for _ in range(600):
            switch.run(0.1)
            while (server := listener.accept()) is not None:
                servers.append(server)
            if len(servers) == 20:
                break
        contents = {client.local[1]: client.local[1].to_bytes(4, "big") * 100_000 for client in clients}
        for client in clients:
            client.write(contents[client.local[1]])
            client.shutdown_write()
        switch.run(5)
        assert switch.b.counters()["tcp_no_buffer"] or loss
        got = {server: bytearray() for server in servers}
        for turn in range(200_000):
            server = servers[turn % 20]
            while data := server.recv():
                got[server] += data
            if all(server.at_eof for server in servers):
                break
            switch.run(0.02)
        assert all(bytes(data) == contents[server.remote[1]] for server, data in got.items())
        switch.close()

    def test_a_lone_transfer_has_the_largest_window(self):
        switch = StackPair(mtu=65535)
        switch.change(Conditions(delay=0.05))
        client, server = switch.pair()
        most = 0
        client.write(bytes(100 * MIB))
        for _ in range(400):
            switch.run(0.025)
            while server.recv():
                pass
            most = max(most, server.info()["receive_window"])
        assert most > 7 * MIB
        assert server.info()["receive_buffer"] == switch.b.receive_buffer_max
        assert switch.b.counters()["tcp_no_buffer"] == 0
        switch.close()

    def test_connections_to_ourselves_have_no_limit(self, stage):
        stage.stack.max_buffered = 65_536
        stage.stack.max_connections = 40
        own = [stage.stack.connect(A, 80) for _ in range(15)]
        stage.turn()
        assert all(connection.state == "ESTABLISHED" for connection in own)
        assert own[0].write_limit == own[0].send_limit
        own[0].write(bytes(MIB))
        for _ in range(20):
            stage.rest()
        assert sum(connection.readable for connection in stage.accepted()) > 900_000
        assert stage.stack.buffered == (0, 0)


class TestPlaces:
    def test_a_node_opens_a_quarter_and_others_theirs(self, stage):
        stage.stack.max_connections = 80
        stage.open(1, 60)
        assert stage.stack.usage(node(1))["incoming"] == 20
        assert stage.stack.counters()["tcp_node_full"] == 40
        stage.open(2, 5)
        assert stage.stack.usage(node(2))["incoming"] == 5
        assert stage.stack.counters()["tcp_resets_sent"] == 0       # the SYNs are dropped

    def test_it_has_a_number_of_its_own_too(self, stage):
        stage.stack.max_connections_per_node = 7
        stage.open(1, 60)
        assert stage.stack.usage(node(1, 1))["incoming"] == 7

    def test_strangers_leave_places_for_the_programs_own_connections(self, stage):
        stage.stack.max_connections = 80
        for number in range(1, 20):
            stage.open(number, 20)
        assert stage.stack.counters()["tcp_stack_full"] == 19 * 20 - 70
        for port in range(10):
            stage.stack.connect(node(1), 1 + port)
        with raises_errno(errno.ENOBUFS):
            stage.stack.connect(node(1), 99)

    def test_connections_of_ours_do_not_count(self, stage):
        stage.stack.max_connections = 80
        for port in range(60):
            stage.stack.connect(node(1), 1 + port)
        stage.open(1, 5)
        assert stage.stack.usage(node(1))["incoming"] == 5

    @pytest.mark.parametrize("end", ["abort", "time wait"])
    def test_a_connection_that_ends_gives_its_place_back(self, stage, end):
        stage.stack.max_connections_per_node = 3
        far = stage.open(1, 3)
        near = stage.accepted()
        assert stage.one(node(1), 9000).ack == 0
        if end == "abort":
            near[0].abort()
        else:
            near[0].close()
            stage.turn()
            fin = far[0]
            fin.ack += 1
            stage.send(fin.segment(ACK | 1))
            assert near[0].state == "TIME-WAIT"
        assert stage.one(node(1), 9001).ack
        assert stage.stack.usage(node(1))["incoming"] == 3

    def test_a_flood_of_opening_connections_leaves_room_in_the_queue(self, stage):
        stage.stack.syn_queue = 64
        stage.listener.close()
        stage.listener = stage.stack.listen(None, 80)
        modest = Tcp(4000, 80, 1000, 0, SYN).packet(node(2), A)
        stage.tap.give([modest], stage.now)
        (answer,) = [parse_tcp(packet) for packet in stage.tap.take()]
        for host in range(1000):
            stage.tap.give([Tcp(1024 + host, 80, 1, 0, SYN).packet(node(1, host), A)], stage.now)
            stage.tap.take()
        assert stage.stack.usage(node(1))["half_open"] in (63, 64)
        assert stage.stack.usage(node(2))["half_open"] == 1
        assert stage.stack.counters()["tcp_cookies_sent"] in (936, 937)
        stage.tap.give([Tcp(4000, 80, 1001, answer.seq + 1, ACK).packet(node(2), A)], stage.now)
        assert stage.listener.accept().remote == (node(2), 4000)
        assert stage.stack.usage(node(2)) == {"incoming": 1, "half_open": 0, "received": 0, "queued": 0, "memory": 1344}
        assert stage.stack.usage(node(1))["incoming"] == stage.stack.usage(node(1))["half_open"]
        stage.listener.close()
        assert stage.stack.half_open == stage.stack.usage(node(1))["incoming"] == 0

    def test_a_flood_does_not_keep_out_what_its_own_node_dials(self, stage):
        """Half-open connections that get no answer hold none of its places, or one program shuts out the others."""
        stage.stack.max_connections_per_node = 20
        for port in range(1, 200):
            stage.tap.give([Tcp(port, 80, 1, 0, SYN).packet(node(1), A)], stage.now)
            stage.tap.take()
        assert stage.stack.usage(node(1))["half_open"] == 20
        assert stage.one(node(1), 5000).ack == 0
        stage.now += 1100 * MS
        stage.turn()
        stage.open(1, 20)
        assert len(stage.accepted()) == 20

    def test_the_oldest_idle_connection_of_the_greediest_node_goes(self, stage):
        stage.stack.max_connections = 80        # 70 of them for strangers
        greedy = stage.open(1, 20)
        stage.open(2, 17)
        for number in range(3, 6):
            stage.open(number, 11)
        near = stage.accepted()
        assert len(near) == 70
        stage.now += 11 * SECOND
        stage.send(greedy[0].segment(data=b"I am here"))
        stage.now += 9 * SECOND
        late = stage.one(node(99), 5000)
        assert late.ack
        assert [connection.error for connection in near[:3]] == [0, errno.ECONNABORTED, 0]
        assert [connection.error for connection in near[20:]] == [0] * 50
        assert stage.stack.usage(node(1))["incoming"] == 19
        assert stage.stack.counters()["tcp_idle_evicted"] == 1
        assert stage.stack.counters()["tcp_stack_full"] == 0

    def test_none_that_is_in_use_goes(self, stage):
        stage.stack.max_connections = 80
        for number in range(1, 6):
            stage.open(number, 14)
        assert stage.one(node(99), 5000).ack == 0
        assert stage.stack.counters()["tcp_stack_full"] == 1

    def test_none_goes_for_a_node_that_has_as_many(self, stage):
        stage.stack.max_connections = 80
        for number in range(1, 6):
            stage.open(number, 14)
        stage.now += 20 * SECOND
        assert stage.one(node(1), 5000).ack == 0
        assert stage.one(node(5), 5000).ack == 0
        assert stage.stack.counters()["tcp_idle_evicted"] == 0
        # Others come in one by one, until all have about as many.
        came = 0
        for number in range(100, 200):
            stage.now += 100 * MS
            came += bool(stage.one(node(number), 5000).ack)
        assert came > 55
        assert max(stage.stack.usage(node(number))["incoming"] for number in range(1, 6)) <= 2

    def test_none_goes_for_a_node_that_would_have_as_many(self, stage):
        """Or two nodes would rob one another in turns."""
        stage.stack.max_connections = 80
        for number, count in ((1, 20), (2, 19), (3, 11), (4, 10), (5, 10)):
            stage.open(number, count)
        stage.now += 20 * SECOND
        assert stage.one(node(2), 5000).ack == 0
        assert stage.stack.counters()["tcp_idle_evicted"] == 0
        assert stage.one(node(3), 5000).ack
        assert stage.stack.counters()["tcp_idle_evicted"] == 1

    def test_a_syn_alone_evicts_nothing(self, stage):
        stage.stack.max_connections = 80
        for number in range(1, 6):
            stage.open(number, 14)
        stage.now += 20 * SECOND
        for port in range(100):
            stage.send(Tcp(7000 + port, 80, 1, 0, SYN).packet(node(99), A))
        assert stage.stack.counters()["tcp_idle_evicted"] == 0
        assert sum(stage.stack.usage(node(number))["incoming"] for number in range(1, 6)) == 70

    def test_a_node_that_left_leaves_nothing(self, stage):
        stage.open(1, 10)
        for connection in stage.accepted():
            connection.abort()
        assert not any(stage.stack.usage(node(1)).values())
        with pytest.raises(ValueError, match="16 bytes"):
            stage.stack.usage(b"")


class TestProbing:
    """Idle connections that others have opened are asked whether anybody is there, without the program's doing."""

    def last(self, stage, limit):
        """Let time pass as long as the connection lives, answering nothing, and return the seconds."""
        start = stage.now
        (near,) = stage.accepted()
        while not near.error and stage.now - start < limit:
            deadline = stage.tap.poll(stage.now)
            stage.tap.take()
            if near.error:
                break
            stage.now = limit + start if deadline is None else deadline
        assert near.error in (0, errno.ETIMEDOUT)
        return (stage.now - start) // SECOND if near.error else None

    def test_after_two_hours(self, stage):
        stage.one(node(1), 5000)
        assert self.last(stage, 100_000 * SECOND) == 7200 + 9 * 75

    def test_when_is_a_setting(self, stage):
        stage.stack.keepalive_idle = 100 * SECOND
        stage.stack.keepalive_interval, stage.stack.keepalive_count = 10 * SECOND, 2
        stage.one(node(1), 5000)
        assert self.last(stage, 100_000 * SECOND) == 120

    def test_it_can_be_switched_off(self, stage):
        stage.stack.keepalive_idle = 0
        stage.one(node(1), 5000)
        assert self.last(stage, 1_000_000 * SECOND) is None

    @pytest.mark.parametrize(("others", "seconds"), [(36, 600 + 30), (60, 300 + 30)])
    def test_sooner_where_places_are_scarce(self, stage, others, seconds):
        """A connection looks every five minutes how many are left."""
        stage.stack.max_connections, stage.stack.syn_retries = 80, 10_000
        stage.one(node(1), 5000)
        for port in range(others):
            stage.stack.connect(node(2), 1 + port)
        assert self.last(stage, 100_000 * SECOND) in range(seconds - 31, seconds + 1)

    def test_who_answers_stays(self, stage):
        far = stage.one(node(1), 5000)
        (near,) = stage.accepted()
        while stage.now < 20 * 7200 * SECOND:
            stage.now = stage.tap.poll(stage.now)
            if stage.tap.take():
                stage.send(far.segment())
        assert near.state == "ESTABLISHED"

    def test_an_application_has_the_last_word(self, stage):
        stage.one(node(1), 5000)
        near = stage.accepted()[0]
        assert near.keepalive is None
        near.keepalive = (SECOND, SECOND, 2)
        stage.turn()
        stage.now += 10 * SECOND
        stage.turn()
        for _ in range(5):
            stage.now += SECOND
            stage.turn()
        assert near.error == errno.ETIMEDOUT

    def test_what_the_program_dialled_is_left_alone(self):
        switch = StackPair()
        near, far = switch.pair()
        switch.cut()
        switch.run(100000)
        assert (near.state, far.error) == ("ESTABLISHED", errno.ETIMEDOUT)
        switch.close()
