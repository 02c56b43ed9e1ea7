"""ygg_c.io.tunpump, with a pair of datagram sockets for the device."""

import contextlib
import os
import random
import socket
from collections.abc import Iterator

import pytest

from tests.c.worldkit import SECOND
from ygg.simulation import Timeline, World
from ygg_c.base.clock import Clock
from ygg_c.io.tunpump import TunPump
from ygg_c.ip.port import PacketPort
from ygg_c.node.gateway import Gateway
from ygg_c.testing.packets import PacketTap

PACKET = b"\x60" + bytes(39)
MS = 1_000_000
NEVER = 2**64 - 1
WINDOW = 262144


class Device:
    """A pump over one end of the pair; `outside` is the kernel's. `clock` is the pump's."""

    def __init__(self, mtu: int = 1500, clock: Clock | None = None) -> None:
        self.inside, self.outside = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.outside.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
        self.inside.setblocking(False)
        self.outside.setblocking(False)
        self.lost: list[OSError] = []
        self.watched: list[bool] = []
        self.clock = clock or Timeline().clock
        self.pump = TunPump(self.inside.fileno(), mtu, self.lost.append, self._wait, self.clock)

    def _wait(self, waiting: bool) -> None:
        self.watched.append(not waiting)

    def turn_of_the_loop(self) -> bool:
        """Do what an event loop does: call the reader when there is one and something to read."""
        readable = self.holds_something() and self.watched[-1:] != [False]
        if readable:
            self.pump.readable()
        return readable

    def holds_something(self) -> bool:
        try:
            return bool(self.inside.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False

    def close(self) -> None:
        self.pump.close()
        self.inside.close()
        self.outside.close()


@pytest.fixture
def device() -> Iterator[Device]:
    device = Device()
    yield device
    device.close()


@pytest.fixture
def tap(device: Device) -> Iterator[PacketTap]:
    """What the pump sends to; its link has room."""
    tap = PacketTap(device.pump)
    yield tap
    tap.detach()
    tap.take()


def fill(tap: PacketTap, since: int) -> None:
    """Let the link have no room since then."""
    tap.credit_bytes, tap.full_since = 0, since


def drain(tap: PacketTap, now: int) -> None:
    """Let the link have room again, say so, and run the turn that follows."""
    tap.full_since = NEVER
    tap.give_credit(WINDOW, now)
    tap.poll(now)


def test_what_the_device_holds_is_sent_and_a_turn_asked_for(device: Device, tap: PacketTap) -> None:
    turns: list[int] = []
    tap.on_turn = lambda: turns.append(1)
    device.outside.send(PACKET)
    device.outside.send(PACKET + b"x")
    device.pump.readable()
    assert tap.take() == [PACKET, PACKET + b"x"]
    assert device.pump.packets_in == 2
    assert turns


def test_what_arrives_is_written(device: Device, tap: PacketTap) -> None:
    tap.give([PACKET, PACKET + b"y"], 0)
    assert [device.outside.recv(2000) for _ in range(2)] == [PACKET, PACKET + b"y"]
    assert device.pump.packets_out == 2


def test_a_full_device_drops_and_counts(device: Device, tap: PacketTap) -> None:
    tap.give([PACKET] * 2000, 0)
    assert device.pump.packets_out + device.pump.dropped_full == 2000
    assert device.pump.dropped_full > 0
    assert device.pump.counters()["dropped_full"] == device.pump.dropped_full


def test_detached_it_drops_and_counts(device: Device) -> None:
    device.outside.send(PACKET)
    device.pump.readable()
    assert device.pump.dropped_detached == device.pump.counters()["dropped_detached"] == 1


def test_what_is_no_packet_is_left_to_what_is_below(device: Device, tap: PacketTap) -> None:
    fill(tap, SECOND)
    device.outside.send(b"\x60")
    device.pump.readable()
    assert tap.take() == [b"\x60"]
    assert device.pump.waits == 0


def test_a_lost_device_is_told_once_and_a_closed_pump_does_nothing(device: Device) -> None:
    gone = os.open("/dev/null", os.O_WRONLY)
    pump = TunPump(gone, 1500, device.lost.append, device._wait, device.clock)
    pump.readable()
    assert [type(error) for error in device.lost] == [OSError]
    pump.close()
    pump.close()
    pump.readable()
    os.close(gone)
    assert len(device.lost) == 1


# Credit


def test_what_there_is_no_credit_for_stays_in_the_device(device: Device, tap: PacketTap) -> None:
    for number in range(5):
        device.outside.send(PACKET + bytes([number]))
    fill(tap, SECOND)
    while device.turn_of_the_loop():
        pass
    assert [packet[-1] for packet in tap.take()] == [0]
    assert (device.pump.waits, device.watched) == (1, [False])
    drain(tap, SECOND + MS)
    assert [packet[-1] for packet in tap.take()] == [1, 2, 3, 4]
    assert device.watched == [False, True]


def test_a_wait_that_ends_within_the_turn_does_not_touch_the_event_loop(device: Device, tap: PacketTap) -> None:
    for _ in range(3):
        device.outside.send(PACKET)
    fill(tap, SECOND)
    device.pump.readable()
    drain(tap, SECOND)
    assert len(tap.take()) == 3
    assert device.watched == []


def test_credit_for_less_than_the_largest_packet_is_none(device: Device, tap: PacketTap) -> None:
    tap.credit_bytes, tap.full_since = 1500, SECOND
    device.outside.send(PACKET)
    device.pump.readable()
    assert device.pump.waits == 1


def test_patience_ends(device: Device, tap: PacketTap) -> None:
    """A link that stays full is waited for a tenth of a second in all, and not again before it has drained."""
    fill(tap, SECOND)
    for _ in range(3):
        device.outside.send(PACKET)
    device.pump.readable()
    assert tap.poll(SECOND) == SECOND + 100 * MS
    assert len(tap.take()) == 1
    device.clock.advance(100 * MS)
    tap.poll(device.clock.now())
    assert len(tap.take()) == 2
    device.outside.send(PACKET)
    device.pump.readable()
    assert len(tap.take()) == 1
    assert device.pump.waits == 1
    fill(tap, device.clock.now())
    device.outside.send(PACKET)
    device.pump.readable()
    assert device.pump.waits == 2


def test_nothing_waits_while_several_links_are_in_use(device: Device, tap: PacketTap) -> None:
    fill(tap, SECOND)
    tap.link = 1
    device.outside.send(PACKET)
    device.pump.readable()
    drain(tap, SECOND)
    tap.link = 2
    device.outside.send(PACKET)
    device.pump.readable()
    fill(tap, SECOND)
    device.outside.send(PACKET)
    device.pump.readable()
    assert device.pump.waits == 1
    device.clock.advance(SECOND)     # the first link has not been used for a second
    fill(tap, device.clock.now())
    device.outside.send(PACKET)
    device.pump.readable()
    assert device.pump.waits == 2


def test_being_detached_ends_the_wait(device: Device, tap: PacketTap) -> None:
    fill(tap, SECOND)
    device.outside.send(PACKET)
    device.outside.send(PACKET)
    device.turn_of_the_loop()
    device.turn_of_the_loop()
    assert device.watched == [False]
    tap.detach()
    assert device.watched == [False, True]
    device.turn_of_the_loop()
    assert device.pump.dropped_detached == 1


# No lost wake-up, among whole nodes in virtual time


class ThreeNodes:
    """Nodes 1, 2 and 3; the first has a device, the others collect what arrives."""

    def __init__(self, joined: list[tuple[int, int]]) -> None:
        self.world = World()
        for number in (1, 2, 3):
            self.world.add(number)
        for pair in joined:
            self.world.join(*pair)
        self.world.run(8)
        self.arrived: list[bytes] = []
        self.gateways = [Gateway(node.engine) for node in self.world.nodes.values()]
        self.device = Device(65535, self.world.timeline.clock)
        self.gateways[0].attach(self.device.pump)
        for gateway in self.gateways[1:]:
            gateway.attach(PacketPort(self.arrived.extend))
        self.pushed = 0
        for target in (2, 3):
            self.push(target, 100)
            self.device.turn_of_the_loop()
            self.world.run(3)
        assert len(self.arrived) == self.pushed == 2

    def push(self, target: int, size: int) -> None:
        source, sink = self.world.nodes[1].engine.address, self.world.nodes[target].engine.address
        header = b"\x60\0\0\0" + size.to_bytes(2) + b"\x3b\x40"
        with contextlib.suppress(BlockingIOError):
            self.device.outside.send(header + source + sink + bytes(size))
            self.pushed += 1

    def rest(self) -> None:
        """Let everything happen that can happen now: the clock stands still, so no deadline helps."""
        while self.device.turn_of_the_loop() or self.world.timeline.step():
            pass

    def close(self) -> None:
        for gateway in self.gateways:
            gateway.close()
        self.device.close()
        self.world.close()


@pytest.mark.parametrize("joined", [[(1, 2), (2, 3)], [(1, 2), (1, 3)]], ids=["line", "star"])
@pytest.mark.parametrize("seed", range(10))
def test_everything_read_arrives_and_nothing_stays_in_the_device(
    joined: list[tuple[int, int]], seed: int
) -> None:
    """Links are full and drain at random; once they are open, no clock is needed to empty the device."""
    net = ThreeNodes(joined)
    world, chance = net.world, random.Random(seed)
    wires = [wire for link in world.links for wire, end in zip(link.wires, reversed(link.ends), strict=True)
             if end.number != 1]      # not those that lead to the one with the device
    for _ in range(300):
        choice = chance.random()
        if choice < 0.5:
            for _ in range(chance.randrange(4)):
                net.push(chance.choice((2, 3)) if seed % 2 else 2, chance.choice((10, 1400, 60000)))
        elif choice < 0.6:
            wire = chance.choice(wires)
            wire.full = not wire.full
        elif choice < 0.8:
            net.device.turn_of_the_loop()
        else:
            for _ in range(chance.randrange(20)):
                world.timeline.step()
    for wire in wires:
        wire.full = False
    net.rest()
    assert not net.device.holds_something()
    dropped = sum(node.engine.counters()["queue_dropped"] for node in world.nodes.values())
    assert (len(net.arrived) + dropped, net.device.pump.packets_in) == (net.pushed, net.pushed)
    if joined == [(1, 2), (2, 3)]:
        assert net.device.pump.waits > 0
    net.close()


def test_a_full_link_keeps_no_more_than_credit_allows() -> None:
    """What a full link cannot take stays in the device; when the link is closed, reading goes on without it."""
    net = ThreeNodes([(1, 2), (2, 3)])
    joined = net.world.link_between(1, 2)
    link = joined.at(1)
    joined.wire_from(1).full = True
    while net.pushed < 60:
        before = net.pushed
        net.push(2, 60000)
        net.rest()
        if net.pushed == before:
            break
    assert link.queued <= 2 * WINDOW + 65536     # as much is on its way to the transport, and the packet it began with
    assert net.device.holds_something()
    assert net.world.nodes[1].engine.counters()["queue_dropped"] == 0
    link.close()
    net.rest()
    assert not net.device.holds_something()
    net.close()
