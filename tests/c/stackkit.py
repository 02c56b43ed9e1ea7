"""Two stacks joined by a switch, and raw TCP segments, all in virtual time."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, replace
from typing import Any

from ygg.simulation import Conditions, Switch
from ygg_c.base.checksum import checksum
from ygg_c.base.sodium import SeededRandom
from ygg_c.socket.endpoint import Endpoint
from ygg_c.stack.netstack import NetStack
from ygg_c.testing.packets import PacketTap

MS = 1_000_000
SECOND = 1000 * MS
A = bytes([2]) + bytes(14) + b"\x0a"
B = bytes([2]) + bytes(14) + b"\x0b"
MSS = 1220
"""Bytes of data in a full segment where packets have no more than 1280."""
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << n for n in range(8))


def make_stack(address: bytes, mtu: int = 65535, seed: object = 1) -> tuple[NetStack, PacketTap]:
    """Return a stack with predictable randomness and the tap on its lower side."""
    stack = NetStack([address], mtu, SeededRandom((seed, address)))
    return stack, PacketTap(stack, 1 << 20)


def check_transitions(stack: NetStack) -> None:
    """Check that nothing happened to a connection that cannot happen in its state."""
    assert stack.counters()["tcp_no_transition"] == 0


class Log:
    """Collects the events of an endpoint."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.flags = 0
        self.calls = 0
        endpoint.on_event = self.add

    def add(self, flags: int) -> None:
        self.flags |= flags
        self.calls += 1


DELAY = 5 * MS
"""How long packets are on their way between A and B, unless a test has it otherwise."""


class StackPair(Switch):
    """Stacks A and B, joined by a switch in virtual time."""

    def __init__(self, mtu: int = 1280, conditions: Conditions | None = None, seed: object = 0) -> None:
        self.a, self.b = (NetStack([address], mtu, SeededRandom((seed, address))) for address in (A, B))
        self.random = random.Random(repr(seed))
        """For what a test leaves to chance."""
        super().__init__([self.a, self.b], conditions or Conditions(delay=DELAY / SECOND), seed=seed)

    def change_b(self, mtu: int = 1280, seed: object = "again") -> None:
        """Put another stack in the place of B, as when its process ends without a word and begins anew."""
        self.remove(B)
        self.b.close()
        self.b = NetStack([B], mtu, SeededRandom((seed, B)))
        self.add(self.b)

    def pair(self):
        """Return an established connection's two ends (client on A, server on B)."""
        listener = self.b.listen(None, 80)
        client = self.a.connect(B, 80)
        self.run(60, lambda: client.state == "ESTABLISHED" and bool(self.b.endpoints()[1:]))
        accepted: list = []

        def take() -> bool:
            server = listener.accept()
            if server is not None:
                accepted.append(server)
            return bool(accepted)

        self.run(60, take)
        listener.close()
        return client, accepted[0]

    def close(self) -> None:
        """Close both stacks and let go of everything."""
        self.cut()
        for stack in (self.a, self.b):
            check_transitions(stack)
            stack.close()
        self.turn()
        super().close()
        self.__dict__.clear()


@dataclass
class Tcp:
    """A TCP segment as a person writes it."""

    sport: int = 0
    dport: int = 0
    seq: int = 0
    ack: int = 0
    flags: int = ACK
    window: int = 65535
    options: bytes = b""
    data: bytes = b""

    def packet(self, source: bytes, target: bytes) -> bytes:
        """Return the whole IPv6 packet."""
        options = self.options + bytes(-len(self.options) % 4)
        header = struct.pack(
            ">HHIIBBHHH", self.sport, self.dport, self.seq % 2**32, self.ack % 2**32, (20 + len(options)) << 2,
            self.flags, self.window, 0, 0,
        )
        return upper_packet(source, target, 6, header + options + self.data, 16)

    def has(self, *flags: int) -> bool:
        """Whether exactly these flags are set, PSH apart."""
        return self.flags & ~PSH == sum(flags)

    def option(self, kind: int) -> bytes | None:
        """Return an option's value, or None."""
        rest = self.options
        while rest:
            if rest[0] == 0:
                return None
            if rest[0] == 1:
                rest = rest[1:]
                continue
            if rest[0] == kind:
                return rest[2 : rest[1]]
            rest = rest[rest[1] :]
        return None

    @property
    def sacks(self) -> list[tuple[int, int]]:
        """The SACK blocks."""
        value = self.option(5) or b""
        return [struct.unpack(">II", value[at : at + 8]) for at in range(0, len(value), 8)]


def ipv6_header(source: bytes, target: bytes, next_header: int, size: int) -> bytes:
    """Return a fixed header."""
    return struct.pack(">IHBB", 6 << 28, size, next_header, 64) + source + target


def upper_packet(source: bytes, target: bytes, next_header: int, body: bytes, at: int) -> bytes:
    """Return a packet whose 16-bit checksum, zero in `body` at offset `at`, is filled in."""
    pseudo = source + target + struct.pack(">II", len(body), next_header)
    value = struct.pack(">H", checksum(pseudo + body))
    return ipv6_header(source, target, next_header, len(body)) + body[:at] + value + body[at + 2 :]


def parse_tcp(packet: bytes) -> Tcp:
    """Return the TCP segment of a packet, having checked lengths and checksum."""
    assert packet[6] == 6
    assert len(packet) == 40 + struct.unpack(">H", packet[4:6])[0]
    body = packet[40:]
    assert checksum(packet[8:40] + struct.pack(">II", len(body), 6) + body) == 0
    sport, dport, seq, ack, offset, flags, window, _, _ = struct.unpack(">HHIIBBHHH", body[:20])
    header = offset >> 2
    return Tcp(sport, dport, seq, ack, flags, window, body[20:header], body[header:])


def udp_packet(source: bytes, sport: int, target: bytes, dport: int, data: bytes) -> bytes:
    """Return a UDP packet."""
    return upper_packet(source, target, 17, struct.pack(">HHHH", sport, dport, 8 + len(data), 0) + data, 6)


def icmp_packet(source: bytes, target: bytes, kind: int, code: int, rest: bytes) -> bytes:
    """Return an ICMPv6 packet; `rest` is all behind the checksum."""
    return upper_packet(source, target, 58, bytes([kind, code, 0, 0]) + rest, 2)


def stamp(value: int, echo: int) -> bytes:
    """Return a timestamp option."""
    return struct.pack(">BBBBII", 1, 1, 8, 10, value, echo)


class Peer:
    """A hand-driven TCP peer at address B of a stack at A: every segment it sends is spelled out."""

    def __init__(self, mtu: int = 1280, options: bytes = b"", window: int = 65535, iss: int = 1000) -> None:
        self.stack, self.tap = make_stack(A, mtu)
        self.now = SECOND
        self.options = options
        self.base = Tcp(sport=5000, dport=80, window=window)
        self.seq = iss
        self.ack = 0
        self.tap.poll(self.now)

    def send(self, segment: Tcp | None = None, **fields: Any) -> list[Tcp]:
        """Give the stack one segment (unnamed fields: what is due next) and return its answers."""
        segment = segment or replace(self.base, **{"seq": self.seq, "ack": self.ack, **fields})
        self.tap.give([segment.packet(B, A)], self.now)
        return self.take()

    def take(self) -> list[Tcp]:
        """Return what the stack has sent, after letting it have its turn."""
        self.deadline = self.tap.poll(self.now)
        return [parse_tcp(packet) for packet in self.tap.take() if packet[6] == 6]

    def one(self, *args: Any, **fields: Any) -> Tcp:
        """As `send`, where exactly one answer is expected."""
        (answer,) = self.send(*args, **fields)
        return answer

    def wait(self, duration: int) -> list[Tcp]:
        """Let time pass, keeping every deadline, and return what the stack sent."""
        limit = self.now + duration
        sent = self.take()
        while self.deadline is not None and self.deadline <= limit:
            self.now = max(self.now, self.deadline)
            sent += self.take()
        self.now = limit
        return sent + self.take()

    def accept(self, listener=None):
        """Complete a handshake with a listener on port 80 and return the accepted connection."""
        listener = listener or self.stack.listen(None, 80)
        answer = self.one(flags=SYN, ack=0, options=self.options)
        assert answer.has(SYN, ACK)
        self.seq += 1
        self.ack = answer.seq + 1
        self.syn = answer
        assert self.send() == []
        return listener.accept()

    def data(self, data: bytes, **fields: Any) -> list[Tcp]:
        """Send in-order data and move on."""
        answers = self.send(data=data, **fields)
        self.seq += len(data)
        return answers

    def close(self) -> None:
        """Close the stack and let go of everything."""
        check_transitions(self.stack)
        self.stack.close()
        self.tap.poll(self.now)
        self.tap.take()
        self.tap.detach()
        self.__dict__.clear()
