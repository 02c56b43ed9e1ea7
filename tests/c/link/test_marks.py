"""Congestion marks below TCP (RFC 3168): set by the queues of links, kept by fragments."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.c.node.test_gateway import Port, ipv6
from tests.c.slowlinks import Bulk, Net, jain, net_of
from tests.c.stackkit import ACK, CWR, ECE, PSH, SYN, A, B, Peer
from tests.c.worldkit import line_of
from ygg_c.base.sodium import SeededRandom
from ygg_c.ip.port import PacketPort
from ygg_c.link.link import Link
from ygg_c.node.gateway import Gateway
from ygg_c.stack.netstack import NetStack
from ygg_c.testing.packets import PacketTap
from ygg_c.testing.queues import QueueTap

MS = 1_000_000
NOT_ECT, ECT_1, ECT_0, CE = range(4)


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def with_ecn(packet: bytes, ecn: int) -> bytes:
    """The packet with this ECN field."""
    return packet[:1] + bytes([packet[1] & 0xcf | ecn << 4]) + packet[2:]


def ecn_of(packet: bytes) -> int:
    return packet[1] >> 4 & 3


def overload(
    queue: QueueTap, steps: int, ecn: int, *, own: bool = True, waiting: int = 600, paced: bool = False
) -> None:
    """Put in twice what is taken out, where much waits already."""
    for _ in range(waiting):
        queue.put(bytes(1000), key(1), key(2), own=own, ecn=ecn, paced=paced)
    for step in range(steps):
        for _ in range(2):
            queue.put(bytes(1000), key(1), key(2), own=own, now=step * MS, ecn=ecn, paced=paced)
        queue.get(step * MS)


class TestQueue:
    def test_what_understands_marks_is_marked_where_it_would_be_dropped(self):
        marked, dropped = QueueTap(1), QueueTap(1)
        overload(marked, 1000, ECT_0)
        overload(dropped, 1000, NOT_ECT)
        assert marked.dropped == dropped.marked == 0
        assert marked.marked == dropped.dropped > 10

    def test_marks_that_are_not_heeded_end(self):
        """A hundred of them and more in a row slow nothing down: then packets are dropped as if there were none."""
        queue = QueueTap(1)
        overload(queue, 10_000, ECT_0)
        assert 100 <= queue.marked <= 102
        assert queue.dropped > 100

    def test_senders_that_wait_for_credit_need_no_mark(self):
        """What they had sent before credit shrank is no reason to reduce a window: they have stopped already."""
        queue = QueueTap(1)
        overload(queue, 1000, ECT_0, paced=True)
        assert queue.marked == queue.dropped == 0

    def test_a_few_that_wait_are_not_marked(self):
        queue = QueueTap(1)
        for step in range(2000):
            queue.put(bytes(1000), key(1), key(2), own=True, now=step * MS, ecn=ECT_0)
            queue.get((step + 5) * MS)
        assert queue.marked == queue.dropped == 0

    def test_transit_is_sealed_and_dropped(self):
        """Its packets have no field that could be marked."""
        queue = QueueTap(1)
        overload(queue, 1000, NOT_ECT, own=False)
        assert queue.marked == 0
        assert queue.dropped > 10


@contextmanager
def slow(ecn: int = 1) -> Iterator[tuple[Net, Link, "Kernel"]]:
    """Two nodes on a link of 5 Mbit/s and 40 ms; what is above the first does not ask for credit."""
    with net_of(1500) as net:
        net.add(1, 2)
        wire, _ = net.join(1, 2, 5e6, 20 * MS)
        kernel = Kernel(net, 1)
        kernel.stack.ecn = ecn
        net.run(8)
        yield net, wire.link, kernel
        kernel.close()


class Kernel:
    """A stack that hands over all its packets at once, as one behind a TUN device does that is read without pause."""

    def __init__(self, net: Net, number: int) -> None:
        self.net = net
        self.stack = NetStack([net.nodes[number].address], net.mtu, SeededRandom("kernel"))
        self.tap = PacketTap(self.stack, 1 << 20)
        self.tap.credit_bytes = 1 << 30
        self.tap.on_turn = lambda: net.at(net.now, self.turn)
        self.port = PacketPort(self.take)
        self.gateway: Gateway = net.gateways[number - 1]
        self.gateway.replace(self.port)
        net.stacks[number].close()
        net.stacks[number] = self.stack
        self.turn()

    def take(self, packets: list[bytes]) -> None:
        self.net.at(self.net.now, lambda: self.turn(packets))

    def turn(self, packets: list[bytes] | None = None) -> None:
        """Do what is due, and hand over what leaves."""
        if packets:
            self.tap.give(packets, self.net.now)
        deadline = self.tap.poll(self.net.now)
        if sent := self.tap.take():
            self.port.send(sent)
        if deadline is not None:
            self.net.at(max(deadline, self.net.now + 1), self.turn)

    def close(self) -> None:
        self.tap.on_turn = self.port.on_packets = None
        self.tap.detach()


class TestLink:
    """Of flows that do not ask for credit, such as those of a kernel behind a TUN device."""

    def test_a_flow_slows_down_without_a_loss(self):
        with slow() as (net, link, kernel):
            transfer = Bulk(net, 1, 2).start()
            net.run(15)
            begin = net.now // 10**9 - 10
            counters = kernel.stack.counters()
            assert link.dropped == counters["tcp_retransmits"] == 0
            marks = kernel.gateway.counters()["marked"]
            assert net.stacks[2].counters()["tcp_ce_received"] == marks > 0
            assert 0 < counters["tcp_ecn_reductions"] <= marks
            assert transfer.rate(begin, begin + 9) > 0.85 * 5
            # Little more waits than CoDel wants: the round trip of the wire is 40 ms.
            assert transfer.client.info()["rtt"] < 100 * MS

    def test_one_that_does_not_understand_marks_loses_packets(self):
        with slow(ecn=0) as (net, link, kernel):
            Bulk(net, 1, 2).start()
            net.run(15)
            assert kernel.gateway.counters()["marked"] == 0
            assert link.dropped > 0

    def test_two_flows_share_marks_and_link(self):
        with slow() as (net, link, kernel):
            transfers = [Bulk(net, 1, 2, 7).start(), Bulk(net, 1, 2, 8).start()]
            net.run(25)
            begin = net.now // 10**9 - 20
            shares = [transfer.rate(begin, begin + 19) for transfer in transfers]
            assert link.dropped == kernel.stack.counters()["tcp_retransmits"] == 0
            assert sum(shares) > 0.85 * 5
            assert jain(shares) > 0.95


def test_flows_of_our_own_stack_wait_unsent_and_need_no_marks():
    """They are told by credit, at once and whatever their peer understands."""
    with net_of(1500) as net:
        net.add(1, 2)
        link, _ = net.join(1, 2, 5e6, 20 * MS)
        net.run(8)
        transfer = Bulk(net, 1, 2).start()
        net.run(10)
        begin = net.now // 10**9 - 8
        assert net.gateways[0].counters()["marked"] == link.link.dropped == 0
        assert transfer.rate(begin, begin + 7) > 0.85 * 5
        assert transfer.client.info()["rtt"] < 100 * MS


class TestFragments:
    """RFC 3168, 5.3."""

    @pytest.mark.parametrize(
        ("marks", "echo"),
        [((ECT_0, ECT_0), False), ((CE, ECT_0), True), ((ECT_0, CE), True), ((CE, CE), True), ((NOT_ECT, CE), None),
         ((CE, NOT_ECT), None), ((NOT_ECT, NOT_ECT), False)],
    )
    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    def test_a_mark_on_one_is_one_on_the_whole(self, marks, echo, order):
        """Beside one that understands no marks it would have been a loss, and is."""
        peer = Peer()
        listener = peer.stack.listen(None, 80)
        peer.ack = peer.one(flags=SYN | ECE | CWR, ack=0).seq + 1
        peer.seq += 1
        peer.send()
        packet = segment(peer, bytes(800))
        pieces = [with_ecn(piece, mark) for piece, mark in zip(cut(packet, 400), marks, strict=True)]
        peer.tap.give([pieces[number] for number in order], peer.now)
        connection = listener.accept()
        assert connection.readable == (0 if echo is None else 800)
        answers = [answer.flags for answer in peer.wait(100 * MS)]
        assert answers == ([] if echo is None else [ACK | (ECE if echo else 0)])
        assert peer.stack.counters()["fragments_dropped"] == (echo is None)
        peer.close()


def segment(peer: Peer, data: bytes) -> bytes:
    """The packet of a segment that is due."""
    base = peer.base
    return type(base)(
        base.sport, base.dport, peer.seq, peer.ack, ACK | PSH, base.window, b"", data
    ).packet(B, A)


def cut(packet: bytes, at: int) -> list[bytes]:
    """The packet as two fragments."""
    body = packet[40:]
    return [
        packet[:4] + struct.pack(">HBB", 8 + len(part), 44, 64) + packet[8:40]
        + struct.pack(">BBHI", packet[6], 0, offset | (offset + len(part) < len(body)), 77) + part
        for offset, part in ((0, body[:at]), (at, body[at:]))
    ]


def test_marks_pass_a_node_as_they_are():
    """What its sender, or a router before the TUN device, has written arrives."""
    with line_of(1, 2) as world:
        a, b = Port(world.nodes[1].engine), Port(world.nodes[2].engine)
        packets = [with_ecn(ipv6(a.node.address, b.node.address), ecn) for ecn in range(4)]
        a.send(*packets)
        world.run(2)
        assert [ecn_of(packet) for packet in b.take()] == [0, 1, 2, 3]
        assert a.gateway.counters()["marked"] == 0
        for port in (a, b):
            port.gateway.close()
