"""Recording the packets of a VTun in a file that Wireshark opens (pcapng)."""

from __future__ import annotations

import struct

from ygg.vtun.recording import Recording, Target
from ygg_c.stack.capture import Capture as Blocks
from ygg_c.stack.netstack import NetStack

INTERVAL = 0.5
"""Seconds after which what was recorded is in the file at the latest."""

_SECTION, _INTERFACE, _STATISTICS = 0x0A0D0D0A, 1, 5
_LINKTYPE_IPV6 = 229
_NANOSECONDS = 9  # a timestamp counts units of 10⁻⁹ s


class Capture(Recording):
    """A recording of a VTun's packets: IPv6 in the clear, with their direction and time."""

    def __init__(self, stack: NetStack, target: Target, snaplen: int) -> None:
        """See `VTun.capture`."""
        if stack.capture is not None:
            raise ValueError("this VTun is being recorded already: close the first capture")
        self._blocks = Blocks(stack.clock.unix() - stack.clock.now(), snaplen=snaplen)
        self._stack = stack
        super().__init__(target, INTERVAL)
        self._write(_header(snaplen))
        if not self.closed:
            self._blocks.on_ready = self.flush
            stack.capture = self._blocks

    @property
    def packets(self) -> int:
        """Packets that came by."""
        return self._blocks.packets

    @property
    def dropped(self) -> int:
        """Those of them that are not in the file, because they came faster than it was written."""
        return self._blocks.dropped

    def flush(self) -> None:
        """Write what was recorded so far. The event loop does so by itself, at least every `INTERVAL` seconds."""
        if self._blocks.waiting:
            self._write(self._blocks.take())

    def _last(self) -> None:
        self._write(_statistics(self._stack.clock.unix(), self.packets, self.dropped))

    def _end(self) -> None:
        if self._stack.capture is self._blocks:
            self._stack.capture = None
        self._blocks.on_ready = None
        super()._end()


def _block(kind: int, body: bytes) -> bytes:
    length = len(body) + 12
    return struct.pack("=II", kind, length) + body + struct.pack("=I", length)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("=HH", code, len(value)) + value + bytes(-len(value) % 4)


def _header(snaplen: int) -> bytes:
    """Return the Section Header and Interface Description Blocks (draft-ietf-opsawg-pcapng, 4.1 and 4.2)."""
    section = struct.pack("=IHHq", 0x1A2B3C4D, 1, 0, -1)
    options = _option(2, b"vtun") + _option(9, bytes([_NANOSECONDS])) + _option(0, b"")
    return _block(_SECTION, section) + _block(_INTERFACE, struct.pack("=HHI", _LINKTYPE_IPV6, 0, snaplen) + options)


def _statistics(now: int, packets: int, dropped: int) -> bytes:
    """Return an Interface Statistics Block (4.6)."""
    options = _option(4, struct.pack("=Q", packets)) + _option(5, struct.pack("=Q", dropped)) + _option(0, b"")
    return _block(_STATISTICS, struct.pack("=III", 0, now >> 32, now & 0xFFFFFFFF) + options)
