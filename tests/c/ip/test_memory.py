"""One budget of bytes for all that waits in a stack: of connections, in sockets and as fragments. Nodes share it."""

import gc
import tracemalloc

import pytest

from tests.c.ip.test_reassembly import fragment_of
from tests.c.stackkit import ACK, FIN, MS, RST, A, StackPair, udp_packet
from tests.c.stage import MIB, Connection, Stage, node
from ygg.simulation import Conditions
from ygg_c.tcp.connection import TcpConnection


def datagrams(stage: Stage, source: bytes, count: int, port: int = 53, size: int = 1000) -> None:
    """Have a node send datagrams that nothing reads."""
    for _ in range(count):
        stage.tap.give([udp_packet(source, 9, A, port, bytes(size))], stage.now)


class TestOneBudget:
    def test_all_that_waits_is_counted_and_given_back(self, stage):
        socket = stage.stack.udp(None, 53)
        socket.queue_limit = 8 * MIB
        datagrams(stage, node(1), 1000)
        held = stage.stack.buffered[0]
        assert 1_030_000 < held < 2_200_000
        stage.tap.give([fragment_of(node(2), number) for number in range(3)], stage.now)
        assert stage.stack.buffered[0] - held >= 3 * 65_536
        stage.now += 61_000 * MS
        stage.tap.poll(stage.now)
        assert stage.stack.buffered[0] == held
        assert len(socket.recv_many()) == 1000
        socket.close()
        assert stage.stack.buffered == (0, 0)

    def test_what_a_socket_keeps_leaves_less_for_connections(self, stage):
        far = stage.one(node(1), 5000)
        for port in range(100, 118):
            socket = stage.stack.udp(None, port)
            socket.queue_limit = 2 * MIB
            datagrams(stage, node(2), 1300, port)
        assert stage.stack.buffered[0] > 10 * MIB
        late = stage.one(node(3), 5000)
        stage.rest()
        assert far.offered <= MIB
        assert stage.stack.usage(node(3))["incoming"] == 1
        assert late.offered > 65_000

    def test_one_node_cannot_fill_it_by_datagrams(self, stage):
        """However many sockets it sends to, and by whatever addresses; others' datagrams still arrive."""
        sockets = [stage.stack.udp(None, port) for port in range(100, 140)]
        for socket in sockets:
            datagrams(stage, node(1), 900, socket.local[1])
            datagrams(stage, node(1, 1), 200, socket.local[1])
        assert 11 * MIB < stage.stack.buffered[0] < 25 * MIB
        assert stage.stack.counters()["udp_no_buffer"] > 10_000
        late = stage.stack.udp(None, 200)
        datagrams(stage, node(2), 500, 200)
        assert late.pending == 500

    def test_nor_by_fragments(self, stage):
        stage.stack.max_buffered = 4 * MIB
        stage.tap.give([fragment_of(node(1), number) for number in range(200)], stage.now)
        assert stage.stack.buffered[0] <= 24 * 65_800
        assert stage.stack.counters()["fragments_dropped"] > 150
        before = stage.stack.buffered[0]
        stage.tap.give([fragment_of(node(2), 1)], stage.now)
        assert stage.stack.buffered[0] > before

    def test_a_store_gives_its_room_back_when_memory_is_short(self, stage):
        socket = stage.stack.udp(None, 53)
        datagrams(stage, node(1), 500)
        socket.recv_many()
        kept = stage.stack.buffered[0]
        assert kept > 500_000                   # it is used again as long as there is enough
        stage.stack.max_buffered = 600_000
        datagrams(stage, node(1), 1)
        assert len(socket.recv_many()) == 1
        assert stage.stack.buffered[0] == 0

    def test_it_is_never_exceeded(self, stage):
        """By many nodes with all that there is: connections with and without holes, datagrams and fragments."""
        stage.stack.max_buffered = 2 * MIB
        socket = stage.stack.udp(None, 53)
        socket.queue_limit = 64 * MIB
        for number in range(1, 120):
            for connection in stage.open(number, 3):
                connection.fill(30_000)
                stage.send(connection.segment(at=100, data=bytes(30_000)))
            datagrams(stage, node(number), 20)
            stage.tap.give([fragment_of(node(number), piece) for piece in range(3)], stage.now)
            assert sum(stage.stack.buffered) <= 2 * MIB + 1_100_000      # a store's room grows in steps
        assert stage.stack.counters()["udp_no_buffer"]
        assert stage.stack.counters()["tcp_no_buffer"]

    def test_what_is_counted_no_more_is_free(self, stage):
        """What nothing can read any more: of connections that end before they are accepted, or for their memory.

        Nodes fill the stack, in turns, and reset what they have made or leave it to be evicted: what Python's
        allocator has given for it stays within the budget.
        """
        stage.stack.max_buffered = 8 * MIB
        tracemalloc.start(1)
        try:
            before = tracemalloc.get_traced_memory()[0]
            for number in range(1, 31):
                for connection in stage.open(number, 10):
                    for _ in range(4):
                        connection.fill()
                    if number % 2:
                        stage.send(connection.segment(RST))
                stage.far.clear()
                stage.now += 11_000 * MS
                assert tracemalloc.get_traced_memory()[0] - before < 8 * MIB
        finally:
            tracemalloc.stop()
        assert stage.stack.counters()["tcp_memory_evicted"]
        assert sum(stage.stack.buffered) > 4 * MIB

    @pytest.mark.parametrize("end", ["reset", "both ends closed"])
    def test_what_can_still_be_read_counts_after_the_end(self, stage, end):
        """Strangers send, and end their connections at once; the program accepts all and reads nothing."""
        stage.stack.max_buffered = 8 * MIB
        near = []
        tracemalloc.start(1)
        try:
            before = tracemalloc.get_traced_memory()[0]
            for number in range(1, 31):
                for connection in stage.open(number, 10):
                    near += stage.accepted()
                    for _ in range(4):
                        connection.fill()
                    self.end(stage, connection, near[-1], end)
                stage.far.clear()
                assert sum(connection.readable for connection in near) < stage.stack.buffered[0]
                assert stage.stack.memory_in_use <= 8 * MIB
                assert tracemalloc.get_traced_memory()[0] - before < 8 * MIB
        finally:
            tracemalloc.stop()
        assert stage.stack.counters()["tcp_no_buffer"]
        assert all(connection.closed for connection in near)
        self.given_back(stage, near)

    def end(self, stage: Stage, far: Connection, near: TcpConnection, end: str) -> None:
        stage.rest()
        if end != "reset":
            stage.send(far.segment(ACK | FIN))
        if near.state != "CLOSE-WAIT":          # also where there was no memory for all that it sent, nor for its FIN
            stage.send(far.segment(RST))
            return
        near.shutdown_write()
        stage.turn()
        far.ack += 1
        stage.send(far.segment(at=1))

    def given_back(self, stage: Stage, near: list[TcpConnection]) -> None:
        holding = [connection for connection in near if connection.readable]
        read, closed, aborted, dropped = (holding[index::4] for index in range(4))
        del near[:], holding[:]
        steps = []
        for connection in read:
            held = stage.stack.buffered[0]
            connection.recv()
            steps.append(held - stage.stack.buffered[0])
            while connection.readable:
                connection.recv()
        assert min(steps) > 10_000
        for ended in (closed, aborted):
            held = stage.stack.buffered[0]
            for connection in ended:
                connection.close() if ended is closed else connection.abort()
                assert connection.readable == 0
            assert stage.stack.buffered[0] < held
        assert stage.stack.buffered[0] > 0
        dropped.clear()
        del connection
        assert stage.stack.buffered == (0, 0)
        stage.now += 61_000 * MS
        stage.turn()
        assert stage.stack.memory_in_use == 0

    def test_connections_count_and_give_it_back(self, stage):
        stage.open(1, 50)
        dialled = stage.stack.connect(node(1), 99)
        assert stage.stack.usage(node(1))["memory"] == 51 * 1344
        assert stage.stack.memory_in_use == 51 * 1344 + 320
        for connection in [*stage.accepted(), dialled]:
            connection.abort()
        assert stage.stack.memory_in_use == 0

    def test_one_in_a_circle_of_references_gives_back_what_it_held(self, stage):
        """The collector of garbage takes it apart before it is freed."""
        far = stage.one(node(1), 5000)
        near = stage.accepted()[0]
        far.fill()
        circle = [near]
        circle.append(circle)
        near.owner = circle
        stage.send(far.segment(RST))
        assert stage.stack.buffered[0] > 60_000
        del near, circle
        gc.collect()
        assert stage.stack.memory_in_use == 0

    def test_nor_by_the_holes_between_single_bytes(self, stage):
        """What keeps account of holes takes far more than the bytes between them, and is asked for like these."""
        stage.stack.max_buffered = 2 * MIB
        far = [connection for number in range(1, 5) for connection in stage.open(number, 150)]
        for connection in far:
            stage.send(connection.segment(at=900, data=b"z"))
        assert sum(stage.stack.buffered) < MIB
        for connection in far:
            stage.send(*(connection.segment(at=at, data=b"z") for at in range(898, 1, -2)))
            assert sum(stage.stack.buffered) <= 2 * MIB
        assert stage.stack.counters()["tcp_no_buffer"]

    def test_windows_shrink_under_pressure_and_grow_again(self, stage):
        modest = stage.one(node(99), 5000)
        near = stage.accepted()[0]
        filled = []
        for number in range(1, 8):
            for connection in stage.open(number, 20):
                for _ in range(10):
                    connection.fill()
        filled = stage.accepted()
        for _ in range(20):
            modest.fill()
            near.recv()
            stage.rest()
        narrow = modest.offered
        assert narrow < MIB
        for connection in filled:
            while connection.recv():
                pass
        for _ in range(3):
            modest.fill()
            near.recv()
            stage.rest()
        assert modest.offered > MIB - 150_000
        assert modest.offered > narrow


class TestSizes:
    """1 Gbit/s over 200 ms are 25 MB under way."""

    def test_one_connection_has_that_much_under_way(self):
        switch = StackPair(65535, Conditions(delay=0.1))
        client, server = switch.pair()
        most = 0

        def enough() -> bool:
            nonlocal most
            client.send(bytes(client.send_space))
            while server.recv():
                pass
            most = max(most, client.info()["in_flight"])
            return most >= 25_000_000

        switch.run(30, enough)
        assert most >= 25_000_000
        assert client.info()["timeouts"] == 0
        assert switch.b.counters()["tcp_no_buffer"] == 0
        switch.close()

    def test_connections_that_nothing_is_read_from_share_evenly(self, stage):
        """One that came first has no more than others of its node that come later, beyond what it had been offered."""
        stage.stack.max_buffered = 192 * MIB
        far = stage.open(1, 4)
        for _ in range(200):
            for connection in far:
                connection.fill()
        held = [near.readable for near in stage.accepted()]
        assert min(held) > max(held) // 2
