"""A simulated link: a bottleneck with a queue, then delay, loss, jitter and reordering."""

import random
from dataclasses import dataclass, field

SECOND = 10**9
MS = 10**6
LEAST_PACKETS = 2       # of the largest, which any queue holds


@dataclass(frozen=True)
class Cell:
    """A link, and what is sent over it. Rates are bit/s, times seconds, the buffer is in bandwidth × delay."""

    rate: float
    rtt: float
    buffer: float = 1.0
    loss: float = 0.0
    jitter: float = 0.0         # each packet is late by up to so much, and may overtake
    reorder: float = 0.0        # every second packet is late by up to so much
    batch: float = field(default=0.0, repr=False)       # packets arrive together, at multiples of it
    flows: int = 1
    mtu: int = 1500
    seconds: float = 60.0

    @property
    def name(self) -> str:
        """As the golden figures have it, such as "10x50 b1 l0.01 f2"."""
        parts = [f"{self.rate / 1e6:g}x{self.rtt * 1e3:g}", f"b{self.buffer:g}"]
        parts += [f"l{self.loss:g}"] if self.loss else []
        parts += [f"j{self.jitter * 1e3:g}"] if self.jitter else []
        parts += [f"r{self.reorder * 1e3:g}"] if self.reorder else []
        parts += [f"k{self.batch * 1e3:g}"] if self.batch else []
        parts += [f"f{self.flows}"] if self.flows > 1 else []
        parts += [f"m{self.mtu}"] if self.mtu != 1500 else []
        parts += [f"{self.seconds:g}s"] if self.seconds != 60 else []
        return " ".join(parts)

    @property
    def queue(self) -> float:
        """Bytes that wait at most, besides the packet being sent."""
        return max(self.rate * self.rtt / 8 * self.buffer, LEAST_PACKETS * self.mtu)


class Direction:
    """One way over the link. Times are ns."""

    def __init__(self, cell: Cell, *, lossy: bool, seed: object) -> None:
        self._random = random.Random(repr((cell, seed)))
        self._byte = 8 * SECOND / cell.rate
        self._delay = int(cell.rtt * SECOND / 2)
        self._queue = cell.queue
        self._loss = cell.loss if lossy else 0.0
        self._jitter = cell.jitter * SECOND if lossy else 0.0
        self._reorder = cell.reorder * SECOND if lossy else 0.0
        self._batch = int(cell.batch * SECOND) if lossy else 0
        self._busy = 0.0
        self.sent = 0
        """Packets that came."""
        self.dropped = 0
        """Those for which the queue had no room."""
        self.lost = 0
        """Those lost at random behind the queue."""

    def enter(self, now: int, size: int) -> tuple[int, bool]:
        """Send `size` bytes; return when they arrive, or would have, and whether they do."""
        self.sent += 1
        start = max(self._busy, now)
        if (start - now) / self._byte > self._queue:
            self.dropped += 1
            return int(start) + self._delay, False
        self._busy = start + size * self._byte
        arrival = int(self._busy) + self._delay
        if self._loss and self._random.random() < self._loss:
            self.lost += 1
            return arrival, False
        if self._jitter:
            arrival += int(self._random.random() * self._jitter)
        if self._reorder and self.sent % 2:
            arrival += int(self._random.random() * self._reorder)
        if self._batch:
            arrival += -arrival % self._batch
        return arrival, True
