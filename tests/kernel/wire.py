"""A wire between a kernel and one of our stacks, in real time: bandwidth, delay, loss, reordering, duplication, MTU."""

from __future__ import annotations

import heapq
import os
import random
import select
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.c.stackkit import MS, icmp_packet
from tests.kernel.namespace import Namespace
from ygg_c.base.sodium import SeededRandom
from ygg_c.stack.netstack import NetStack
from ygg_c.testing.packets import PacketTap

OURS = socket.inet_pton(socket.AF_INET6, "fd00:2::1")
KERNEL = socket.inet_pton(socket.AF_INET6, "fd00:1::2")
ROUTER = socket.inet_pton(socket.AF_INET6, "fd00:3::1")
SECONDS = 40.0
"""What anything may take."""


@dataclass
class Medium:
    """What the wire does to packets, each way alike."""

    delay: int = 2 * MS
    rate: float = 0.0           # bytes a second, 0: without limit
    buffer: int = 1 << 18       # bytes that wait for the wire, more are dropped
    loss: float = 0.0
    duplicate: float = 0.0
    jitter: int = 0             # ns that a packet may be late by, so that others overtake it
    mtu: int = 65535
    silent: bool = False        # packets above the MTU vanish without a word
    mark: int = 0               # ns that a packet may wait before it is marked, if it may be (RFC 3168); 0: none is


@dataclass
class Way:
    """One direction: packets by their time of arrival."""

    queue: list[tuple[int, int, bytes]] = field(default_factory=list)
    free_at: int = 0
    count: int = 0
    dropped: int = 0            # for want of room in the buffer

    def put(self, packet: bytes, medium: Medium, chance: random.Random, now: int) -> None:
        """Send a packet at `now`."""
        start = max(self.free_at, now)
        if medium.rate:
            if (start - now) * medium.rate / 1e9 > medium.buffer:
                self.dropped += 1
                return
            if medium.mark and start - now > medium.mark and packet[1] & 0x30:
                packet = packet[:1] + bytes([packet[1] | 0x30]) + packet[2:]
            start = self.free_at = start + int(len(packet) * 1e9 / medium.rate)
        for _ in range(2 if chance.random() < medium.duplicate else 1):
            if chance.random() >= medium.loss:
                late = chance.randrange(medium.jitter) if medium.jitter else 0
                self.count += 1
                heapq.heappush(self.queue, (start + medium.delay + late, self.count, packet))

    def due(self, now: int) -> list[bytes]:
        """Return what has arrived by `now`."""
        arrived = []
        while self.queue and self.queue[0][0] <= now:
            arrived.append(heapq.heappop(self.queue)[2])
        return arrived


class Wire:
    """The stack and the device, and what is between them."""

    def __init__(self, namespace: Namespace, medium: Medium, seed: int = 1) -> None:
        self.namespace = namespace
        self.medium = medium
        self.random = random.Random(seed)
        self.stack = NetStack([OURS], namespace.mtu, SeededRandom(seed))
        self.tap = PacketTap(self.stack, 1 << 16)
        self.tap.credit_bytes = 1 << 22
        self.in_way, self.out_way = Way(), Way()
        self._last_turn = 0
        self.pause = 0
        """The longest time, in ns, in which it carried nothing: while a machine is busy elsewhere, the wire stops. A
        sender whose timer expires over that is right to send again."""

    def close(self) -> None:
        """Close the stack and let go of everything."""
        self.stack.close()
        self.tap.poll(time.monotonic_ns())
        self.tap.take()
        self.tap.detach()
        self.__dict__.clear()

    def run(self, until: Callable[[], object], seconds: float = SECONDS) -> None:
        """Carry packets until a condition holds; an error when it takes too long."""
        end = time.monotonic() + seconds
        while not until():
            if time.monotonic() > end:
                raise TimeoutError([getattr(one, "info", dict)() for one in self.stack.endpoints()])
            self._turn()

    def run_for(self, seconds: float) -> None:
        """Carry packets for a while."""
        end = time.monotonic() + seconds
        self.run(lambda: time.monotonic() >= end)

    def _turn(self) -> None:
        now = time.monotonic_ns()
        self.pause = max(self.pause, now - (self._last_turn or now))
        self._last_turn = now
        for packet in self._read():
            self._send(packet, self.in_way, now)
        if arrived := self.in_way.due(now):
            self.tap.give(arrived, now)
        deadline = self.tap.poll(now)
        for packet in self.tap.take():
            self._send(packet, self.out_way, now)
        for packet in self.out_way.due(now):
            self._write(packet)
        times = [way.queue[0][0] for way in (self.in_way, self.out_way) if way.queue]
        soonest = min([*times, now + 20 * MS] + ([] if deadline is None else [deadline]))
        select.select([self.namespace.device], [], [], max(0, soonest - time.monotonic_ns()) / 1e9)

    def _send(self, packet: bytes, way: Way, now: int) -> None:
        if len(packet) <= self.medium.mtu:
            way.put(packet, self.medium, self.random, now)
        elif not self.medium.silent:
            error = icmp_packet(ROUTER, packet[8:24], 2, 0, struct.pack(">I", self.medium.mtu) + packet[:1232])
            back = self.out_way if way is self.in_way else self.in_way
            back.put(error, self.medium, self.random, now)

    def _read(self) -> list[bytes]:
        packets = []
        while len(packets) < 64:
            try:
                packet = os.read(self.namespace.device, 65536)
            except BlockingIOError:
                break
            if packet[0] >> 4 == 6 and packet[24] != 0xFF:      # no router solicitations and the like
                packets.append(packet)
        return packets

    def _write(self, packet: bytes) -> None:
        try:
            os.write(self.namespace.device, packet)
        except OSError:
            pass        # the kernel drops what it has no room for, or does not like
