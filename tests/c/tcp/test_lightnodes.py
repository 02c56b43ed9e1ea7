"""Nodes that have nothing but connections half-open or in TIME-WAIT: they are counted rightly, and cost little."""

import random
import sys

import pytest

from tests.c.stackkit import ACK, FIN, SECOND, SYN, A, Peer, Tcp, parse_tcp
from tests.c.stage import node
from tests.c.tcp.light import allocated, knock

COUNT = 10_000
MOST = 205          # bytes: 0.2 KiB


def exchange(peer: Peer, address: bytes, segment: Tcp) -> list[Tcp]:
    """Send a segment from one of many nodes and return the answers."""
    peer.tap.give([segment.packet(address, A)], peer.now)
    peer.tap.poll(peer.now)
    return [parse_tcp(packet) for packet in peer.tap.take()]


def close_one(peer: Peer, listener, address: bytes, port: int = 5000) -> None:
    """Have a node dial, and the stack close first."""
    (answer,) = exchange(peer, address, Tcp(port, 80, 1000, 0, SYN))
    exchange(peer, address, Tcp(port, 80, 1001, answer.seq + 1, ACK))
    listener.accept().close()
    peer.tap.poll(peer.now)
    peer.tap.take()
    exchange(peer, address, Tcp(port, 80, 1001, answer.seq + 2, FIN | ACK))


def cost(peer: Peer, make, count: int = COUNT) -> float:
    """Return the bytes that each takes, of malloc's; and see that none is an object of Python's."""
    make(count)
    objects, before = sys.getallocatedblocks(), allocated()
    for number in range(count):
        make(number)
    taken = (allocated() - before) / count
    assert sys.getallocatedblocks() - objects < count // 10
    return taken


class TestMemory:
    def test_half_open_each_of_a_node_of_its_own(self, peer):
        peer.stack.listen(None, 80, backlog=100_000)
        assert 100 < cost(peer, lambda number: knock(peer, 5000, node(number))) < MOST
        assert peer.stack.half_open == COUNT + 1

    def test_time_wait_each_of_a_node_of_its_own(self, peer):
        listener = peer.stack.listen(None, 80)
        assert 100 < cost(peer, lambda number: close_one(peer, listener, node(number))) < MOST
        assert peer.stack.time_waiting == COUNT + 1

    def test_what_a_flood_took_is_given_back(self, peer):
        peer.stack.listen(None, 80, backlog=100_000)
        knock(peer, 5000, node(COUNT))
        before = allocated()
        for number in range(COUNT):
            knock(peer, 5000, node(number))
        assert allocated() - before > 100 * COUNT
        peer.stack.syn_ack_retries = 0
        peer.wait(100 * SECOND)
        assert peer.stack.half_open == 0
        assert allocated() - before < 10 * COUNT


class TestCounts:
    @pytest.mark.parametrize("seed", range(3))
    def test_each_node_counts_what_is_its_own(self, peer, seed):
        """Nodes come and go in any order, with few and with many connections."""
        rng = random.Random(seed)
        peer.stack.listen(None, 80, backlog=100_000)
        open_ones = {}
        for _ in range(4000):
            address, port = node(rng.randrange(300), rng.randrange(4)), rng.randrange(1, 6)
            if (address, port) in open_ones and rng.random() < 0.7:
                assert exchange(peer, address, Tcp(port, 80, 1001, 0, 4)) == []
                del open_ones[address, port]
            else:
                open_ones[address, port] = True
                knock(peer, port, address)
        assert peer.stack.half_open == len(open_ones)
        for number in range(300):
            mine = sum(address[1:8] == node(number)[1:8] for address, _ in open_ones)
            assert peer.stack.usage(node(number))["half_open"] == mine

    def test_the_oldest_of_the_greediest_gives_way_whatever_has_ended_between(self, peer):
        listener = peer.stack.listen(None, 80)
        for port in range(1, 21):
            close_one(peer, listener, node(1), port)
        for number in range(2, 12):
            close_one(peer, listener, node(number))
        # Dialled anew: the middle, the newest and the oldest of the node leave TIME-WAIT.
        for port in (10, 20, 1):
            (answer,) = exchange(peer, node(1), Tcp(port, 80, 5000, 0, SYN))
            exchange(peer, node(1), Tcp(port, 80, 5000 + 1, answer.seq + 1, 4 | ACK))
        assert peer.stack.time_waiting == 27
        peer.stack.max_time_wait = 27
        for number in range(20, 25):
            close_one(peer, listener, node(number))
        assert peer.stack.time_waiting == 27

        def waits(number: int, port: int) -> bool:
            """Whether a FIN that comes again is acknowledged, where it is reset otherwise."""
            (answer,) = exchange(peer, node(number), Tcp(port, 80, 1001, 1, FIN | ACK))
            return answer.flags == ACK

        assert [port for port in range(1, 21) if waits(1, port)] == [7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19]
        assert all(waits(number, 5000) for number in (*range(2, 12), *range(20, 25)))

    def test_half_open_with_text_counts_its_bytes_and_no_more(self, peer):
        listener = peer.stack.listen(None, 80)
        for port in range(1, 11):
            exchange(peer, node(1), Tcp(port, 80, 1000, 0, SYN, data=bytes(100)))
            knock(peer, 100 + port, node(1))
        usage = peer.stack.usage(node(1))
        assert usage == {"incoming": 20, "half_open": 20, "received": 1000, "queued": 0, "memory": 1000}
        listener.close()
        assert not any(peer.stack.usage(node(1)).values())
        assert peer.stack.memory_in_use == 0
