"""Simulated wires: what each does to the bytes or packets on it.

A `StreamWire` is one direction of a link between two nodes, which is a reliable byte stream as TCP makes one: it holds
a few bytes, sends them at its rate, and has them arrive in order. A `PacketWire` is one direction of a path between two
stacks: packets may be lost, late, twice or out of order.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ygg.simulation.clock import SECOND, Timeline, nanoseconds
from ygg_c.link.link import Link, PySink

SILENCE: Final = 1.5
"""Seconds beyond a round trip without an acknowledgement after which a transport can tell that its far side is gone."""
WHOLE: Final = 1 << 30
"""More bytes than a link ever holds: what it hands out then ends with a frame."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a wire does to what it carries, in each direction alike. Chances are between 0 and 1, for each packet."""

    rate: float = 0.0
    """Bits per second; 0: no limit."""
    delay: float = 0.0
    """Seconds that a packet is under way, beside the time that it takes at the rate."""
    jitter: float = 0.0
    """Seconds by which the delay is longer at most, for each packet anew. On a byte stream nothing overtakes."""
    loss: float = 0.0
    """The chance of being lost. On a byte stream what is lost, and all behind it, is late by the round trip that its
    repetition takes."""
    reorder: float = 0.0
    """The chance of going without delay, ahead of others. Without effect on a byte stream."""
    duplicate: float = 0.0
    """The chance of arriving twice. Without effect on a byte stream."""
    buffer: int = 8192
    """Bytes that wait at most where there is a rate: packets beyond are lost, a byte stream takes no more."""

    def __post_init__(self) -> None:
        for name in ("rate", "delay", "jitter", "buffer"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative")
        for name in ("loss", "reorder", "duplicate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be between 0 and 1")


class Wire:
    """One direction, of either kind: when what is sent has left, and when it arrives."""

    def __init__(self, timeline: Timeline, conditions: Conditions, chance: random.Random) -> None:
        self.conditions = conditions
        """May be exchanged at any time, for what is sent from then on."""
        self.silent = False
        """Nothing arrives and nothing more leaves, as on a cable that is cut where neither end sees it."""
        self.carried = 0
        """Bytes sent so far."""
        self.queued = 0
        """Bytes that have not left yet."""
        self._timeline = timeline
        self._chance = chance
        self._free_at = 0

    def pause(self, seconds: float) -> None:
        """Send nothing for so long; what has left arrives, and the rate is that of before afterwards."""
        self._free_at = max(self._free_at, self._timeline.now) + nanoseconds(seconds)

    def _leaves(self, size: int) -> int:
        # When the last bit of what is sent now leaves.
        now = self._timeline.now
        if not self.conditions.rate:
            return max(now, self._free_at)
        self._free_at = max(self._free_at, now) + round(size * 8 * SECOND / self.conditions.rate)
        return self._free_at

    def _late(self) -> int:
        # How long something is under way now, in ns.
        jitter = nanoseconds(self.conditions.jitter)
        return nanoseconds(self.conditions.delay) + (self._chance.randrange(jitter) if jitter else 0)

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self._chance.random() < chance


class StreamWire(Wire):
    """One direction of a link between two nodes."""

    def __init__(self, timeline: Timeline, conditions: Conditions, chance: random.Random,
                 arrive: Callable[[bytes], object], acknowledges: bool = True) -> None:
        """Call `arrive(data)` with what arrives.

        `acknowledges` says whether the transport can tell how long ago its far side has acknowledged, as TCP can and
        one in memory cannot.
        """
        super().__init__(timeline, conditions, chance)
        self.arrive = arrive
        """Called with what arrives."""
        self.passing: Callable[[bytes], bytes] | None = None
        """Called with what leaves, whole frames where `rate` is 0; its result is sent in place of that."""
        self.sink = PySink(self._flush, self._hears if acknowledges else None)
        """For `Router.add_link`."""
        self.link: Link | None = None
        """The engine's, once it has sent something."""
        self._full = False
        self._arrives_at = 0
        self._unacknowledged = 0
        self._acknowledged_at = timeline.now

    @property
    def full(self) -> bool:
        """Whether it takes nothing, as a transport whose buffers are full; may be set."""
        return self._full

    @full.setter
    def full(self, full: bool) -> None:
        self._full = full
        if self.link is not None and not full:
            self.link.blocked = False
            self.link.want_flush()

    def drain(self, size: int) -> int:
        """Send so many bytes at most of what waits in the link, though it is full; return how many there were."""
        data = self.link.take(size) if self.link is not None else b""
        if data:
            self._send(data)
        return len(data)

    def _flush(self, link: Link) -> None:
        self.link = link
        if self._full:
            link.blocked = True
            return
        room = self.conditions.buffer if self.conditions.rate else 0
        while (not room or self.queued < room) and (data := link.take(room or WHOLE)):
            self._send(data)
        link.blocked = bool(room) and self.queued >= room

    def _send(self, data: bytes) -> None:
        if self.passing is not None:
            data = self.passing(data)
        size = len(data)
        timeline = self._timeline
        leaves = self._leaves(size)
        self.carried += size
        if leaves > timeline.now:
            self.queued += size
            timeline.at(leaves, lambda: self._left(size))
        late = self._late()
        if self._happens(self.conditions.loss):
            late += 2 * nanoseconds(self.conditions.delay)
        self._arrives_at = max(self._arrives_at, leaves + late)
        timeline.at(self._arrives_at, lambda: self._arrived(data))
        if not self._unacknowledged:
            self._acknowledged_at = timeline.now
        self._unacknowledged += 1

    def _left(self, size: int) -> None:
        if self.silent:
            return
        self.queued -= size
        link = self.link
        if link is not None and link.blocked and not self._full and self.queued <= self.conditions.buffer // 2:
            link.blocked = False
            link.want_flush()

    def _arrived(self, data: bytes) -> None:
        if self.silent:
            return
        self._timeline.after(self.conditions.delay, self._acknowledged)
        if data:
            self.arrive(data)

    def _acknowledged(self) -> None:
        if not self.silent:
            self._unacknowledged -= 1
            self._acknowledged_at = self._timeline.now

    def _hears(self, again: bool) -> bool:
        silence = self._timeline.now - self._acknowledged_at
        return silence < nanoseconds(SILENCE + 2 * self.conditions.delay)


class PacketWire(Wire):
    """One direction of a path between two stacks."""

    def __init__(self, timeline: Timeline, conditions: Conditions, chance: random.Random,
                 arrive: Callable[[bytes], object]) -> None:
        """Call `arrive(packet)` with each that arrives."""
        super().__init__(timeline, conditions, chance)
        self.arrive = arrive
        """Called with each packet that arrives."""
        self.lost = 0
        """Packets lost so far, by chance or because the buffer was full."""

    def send(self, packet: bytes) -> None:
        """Send a packet, of which nothing is known but its bytes; on a wire that takes no time it arrives at once."""
        size = len(packet)
        if self.silent or self._happens(self.conditions.loss) or self._is_full(size):
            self.lost += 1
            return
        self.carried += size
        leaves = self._leaves(size)
        if leaves > self._timeline.now:
            self.queued += size
            self._timeline.at(leaves, lambda: self._left(size))
        for _ in range(2 if self._happens(self.conditions.duplicate) else 1):
            late = 0 if self._happens(self.conditions.reorder) else self._late()
            if leaves + late <= self._timeline.now:
                self._arrived(packet)
            else:
                self._timeline.at(leaves + late, lambda: self._arrived(packet))

    def _is_full(self, size: int) -> bool:
        # One packet has room always: a buffer smaller than it would be none.
        return bool(self.conditions.rate) and self.queued > 0 and self.queued + size > self.conditions.buffer

    def _left(self, size: int) -> None:
        self.queued -= size

    def _arrived(self, packet: bytes) -> None:
        if not self.silent:
            self.arrive(packet)
