"""A wire between VTuns on a running loop: it has turns as a node has them, and a place to lose packets."""

import asyncio
import ipaddress
import time
from collections.abc import Callable

from ygg.vtun import VTun
from ygg_c.ip.layer import PacketTap

Filter = Callable[[bytes], bool]


class Wire:
    """Carries packets between VTuns by destination address; `passes` says which."""

    def __init__(self, *vtuns: VTun) -> None:
        self._loop = asyncio.get_running_loop()
        self._taps = {address.packed: PacketTap(vtun.upper) for vtun in vtuns for address in vtun.addresses[:1]}
        for tap in self._taps.values():
            tap.on_turn = self._want_turn
        self.passes: Filter = lambda packet: True
        self.packets = 0
        self._wanted = self._turning = False
        self._timer: asyncio.TimerHandle | None = None
        self._want_turn()

    def _want_turn(self) -> None:
        if not self._wanted and not self._turning:
            self._loop.call_soon(self._turn)
        self._wanted = True

    def _turn(self) -> None:
        now, busy, self._turning = time.monotonic_ns(), True, True
        while busy or self._wanted:
            self._wanted = False
            deadlines = [deadline for tap in self._taps.values() if (deadline := tap.poll(now)) is not None]
            busy = self._carry(now)
        self._turning = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if deadlines:
            delay = max(0.0, (min(deadlines) - time.monotonic_ns()) / 1e9)
            self._timer = self._loop.call_later(delay, self._turn)

    def _carry(self, now: int) -> bool:
        batches: dict[bytes, list[bytes]] = {}
        for tap in self._taps.values():
            for packet in tap.take():
                self.packets += 1
                if self.passes(packet):
                    batches.setdefault(packet[24:40], []).append(packet)
        for address, packets in batches.items():
            if address in self._taps:
                self._taps[address].give(packets, now)
        return bool(batches)

    def tap(self, address: str) -> PacketTap:
        """Return the tap below the VTun of an address."""
        return self._taps[ipaddress.IPv6Address(address).packed]

    def give(self, packets: list[bytes]) -> None:
        """Deliver packets to the VTun that they are for, as from elsewhere; `passes` is not asked."""
        for packet in packets:
            self._taps[packet[24:40]].give([packet], time.monotonic_ns())

    def cut(self) -> None:
        """Let nothing through any more, in either direction."""
        self.passes = lambda packet: False

    def close(self) -> None:
        """Part from the VTuns."""
        for tap in self._taps.values():
            tap.on_turn = None
            tap.detach()
        if self._timer is not None:
            self._timer.cancel()
