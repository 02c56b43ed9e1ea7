"""Stacks and VTuns joined without nodes: packets go straight to the stack of their destination address."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
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

    def __init__(self, stacks: Sequence[NetStack], conditions: Conditions | None = None, *, seed: object = 0,
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
        self.passes: Callable[[bytes], object] = lambda packet: True
        """Called with each packet; those for which it returns nothing true are dropped."""
        self.packets = 0
        """Packets that have left a stack."""
        self.turns = 0
        """Turns taken, each of all stacks until none sends any more."""
        self._wanted = self._planned = False
        self._next: int | None = None
        self._ports = {
            stack.addresses[0][0]: _Port(self, stack, random.Random(repr((seed, number))))
            for number, stack in enumerate(stacks)
        }
        self.want_turn()

    def tap(self, address: str) -> PacketTap:
        """Return the tap below the stack of an address."""
        return self._ports[IPv6Address(address).packed].tap

    def give(self, packets: Sequence[bytes]) -> None:
        """Deliver packets now to the stacks that they are for, as from elsewhere: no wire and no `passes`."""
        for packet in packets:
            self._ports[packet[24:40]].tap.give([packet], self.timeline.now)

    def change(self, conditions: Conditions) -> None:
        """Have all wires under other conditions from now on."""
        self.conditions = conditions
        for port in self._ports.values():
            port.wire.conditions = conditions

    def cut(self) -> None:
        """Let nothing through any more, in either direction."""
        self.passes = lambda packet: False

    def want_turn(self) -> None:
        """Have all stacks take a turn soon."""
        self._wanted = True
        if not self._planned:
            self._planned = True
            self.timeline.at(self.timeline.now, self._turn)

    def close(self) -> None:
        """Part from the stacks, which remain their owners' to close."""
        for port in self._ports.values():
            port.tap.on_turn = None
            port.tap.detach()
        self._ports.clear()
        self.timeline.close()

    def _turn(self) -> None:
        now, busy = self.timeline.now, True
        deadlines: list[int] = []
        self.turns += 1
        while busy or self._wanted:
            self._wanted = False
            for port in self._ports.values():
                port.deliver(now)
            polled = [port.tap.poll(now) for port in self._ports.values()]
            deadlines = [deadline for deadline in polled if deadline is not None]
            busy = self._carry()
        self._planned = False
        self._wake_at(min(deadlines, default=None))

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
        self._next = deadline
        if deadline is not None:
            self.timeline.at(deadline, lambda: self.want_turn() if self._next == deadline else None)
