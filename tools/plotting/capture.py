"""TCP connections out of a pcapng or pcap file of IPv6 packets, as series to draw."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import dpkt

End = tuple[str, int]
IPV6_LINKS = (101, 229)     # LINKTYPE_RAW, LINKTYPE_IPV6
SYN, RST, ACK = 2, 4, 16


@dataclass
class Way:
    """What one end sent. Positions count from its SYN; times are seconds since the epoch."""

    segments: list[tuple[float, int, int, bool]] = field(default_factory=list)
    """Time, start, end, and whether any of it had been sent before."""
    acknowledged: list[tuple[float, int]] = field(default_factory=list)
    """Time and position of each acknowledgement from the other end."""
    windows: list[tuple[float, int]] = field(default_factory=list)
    """Time and right edge of the window that the other end offers."""
    sacked: list[tuple[float, int, int]] = field(default_factory=list)
    """Time, start and end of each block that the other end reports."""
    flights: list[tuple[float, int]] = field(default_factory=list)
    """Time and bytes sent and not acknowledged."""
    round_trips: list[tuple[float, float]] = field(default_factory=list)
    """Time and seconds from a segment to its acknowledgement, of segments that were sent once (Karn)."""
    first: int | None = None
    scale: int = 0
    _sent: int = 0
    _acked: int = 0
    _open: list[tuple[int, float]] = field(default_factory=list)

    def position(self, sequence: int) -> int:
        """Return the position that a sequence number means, near to what was sent last."""
        if self.first is None:
            self.first = sequence
        distance = (sequence - self.first - self._sent) & 0xFFFFFFFF
        return self._sent + (distance - (1 << 32) if distance >> 31 else distance)

    def sends(self, when: float, start: int, end: int) -> None:
        """Note a segment."""
        again = start < self._sent
        self.segments.append((when, start, end, again))
        if again:
            self._open.clear()
        else:
            self._open.append((end, when))
        self._sent = max(self._sent, end)
        self.flights.append((when, self._sent - self._acked))

    def hears(self, when: float, position: int, window: int) -> None:
        """Note an acknowledgement from the other end."""
        self.windows.append((when, position + window))
        if position <= self._acked:
            return
        self._acked = position
        self.acknowledged.append((when, position))
        self.flights.append((when, max(self._sent - position, 0)))
        covered = [sent for end, sent in self._open if end <= position]
        if covered:
            self.round_trips.append((when, when - covered[-1]))
            del self._open[: len(covered)]


@dataclass
class Connection:
    """A connection: two ends, and what each sent to the other."""

    ends: tuple[End, End]
    ways: tuple[Way, Way] = field(default_factory=lambda: (Way(), Way()))
    packets: int = 0

    @property
    def busier(self) -> int:
        """Which end sent more: 0 or 1."""
        sizes = [sum(end - start for _, start, end, _ in way.segments) for way in self.ways]
        return int(sizes[1] > sizes[0])

    def takes(self, when: float, sender: int, tcp: dpkt.tcp.TCP) -> None:
        """Note a packet from an end."""
        own, other = self.ways[sender], self.ways[1 - sender]
        options = dict(dpkt.tcp.parse_opts(tcp.opts))
        self.packets += 1
        if tcp.flags & RST:
            return
        if tcp.flags & SYN:
            own.scale = options.get(dpkt.tcp.TCP_OPT_WSCALE, b"\0")[0]
        start = own.position(tcp.seq)
        if len(tcp.data) or tcp.flags & SYN:
            own.sends(when, start, start + len(tcp.data) + bool(tcp.flags & SYN))
        if tcp.flags & ACK and other.first is not None:
            scale = 0 if tcp.flags & SYN else own.scale
            other.hears(when, other.position(tcp.ack), tcp.win << scale)
            other.sacked += [(when, *block) for block in _blocks(options, other)]


def _blocks(options: dict[int, bytes], way: Way) -> Iterator[tuple[int, int]]:
    data = options.get(dpkt.tcp.TCP_OPT_SACK, b"")
    for at in range(0, len(data) - 7, 8):
        start, end = (way.position(int.from_bytes(data[at + half : at + half + 4])) for half in (0, 4))
        yield start, end


def read(path: Path) -> list[Connection]:
    """Return the connections of a file in the order in which they began. ValueError for another kind of file."""
    found: dict[tuple[End, End], Connection] = {}
    with path.open("rb") as file:
        for when, data in _packets(file, path):
            packet = dpkt.ip6.IP6(data)
            if not isinstance(packet.data, dpkt.tcp.TCP):
                continue
            source = (str(ipaddress.ip_address(packet.src)), packet.data.sport)
            target = (str(ipaddress.ip_address(packet.dst)), packet.data.dport)
            if (target, source) in found:
                found[target, source].takes(when, 1, packet.data)
            else:
                found.setdefault((source, target), Connection((source, target))).takes(when, 0, packet.data)
    return list(found.values())


def _packets(file: BinaryIO, path: Path) -> Iterator[tuple[float, bytes]]:
    try:
        reader = dpkt.pcap.UniversalReader(file)
    except (ValueError, dpkt.Error):
        raise ValueError(f"{path} is neither a pcapng nor a pcap file") from None
    if reader.datalink() not in IPV6_LINKS:
        raise ValueError(f"{path} holds packets of link type {reader.datalink()}, not IPv6 packets (229 or 101)")
    try:
        for when, data in reader:
            if data and data[0] >> 4 == 6:
                yield float(when), data
    except dpkt.NeedData:
        return      # the file is still being written, or was cut
