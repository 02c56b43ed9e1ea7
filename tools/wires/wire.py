"""A wire between two hosts: TUN devices joined by a process with rate, delay, loss, and a queue that drops its tail.

A program of its own, so that it is punctual whatever its maker does: `python -m wires.wire NAMESPACE NAMESPACE WIRE`
makes the devices, says "ready", and carries packets until its input ends; then it prints what each direction has
carried. While its last line of input was "cut", what arrives is lost.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import random
import select
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

DEVICE = "eth0"
PACKET = 1500
BATCH = 64
_NEWNET = 0x40000000
_TUNSETIFF = 0x400454CA
_TUN_NO_PI = 0x1001


@dataclass(frozen=True)
class Wire:
    """A wire whose two directions are alike."""

    rate: float
    """Mbit/s."""
    rtt: float
    """ms of both directions together, without the queue."""
    loss: float = 0.0
    """Share of the packets that are lost behind the queue."""
    buffer: float = 1.0
    """Size of the queue in products of rate and round trip; it always holds two packets."""

    def __str__(self) -> str:
        return f"{self.rate:g}x{self.rtt:g} b{self.buffer:g} l{self.loss:g}"


class Direction:
    """Packets on their way from one device to the other."""

    def __init__(self, wire: Wire, source: int, target: int, seed: int) -> None:
        self._source, self._target = source, target
        self._ns_per_byte = 8e3 / wire.rate
        self._delay = int(wire.rtt * 1e6 / 2)
        self._room = max(wire.rate * wire.rtt * 1e3 / 8 * wire.buffer, 2 * PACKET)
        self._loss, self._chance = wire.loss, random.Random(seed)
        self._free_at = 0
        self._flying: deque[tuple[int, bytes]] = deque()
        self.bytes = self.packets = self.dropped = self.lost = 0
        self.is_cut = False

    @property
    def due(self) -> int | None:
        """When the next packet arrives, ns."""
        return self._flying[0][0] if self._flying else None

    def take(self, now: int) -> None:
        """Take packets from the source's device."""
        for _ in range(BATCH):
            try:
                packet = os.read(self._source, 65536)
            except OSError:     # there are no more
                return
            self._enter(packet, now)

    def _enter(self, packet: bytes, now: int) -> None:
        begin = max(self._free_at, now)
        if (begin - now) / self._ns_per_byte + len(packet) > self._room + PACKET:
            self.dropped += 1
            return
        self._free_at = begin + int(len(packet) * self._ns_per_byte)
        self.bytes += len(packet)
        self.packets += 1
        if self._loss and self._chance.random() < self._loss:
            self.lost += 1
        else:
            self._flying.append((self._free_at + self._delay, packet))

    def deliver(self, now: int) -> None:
        """Give the target's device what has arrived."""
        while self._flying and self._flying[0][0] <= now:
            packet = self._flying.popleft()[1]
            if self.is_cut:
                self.lost += 1
                continue
            with contextlib.suppress(OSError):      # the host is going away
                os.write(self._target, packet)


def carry(directions: list[Direction], sources: list[int]) -> None:
    """Carry packets until the standard input ends."""
    while True:
        now = time.monotonic_ns()
        for direction in directions:
            direction.take(now)
            direction.deliver(time.monotonic_ns())
        due = [direction.due for direction in directions if direction.due is not None]
        wait = max(0, min(due) - time.monotonic_ns()) / 1e9 if due else None
        if sys.stdin in select.select([*sources, sys.stdin], [], [], wait)[0]:
            order = sys.stdin.readline()
            if not order:
                return
            for direction in directions:
                direction.is_cut = order == "cut\n"


def device(namespace: str) -> int:
    """Make a TUN device on a host, and return its descriptor."""
    host = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(host, _NEWNET):
        raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    os.close(host)
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), _TUN_NO_PI))
    return descriptor


class Carried(list[dict[str, int]]):
    """What each direction of a wire has carried, once the wire is gone."""

    def __init__(self, orders: IO[str]) -> None:
        self._orders = orders

    def cut(self) -> None:
        """Have it lose everything from now on."""
        self._order("cut\n")

    def mend(self) -> None:
        """Have it carry again."""
        self._order("mend\n")

    def _order(self, text: str) -> None:
        self._orders.write(text)
        self._orders.flush()


@contextlib.contextmanager
def joined(one: str, other: str, wire: Wire) -> Iterator[Carried]:
    """Join two namespaces; the list holds what each direction has carried, when this ends."""
    command = [sys.executable, "-m", "wires.wire", one, other, json.dumps(asdict(wire))]
    paths = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env=os.environ | {"PYTHONPATH": paths})
    assert process.stdin is not None
    assert process.stdout is not None
    carried = Carried(process.stdin)
    with process:
        try:
            if process.stdout.readline() != "ready\n":
                raise OSError("the wire cannot be made; it needs root and /dev/net/tun")
            yield carried
        finally:
            process.stdin.close()
            carried.extend(map(json.loads, process.stdout))


def main(one: str, other: str, wire: Wire) -> None:
    """Be the wire between two namespaces."""
    near, far = device(one), device(other)
    directions = [Direction(wire, near, far, 1), Direction(wire, far, near, 2)]
    with contextlib.suppress(OSError):      # a wire is never busy with something else
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(20))
    print("ready", flush=True)
    carry(directions, [near, far])
    for way in directions:
        print(json.dumps({"bytes": way.bytes, "packets": way.packets, "dropped": way.dropped, "lost": way.lost}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Wire(**json.loads(sys.argv[3])))
