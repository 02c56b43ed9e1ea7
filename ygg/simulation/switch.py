"""Stacks and VTuns joined without nodes: packets go straight to the stack of their destination address."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Iterable
from ipaddress import IPv6Address

from ygg.simulation.clock import Timeline
from ygg.simulation.links import Conditions, PacketWire
from ygg_c.stack.netstack import NetStack
from ygg_c.testing.packets import PacketTap


class _Port:
    """One stack's: the tap below it, the wire that leads to it, and what has arrived at one time."""

    def __init__(self, switch: Switch, stack: NetStack, chance: random.Random) -> None:
        self.tap = PacketTap(stack, 1 << 20)
        self.tap.on_turn = switch.want_turn
        self.wire = PacketWire(switch.timeline, switch.conditions, chance, self._arrived)
        self.batch: list[bytes] = []
        self._want_turn = switch.want_turn

    def _arrived(self, packet: bytes) -> None:
        self.batch.append(packet)
        self._want_turn()

    def deliver(self, now: int) -> None:
        batch, self.batch = self.batch, []
        if batch:
            self.tap.give(batch, now)


class Switch:
    """Joins stacks by the first address of each. Made in a running event loop, it lives in that loop's time."""

    def __init__(self, stacks: Iterable[NetStack] = (), conditions: Conditions | None = None, *, seed: object = 0,
                 timeline: Timeline | None = None) -> None:
        """Join stacks, or `vtun.upper` of VTuns; `conditions` hold on the way to each."""
        if timeline is None:
            try:
                timeline = Timeline(asyncio.get_running_loop())
            except RuntimeError:
                timeline = Timeline()
        self.timeline = timeline
        """The time, and what is to happen in it."""
        self.conditions = conditions or Conditions()
        """Those it began with; `change` has others take their place."""
        self.passes: Callable[[bytes], object] = passes_all
        """Called with each packet; those for which it returns nothing true are dropped."""
        self.packets = 0
        """Packets that have left a stack."""
        self.turns = 0
        """Turns taken, each of all stacks until none sends any more."""
        self._seed = seed
        self._numbers = itertools.count()
        self._wanted = self._planned = False
        self._deadline: int | None = None
        self._alarm: int | None = None
        self._ports: dict[bytes, _Port] = {}
        for stack in stacks:
            self.add(stack)

    @property
    def now(self) -> int:
        """The time in nanoseconds, as stacks have it."""
        return self.timeline.now

    def run(self, seconds: float, until: Callable[[], object] | None = None, every: float = 0) -> bool:
        """Let time pass, as `Timeline.run`."""
        return self.timeline.run(seconds, until, every)

    def add(self, stack: NetStack) -> None:
        """Join one more stack; one of the same address makes room, as a host that has restarted."""
        address = stack.addresses[0][0]
        self.remove(address)
        self._ports[address] = _Port(self, stack, random.Random(repr((self._seed, next(self._numbers)))))
        self.want_turn()

    def remove(self, address: str | bytes) -> None:
        """Part from the stack of an address, which remains its owner's to close; nothing happens where there is none.

        What is on its way there is lost.
        """
        port = self._ports.pop(packed(address), None)
        if port is not None:
            port.tap.on_turn = None
            port.tap.detach()

    def tap(self, address: str | bytes) -> PacketTap:
        """Return the tap below the stack of an address, in text or 16 bytes; KeyError where there is none."""
        return self._ports[packed(address)].tap

    def wire(self, address: str | bytes) -> PacketWire:
        """Return the wire that leads to the stack of an address; KeyError where there is none."""
        return self._ports[packed(address)].wire

    def give(self, packets: Iterable[bytes]) -> None:
        """Deliver packets now to the stacks that they are for, as from elsewhere: no wire and no `passes`."""
        batches: dict[bytes, list[bytes]] = {}
        for packet in packets:
            batches.setdefault(packet[24:40], []).append(packet)
        for address, batch in batches.items():
            self._ports[address].tap.give(batch, self.now)
        self.want_turn()

    def change(self, conditions: Conditions) -> None:
        """Have all wires under other conditions from now on."""
        self.conditions = conditions
        for port in self._ports.values():
            port.wire.conditions = conditions

    def cut(self) -> None:
        """Let nothing through any more, in either direction, until `mend`; what is under way arrives."""
        self.passes = passes_none

    def mend(self) -> None:
        """Let all packets through, as in the beginning."""
        self.passes = passes_all

    def want_turn(self) -> None:
        """Have all stacks take a turn soon."""
        self._wanted = True
        if not self._planned:
            self._planned = True
            self.timeline.at(self.now, self.turn)

    def turn(self) -> None:
        """Have all stacks take a turn now: what has arrived and what is due, and have their packets leave."""
        now, busy = self.now, True
        deadlines: list[int] = []
        self.turns += 1
        while busy or self._wanted:
            self._wanted = False
            # All that arrives at one time is one batch to each stack, as a link brings it, and all stacks have theirs
            # before any answers: so the order of the stacks decides nothing.
            ports = list(self._ports.values())
            for port in ports:
                port.deliver(now)
            polled = [port.tap.poll(now) for port in ports]
            deadlines = [deadline for deadline in polled if deadline is not None]
            busy = self._carry()
        # Only now: what asked for a turn while this one went on has had it.
        self._planned = False
        self._wake_at(min(deadlines, default=None))

    def close(self) -> None:
        """Part from the stacks, which remain their owners' to close."""
        for address in list(self._ports):
            self.remove(address)
        self.timeline.close()

    def _carry(self) -> bool:
        carried = 0
        for port in list(self._ports.values()):
            for packet in port.tap.take():
                carried += 1
                target = self._ports.get(packet[24:40])
                if self.passes(packet) and target is not None:
                    target.wire.send(packet)
        self.packets += carried
        return bool(carried)

    def _wake_at(self, deadline: int | None) -> None:
        # One alarm at a time is planned: a deadline that moves on, as each packet has it do, plans none.
        self._deadline = deadline
        if deadline is not None and (self._alarm is None or deadline < self._alarm):
            self._alarm = deadline
            self.timeline.at(deadline, lambda: self._alarmed(deadline))

    def _alarmed(self, time: int) -> None:
        if self._alarm != time:
            return
        self._alarm = None
        if self._deadline is not None and self._deadline <= time:
            self.want_turn()
        else:
            self._wake_at(self._deadline)


def passes_all(packet: bytes) -> bool:
    """Let a packet through."""
    return True


def passes_none(packet: bytes) -> bool:
    """Drop a packet."""
    return False


def packed(address: str | bytes) -> bytes:
    """Return an address as the engine has it."""
    return address if isinstance(address, bytes) else IPv6Address(address).packed
