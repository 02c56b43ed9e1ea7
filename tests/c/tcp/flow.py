"""What the peer of a script knows of each connection, and its segments as bytes and as a script writes them."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.c.stackkit import ACK, FIN, MS, PSH, RST, SYN, A, B, Tcp, parse_tcp, stamp
from tests.c.tcp.notation import ECN, FLAGS, KINDS, Options, Segment

_STREAM = random.Random(1).randbytes(1 << 21)


def payload(start: int, size: int) -> bytes:
    """Return the bytes that belong at a stream's positions from `start` on; 1 is the first."""
    at = start % len(_STREAM)
    return _STREAM[at : at + size] if at + size <= len(_STREAM) else _STREAM[at:] + payload(0, at + size - len(_STREAM))


def relative(number: int, base: int) -> int:
    """Return how far a 32-bit number lies from another, in either direction."""
    return (number - base + 2**31) % 2**32 - 2**31


@dataclass
class Flow:
    """One connection as the peer sees it; its numbers are relative but for the two first ones."""

    port: int
    local: int = 80
    ours: int = 0               # our first sequence number, 0 until it is known
    theirs: int = 1000
    ack: int = 0
    next: int = 0
    window: int = 65535
    our_scale: int = 0
    scale: int = 0
    scaled: bool = False
    stamps: bool = False
    echo: int = 0               # our latest timestamp
    stamp_base: int | None = None
    sent: dict[int, bytes] = field(default_factory=dict)
    # The application's side.
    connection: Any = None
    events: int = 0
    read: int = 1
    written: int = 1

    def add(self, flags: int) -> None:
        """Collect events."""
        self.events |= flags

    # From the peer.

    def build(self, segment: Segment, now: int) -> bytes:
        """Return the packet of a segment that the peer sends at `now`, and remember what it leaves out next time."""
        seq = self.next if segment.seq is None else segment.seq
        self.ack = self.ack if segment.ack is None else segment.ack
        self.window = self.window if segment.window is None else segment.window
        if segment.flags & SYN:
            options = segment.options or Options()
            self.scaled, self.scale = options.scale is not None, options.scale or 0
            self.stamps = options.stamp is not None
        end = seq + segment.size + bool(segment.flags & SYN) + bool(segment.flags & FIN)
        if seq <= self.next < end:
            self.next = end
        scale = self.scale if self.scaled and not segment.flags & SYN else 0
        packet = bytearray(Tcp(
            self.port, self.local, self.theirs + seq, self.ours + self.ack if segment.flags & ACK else 0, segment.flags,
            min(self.window >> scale, 65535), self._options(segment, now),
            payload(max(seq, 1), segment.size),
        ).packet(B, A))
        packet[1] |= (segment.ecn or 0) << 4
        return bytes(packet)

    def _options(self, segment: Segment, now: int) -> bytes:
        options = segment.options or Options()
        result = b""
        if options.mss is not None:
            result += struct.pack(">BBH", 2, 4, options.mss)
        if options.scale is not None:
            result += bytes([1, 3, 3, options.scale])
        if options.sack_ok:
            result += bytes([1, 1, 4, 2])
        if options.stamp or (self.stamps and segment.options is None and not segment.flags & RST):
            value, echo = options.stamp or (-1, -1)
            value = now // MS if value < 0 else value
            echo = self.echo if echo < 0 else (echo + (self.stamp_base or 0)) % 2**32
            result += stamp(value % 2**32, echo if segment.flags & ACK else 0)
        if options.sacks:
            edges = [(self.ours + edge) % 2**32 for block in options.sacks for edge in block]
            result += struct.pack(f">BBBB{len(edges)}I", 1, 1, 5, 2 + 4 * len(edges), *edges)
        return result

    # To the peer.

    def learn(self, packet: bytes, tcp: Tcp, now: int) -> None:
        """Take from a segment of ours what its receiver learns."""
        if tcp.flags & SYN:
            self.ours = tcp.seq
            self.local = tcp.sport
            shift = tcp.option(3)
            self.our_scale = shift[0] if shift else 0
        if value := tcp.option(8):
            self.echo = struct.unpack(">I", value[:4])[0]
            if self.stamp_base is None:
                self.stamp_base = (self.echo - now // MS) % 2**32
        self.sent[relative(tcp.seq, self.ours)] = packet

    def quote(self, position: int, size: int) -> bytes:
        """Return our packet that began at a position, or one that could have."""
        made = Tcp(
            self.local, self.port, self.ours + position, self.theirs + 1, ACK, 65535, b"", payload(position, size)
        )
        return self.sent.get(position) or made.packet(A, B)

    def window_of(self, tcp: Tcp) -> int:
        return tcp.window << (0 if tcp.flags & SYN or not self.scaled else self.our_scale)

    def options_of(self, tcp: Tcp) -> Options:
        mss, scale, stamps = tcp.option(2), tcp.option(3), tcp.option(8)
        value, echo = struct.unpack(">II", stamps) if stamps else (0, 0)
        return Options(
            int.from_bytes(mss, "big") if mss else None,
            scale[0] if scale else None,
            tcp.option(4) is not None,
            (relative(value, self.stamp_base or 0), echo) if stamps else None,
            tuple((relative(start, self.theirs), relative(end, self.theirs)) for start, end in tcp.sacks),
        )

    def differences(self, wanted: Segment, packet: bytes) -> Iterator[str]:
        """Yield what a segment of ours was to be and is not."""
        tcp = parse_tcp(packet)
        if wanted.ecn is not None and _ecn(packet) != ecn_text(wanted.ecn):
            yield ecn_text(wanted.ecn)
        ignored = 0 if wanted.flags & PSH else PSH
        if tcp.flags & ~ignored != wanted.flags:
            yield f"flags {flags_text(wanted.flags)}"
        seq = relative(tcp.seq, self.ours)
        if wanted.seq is not None and seq != wanted.seq:
            yield f"sequence number {wanted.seq}"
        if len(tcp.data) != wanted.size:
            yield f"{wanted.size} bytes"
        elif tcp.data and tcp.data != payload(seq, len(tcp.data)):
            yield f"the bytes that belong at {seq}"
        if wanted.ack is not None and relative(tcp.ack, self.theirs) != wanted.ack:
            yield f"ack {wanted.ack}"
        most = wanted.window if wanted.most is None else wanted.most
        if wanted.window is not None and not wanted.window <= self.window_of(tcp) <= (most or 0):
            yield f"win {wanted.window}{'' if wanted.most is None else f'..{wanted.most}'}"
        if wanted.port is not None and tcp.dport != wanted.port:
            yield f"port {wanted.port}"
        if wanted.options is not None and not _fits(wanted.options, self.options_of(tcp)):
            yield f"options <{options_text(wanted.options)}>"


def _fits(wanted: Options, came: Options) -> bool:
    """Whether a segment's options are those, or at least those, that were to come."""
    stamps = (wanted.stamp == (-1, -1) and came.stamp is not None) or wanted.stamp == came.stamp
    if not wanted.at_least:
        return stamps and replace(wanted, stamp=None) == replace(came, stamp=None)
    return (
        wanted.mss in (None, came.mss) and wanted.scale in (None, came.scale) and wanted.sack_ok <= came.sack_ok
        and (stamps or wanted.stamp is None) and wanted.sacks in ((), came.sacks)
    )


# Texts.


def ecn_text(value: int) -> str:
    """Return the name of a value of the ECN field."""
    return next(name for name, known in ECN.items() if known == value)


def _ecn(packet: bytes) -> str:
    return ecn_text(packet[1] >> 4 & 3)


def flags_text(flags: int) -> str:
    """Return flags as letters."""
    return "".join(letter for letter, bit in FLAGS.items() if flags & bit) or "-"


def options_text(options: Options) -> str:
    """Return options as a script writes them."""
    parts = ["*"] if options.at_least else []
    if options.mss is not None:
        parts.append(f"mss {options.mss}")
    if options.sack_ok:
        parts.append("sackok")
    if options.scale is not None:
        parts.append(f"ws {options.scale}")
    if options.stamp:
        parts.append("ts" if options.stamp == (-1, -1) else f"ts {options.stamp[0]} ecr {options.stamp[1]}")
    if options.sacks:
        parts.append("sack " + " ".join(f"{start}:{end}" for start, end in options.sacks))
    return ", ".join(parts)


def segment_text(flow: Flow, packet: bytes) -> str:
    """Return a segment of ours as a script writes it."""
    tcp = parse_tcp(packet)
    options = options_text(flow.options_of(tcp))
    return (
        f"{flags_text(tcp.flags)} {relative(tcp.seq, tcp.seq if tcp.flags & SYN else flow.ours)}"
        + (f"+{len(tcp.data)}" if tcp.data else "")
        + (f" ack {relative(tcp.ack, flow.theirs)}" if tcp.flags & ACK else "")
        + f" win {flow.window_of(tcp)}" + (f" <{options}>" if options else "")
        + (f" {_ecn(packet)}" if packet[1] >> 4 & 3 else "") + f" port {tcp.dport}"
    )


def other_text(packet: bytes) -> str:
    """Return a datagram or ICMPv6 message of ours as a script writes it."""
    if packet[6] == 17:
        return f"udp {int.from_bytes(packet[42:44], 'big')} {len(packet) - 48}"
    kind, code, number = packet[40], packet[41], int.from_bytes(packet[44:48], "big")
    if kind == 129:
        return f"echo-reply {len(packet) - 48}"
    if kind == KINDS["problem"]:
        return f"icmp problem {code} at {number}"
    names = {value: name for name, value in KINDS.items()}
    return f"icmp {names.get(kind, kind)} {number if kind == KINDS['too-big'] else code}"
