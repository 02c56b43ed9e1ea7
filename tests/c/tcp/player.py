"""Plays the scripts of notation.py against one stack, on a virtual clock."""

from __future__ import annotations

import errno
import struct
from dataclasses import replace
from typing import Any

from tests.c.stackkit import MS, SECOND, A, B, icmp_packet, ipv6_header, make_stack, parse_tcp, udp_packet
from tests.c.tcp.calls import Calls, Mismatch
from tests.c.tcp.flow import Flow, other_text, segment_text
from tests.c.tcp.notation import KINDS, Script, Segment, Step

STRANGER = bytes([2, 255]) + bytes(13) + b"\x0c"     # of another node: another /64


class Player:
    """One stack, and the peer that a script plays."""

    def __init__(self) -> None:
        self.now = SECOND
        self.mtu = 1280
        self.iss = 1000
        self.flows: dict[int, Flow] = {}
        self.current = 5000
        self.out: list[tuple[int, bytes]] = []      # sent and not expected yet, with the time
        self.deadline: int | None = None
        self.udp_sent = b""
        self.calls = Calls(self)
        self.started = False

    # The stack and its clock.

    @property
    def stack(self) -> Any:
        """The stack, made when it is first needed: `mtu` comes before."""
        if not self.started:
            self.started = True
            self._stack, self.tap = make_stack(A, self.mtu)
            self.poll()
        return self._stack

    def poll(self) -> None:
        """Let the stack have its turn, and collect what it sends."""
        self.deadline = self.tap.poll(self.now)
        self.out += [(self.now, packet) for packet in self.tap.take()]

    def give(self, packets: list[bytes]) -> None:
        """Give the stack a batch of packets."""
        _ = self.stack
        self.tap.give(packets, self.now)
        self.poll()

    def receive(self, flow: Flow, segment: Segment) -> None:
        """Give the stack one segment."""
        self.give([flow.build(segment, self.now)])

    def pass_time(self, limit: int, until_sent: bool) -> None:
        """Let time pass up to `limit`, or less where something is sent."""
        _ = self.stack
        self.poll()
        while not (until_sent and self.out) and self.deadline is not None and self.deadline <= limit:
            self.now = max(self.now, self.deadline)
            self.poll()
        if not (until_sent and self.out):
            self.now = limit

    def close(self) -> None:
        """Close the stack and let go of everything."""
        if self.started:
            self._stack.close()
            self.tap.poll(self.now)
            self.tap.take()
            self.tap.detach()
        self.__dict__.clear()

    def flow(self, port: int | None) -> Flow:
        """Return what belongs to the peer's port; None: the connection that the script speaks of."""
        return self.flows.setdefault(port or self.current, Flow(port or self.current, theirs=self.iss))

    def choose(self, port: int) -> Flow:
        """Return what belongs to the peer's port, of which the script speaks from now on."""
        self.current = port
        return self.flow(port)

    # Steps.

    def play(self, step: Step) -> None:
        """Do one step; Mismatch where something else comes than it expects."""
        if step.timed:
            self.wait(step)
        elif self.out and step.verb not in (">", "skip", "forget"):
            raise Mismatch(f"nothing more was to be sent before\n  came      {self.show_out()}")
        match step.verb:
            case ">":
                self.expect(step)
            case "<" | "together":
                self.give([self.incoming(part) for part in step.batch or (step,)])
            case "skip" | "forget":
                self.out.clear()
            case _:
                self.call(step)

    def wait(self, step: Step) -> None:
        """Let a step's time pass."""
        start = self.now
        whatever = step.verb == "skip"
        if self.out and not whatever:
            raise Mismatch(f"nothing more was to be sent before\n  came      {self.show_out()}")
        self.pass_time(start + round((step.until or step.after) * MS), until_sent=not whatever)
        if whatever or not self.out:
            return
        came = (self.now - start) / MS
        if step.verb != ">":
            raise Mismatch(f"nothing was to be sent\n  came      {self.show_out()} after {came:g} ms")
        if came < step.after:
            raise Mismatch(f"{step.after:g} ms had to pass before\n  came      {self.show_out()} after {came:g} ms")

    def call(self, step: Step) -> None:
        """Make a call, which succeeds, or fails as the step says."""
        words = list(step.words)
        wanted = words.pop() if words[-2:-1] == ["fails"] else "success"
        words = words[:-1] if wanted != "success" else words
        port = int(words.pop()) if words[-2:-1] == ["port"] else None
        words = words[:-1] if port else words
        came = "success"
        try:
            getattr(self.calls, step.verb.replace("-", "_"))(self.flow(port), *words)
        except OSError as error:
            came = errno.errorcode.get(error.errno or 0, str(error))
        if came != wanted:
            raise Mismatch(f"expected  {wanted}\n  came      {came}")
        if self.started:
            self.poll()

    # What the peer sends.

    def incoming(self, step: Step) -> bytes:
        """Return the packet of a `<` line."""
        if step.segment is not None:
            return self.flow(step.segment.port).build(step.segment, self.now)
        match step.words:
            case ["udp", port, size]:
                target = self.calls.udp.local[1] if self.calls.udp else 9
                return udp_packet(B, int(port), A, target, bytes(int(size)))
            case ["echo", size]:
                return icmp_packet(B, A, 128, 0, bytes(4) + bytes(int(size)))
            case ["icmp", kind, number, "about", what, *rest]:
                return self.icmp_error(KINDS[kind], int(number), what, STRANGER if rest else B)
            case ["fragment", span, "of", size]:
                first, last = (int(part) for part in span.split(".."))
                body = icmp_packet(B, A, 128, 0, bytes(4) + bytes(int(size) - 8))[40:]
                header = struct.pack(">BBHI", 58, 0, first | (last < len(body)), 77)
                return ipv6_header(B, A, 44, 8 + last - first) + header + body[first:last]
            case ["next-header", number]:
                return ipv6_header(B, A, int(number), 4) + b"abcd"
            case ["option", number]:
                option = bytes([17, 0, int(number), 2, 0, 0, 1, 0])
                return ipv6_header(B, A, 60, 16) + option + udp_packet(B, 1, A, 9, b"")[40:]
        raise ValueError(f"no packet: {' '.join(step.words)}")

    def icmp_error(self, kind: int, number: int, what: str, source: bytes) -> bytes:
        """Return an ICMPv6 error that quotes what we sent."""
        position, _, size = what.partition("+")
        quoted = self.udp_sent if what == "udp" else self.flow(None).quote(int(position), int(size or 0))
        too_big = kind == KINDS["too-big"]
        rest = struct.pack(">I", number if too_big else 0) + quoted[:1232]
        return icmp_packet(source, A, kind, 0 if too_big else number, rest)

    # What we send.

    def expect(self, step: Step) -> None:
        """Take what a `>` line expects from what was sent."""
        if step.segment is not None:
            for index in range(step.segment.count):
                wanted = step.segment
                if wanted.seq is not None:
                    wanted = replace(wanted, seq=wanted.seq + index * wanted.size)
                self.expect_segment(wanted)
        elif step.words == ("…",):
            while self.out:
                self.take()
        else:
            self.expect_other(" ".join(step.words))

    def take(self) -> bytes:
        """Take the next packet, as its receiver does."""
        if not self.out:
            raise Mismatch("came      nothing")
        time, packet = self.out.pop(0)
        if packet[6] == 6:
            tcp = parse_tcp(packet)
            self.flow(tcp.dport).learn(packet, tcp, time)
        elif packet[6] == 17:
            self.udp_sent = packet
        return packet

    def expect_segment(self, wanted: Segment) -> None:
        """Take the next packet, which must be this segment."""
        packet = self.take()
        if packet[6] != 6:
            raise Mismatch(f"came      {self.show(packet)}")
        tcp = parse_tcp(packet)
        if wrong := list(self.flow(tcp.dport).differences(wanted, packet)):
            raise Mismatch(f"expected  {', '.join(wrong)}\n  came      {self.show(packet)}")

    def expect_other(self, wanted: str) -> None:
        """Take the next packet, which must be this and is no segment."""
        came = self.show(self.take())
        if came != wanted and came.partition(" at ")[0] != wanted:
            raise Mismatch(f"came      {came}")

    def show(self, packet: bytes) -> str:
        """Return a packet of ours as a script writes it."""
        if packet[6] != 6:
            return other_text(packet)
        port = parse_tcp(packet).dport
        return segment_text(self.flows.get(port) or Flow(port), packet)

    def show_out(self) -> str:
        """Return what was sent and not expected."""
        return ", then ".join(self.show(packet) for _, packet in self.out[:4]) + (" …" if len(self.out) > 4 else "")


def play(script: Script) -> None:
    """Play a script in each of its orders; Mismatch tells the line, what was to come and what came."""
    for steps in script.orders():
        player = Player()
        step = steps[0]
        try:
            for step in steps:
                player.play(step)
            if player.out:
                raise Mismatch(f"nothing more was to be sent\n  came      {player.show_out()}")
        except Mismatch as error:
            where = f"{step.where}  {step.text}    (at {player.now / MS:g} ms)"
            raise Mismatch(f"{script.name}\n  {where}\n  {error}") from None
        finally:
            player.close()
