"""Invariant: over any wire, what a side has received is exactly a prefix of what the other wrote. Once the wire is
calm all arrives, whatever was lost, late, cut or lied about; every connection ends, and nothing of it is left. Packets
are bounded by the data and by what went wrong, copies by three times what was lost or late.

Two stacks in virtual time. The wire changes its weather as it likes; a liar rewrites what one side acknowledges.
"""

import dataclasses
import gc
import struct

from hypothesis import example, given
from hypothesis import strategies as st

from tests.c.stackkit import ACK, CWR, ECE, MS, RST, SECOND, SYN, A, B, StackPair, icmp_packet, parse_tcp
from ygg_c.base import live

CALM_SECONDS = 400
"""For the rest of a transfer: the longest timeout is a minute, and it may have been reached."""
SLACK = 40
"""Segments that may be sent beside all that is counted: handshakes, FINs, probes of a flight's end, delayed ACKs."""

CE = 3 << 4
"""A mark, where it stands in the second byte of a packet."""

PROBED = 4000
"""Bytes that may be sent again because an ACK was delayed: the end of a flight is probed."""


@dataclasses.dataclass(frozen=True)
class Weather:
    """What happens to packets for a while. Times are ms."""

    lasts: int = 1000
    delay: int = 5
    loss: float = 0.0
    burst: int = 0          # packets lost one after the other, now and then
    duplicate: float = 0.0
    late_every: int = 0     # each of so many packets is late
    late: int = 0
    held: bool = False      # all are held until this is over
    marks: float = 0.0      # of those that may be marked (RFC 3168)
    limit: int = 65535      # largest packet
    tells: bool = True      # and Packet Too Big says so


@dataclasses.dataclass(frozen=True)
class Case:
    """One connection's life."""

    mtu: int = 1500
    buffer: int = 1 << 20
    sizes: tuple[int, int] = (200_000, 0)
    piece: int = 100_000
    nodelay: bool = False
    control: str = "cubic"
    both_open: bool = False
    sack: bool = True
    stamps: bool = True
    stalls: int = 0         # ms for which a reader does not read, again and again
    reads: int = 1 << 20
    early_end: bool = False     # the first closes its half before it reads
    lie: str = ""
    weather: tuple[Weather, ...] = ()
    seed: int = 0


class Wire:
    """Carries the packets of a switch, and counts what it does to them."""

    def __init__(self, switch, case):
        self.switch, self.case, self.random = switch, case, switch.random
        self.weather, self.until = Weather(), 0
        self.under_way = 0
        self.in_burst = self.count = 0
        self.highest = {}
        self.copied = self.harmed = self.segments = 0
        self.base = {}
        self.usual = 5.0            # ms that packets have taken of late
        switch.passes = self.take

    def change(self, weather):
        self.weather, self.until = weather, self.switch.now + weather.lasts * MS
        self.in_burst = 0

    def take(self, packet):
        """Deal with one packet; nothing is left for the switch to do."""
        self.count += 1
        self.measure(packet)
        for each in self.told(packet):
            self.carry(self.marked(each, packet[1] & CE))
        return False

    def marked(self, packet, field):
        """Return a packet with its ECN field, or with a mark."""
        if field and self.random.random() < self.weather.marks:
            field = CE
        return packet[:1] + bytes([packet[1] | field]) + packet[2:]

    def measure(self, packet):
        sequence, flags, size = read(packet)
        if size:
            source = packet[8:24]
            first = self.base.setdefault(source, sequence)
            start = (sequence - first) % 2**32
            reached = self.highest.get(source, 0)
            self.segments += 1
            self.copied += min(max(reached - start, 0), size)
            self.highest[source] = max(reached, start + size)
        elif flags & RST:
            self.segments += 1

    def carry(self, packet):
        weather, now, chance = self.weather, self.switch.now, self.random.random
        size = max(read(packet)[2], 1460)       # without an ACK a segment may be sent again
        if len(packet) > weather.limit:
            self.harmed += size
            if weather.tells:
                report = struct.pack(">I", weather.limit) + packet[:1232]
                self.put(icmp_packet(packet[24:40], packet[8:24], 2, 0, report), now + weather.delay * MS)
            return
        if weather.burst and chance() < 0.02:
            self.in_burst = weather.burst
        if self.in_burst or chance() < weather.loss:
            self.in_burst -= self.in_burst > 0
            self.harmed += size
            return
        at = now + weather.delay * MS
        if weather.delay > 2 * self.usual + 50:
            self.harmed += size
        self.usual += (weather.delay - self.usual) / 16
        if weather.held:
            at = max(at, self.until)
            self.harmed += size
        if weather.late_every and self.count % weather.late_every == 0:
            at += weather.late * MS
            self.harmed += 4 * size             # up to three that overtake it may be taken for the sign of a loss
        self.put(packet, at)
        if chance() < weather.duplicate:
            self.harmed += size
            self.put(packet, at + self.random.randrange(20 * MS))

    def put(self, packet, at):
        self.under_way += 1
        self.switch.timeline.at(at, lambda: self.arrived(packet))

    def arrived(self, packet):
        self.under_way -= 1
        self.switch.wire(packet[24:40]).arrive(packet)

    def told(self, packet):
        """Return what becomes of a packet on the way: itself, without options, or with lies."""
        tcp = parse_tcp(packet)
        if tcp.flags & SYN:
            options = tcp.options
            if not self.case.sack:
                options = without(options, 4)
            if not self.case.stamps:
                options = without(options, 8)
            tcp.options = options
        elif self.case.lie and packet[8:24] == B and not tcp.flags & RST and self.random.random() < 0.5:
            return [each.packet(packet[8:24], packet[24:40]) for each in self.lies(tcp)]
        return [tcp.packet(packet[8:24], packet[24:40])]

    def lies(self, tcp):
        top = (self.base.get(A, tcp.ack) + self.highest.get(A, 0)) % 2**32
        ahead = (top - tcp.ack) % 2**32
        ahead = ahead if ahead < 1 << 31 else 0
        match self.case.lie:
            case "divided":
                count = self.random.randrange(2, 30)
                return [
                    dataclasses.replace(tcp, ack=tcp.ack - step * 40, data=b"", flags=ACK, seq=tcp.seq)
                    for step in range(count, 0, -1)
                ] + [tcp]
            case "optimistic":
                return [dataclasses.replace(tcp, ack=tcp.ack + self.random.randrange(ahead + 1))]
            case "duplicates":
                start = tcp.ack - self.random.randrange(1, 20_000)
                return [sacked(tcp, (start, min(start + 1440, tcp.ack))), tcp]
            case "unsent":
                beyond = top + 1 + self.random.randrange(1 << 20)
                return [sacked(tcp, (top + 1, beyond), (tcp.ack + 1, top + 1000)), tcp]
            case "reneging" if ahead > 1:
                start = tcp.ack + self.random.randrange(1, ahead)
                return [sacked(tcp, (start, top), (tcp.ack + 1, tcp.ack + ahead // 2)), tcp]
            case "marks":
                return [dataclasses.replace(tcp, flags=tcp.flags & ~CWR | ECE)]
            case "echoes" if tcp.option(8):
                value = tcp.option(8)[:4] + struct.pack(">I", self.random.randrange(1 << 32))
                return [dataclasses.replace(tcp, options=tcp.options.replace(tcp.option(8), value))]
            case "closing":
                window = self.random.choice([0, 0, 1, 2])
                return [dataclasses.replace(tcp, window=window), *([tcp] if window == 0 else [])]
        return [tcp]


def read(packet):
    """Return the sequence number, the flags and the size of the data of a segment."""
    sequence, = struct.unpack_from(">I", packet, 44)
    return sequence, packet[53], len(packet) - 40 - (packet[52] >> 4) * 4


def without(options, kind):
    """Return options with NOPs in place of one."""
    result, at = bytearray(options), 0
    while at < len(result) and result[at]:
        size = 1 if result[at] == 1 else result[at + 1]
        if result[at] == kind:
            result[at : at + size] = b"\x01" * size
        at += size
    return bytes(result)


def sacked(tcp, *blocks):
    """Return the segment with these SACK blocks, and without data, for which they leave no room."""
    edges = [edge % 2**32 for block in blocks for edge in block]
    stamps = tcp.option(8)
    options = b"\x01\x01\x08\x0a" + stamps if stamps else b""
    options += struct.pack(f">BBBB{len(edges)}I", 1, 1, 5, 2 + 4 * len(edges), *edges)
    return dataclasses.replace(tcp, options=options, data=b"", flags=ACK)


class Life:
    """Two applications and their connection."""

    def __init__(self, case):
        self.case = case
        self.switch = StackPair(case.mtu, seed=case.seed)
        for stack in (self.switch.a, self.switch.b):
            stack.receive_buffer = stack.receive_buffer_max = case.buffer
            stack.congestion = case.control
        self.wire = Wire(self.switch, case)
        self.texts = [self.switch.random.randbytes(size) for size in case.sizes]
        self.left = [memoryview(text) for text in self.texts]
        self.got = [bytearray(), bytearray()]
        self.next_read = [0, 0]
        self.steps = 0

    def open(self):
        if self.case.both_open:
            self.ends = [self.switch.a.connect(B, 80, None, 81), self.switch.b.connect(A, 81, None, 80)]
            self.switch.run(60, lambda: all(end.state == "ESTABLISHED" for end in self.ends))
        else:
            self.ends = list(self.switch.pair())
        for end in self.ends:
            end.nodelay = self.case.nodelay

    def act(self, number):
        """Let one application write and read what it can."""
        end = self.ends[number]
        while self.left[number] and end.send_space:
            self.left[number] = self.left[number][end.send(self.left[number][: self.case.piece]) :]
        if not self.left[number] and (self.case.early_end or not number or self.received(0)):
            end.shutdown_write()
        if self.switch.now >= self.next_read[number]:
            while piece := end.recv(self.case.reads):
                self.got[1 - number] += piece
            self.next_read[number] = self.switch.now + self.case.stalls * MS

    def received(self, number):
        return len(self.got[number]) == len(self.texts[number])

    def done(self):
        return all(end.at_eof for end in self.ends)

    def failed(self):
        return any(end.error for end in self.ends)

    def spend(self, duration):
        """Let time pass until all is received."""
        until = self.switch.now + duration
        while self.switch.now < until and not self.done() and not self.failed():
            for number in (0, 1):
                self.act(number)
            self.step(min(until - self.switch.now, max(self.case.stalls, 50) * MS))
            for text, got in zip(self.texts, self.got, strict=True):
                assert len(got) <= len(text)

    def calm(self):
        """Let the wire be calm, and readers read."""
        self.wire.change(Weather(lasts=CALM_SECONDS * 1000))
        self.next_read = [0, 0]
        self.case = self.wire.case = dataclasses.replace(self.case, stalls=0, lie="")

    def step(self, limit):
        turns = self.switch.turns
        self.switch.run(limit / SECOND, lambda: self.switch.turns > turns)
        self.steps += 1

    def check_prefix(self):
        for text, got in zip(self.texts, self.got, strict=True):
            assert text.startswith(got)


def live_through(case):
    """Live a case to its end and check it; return its figures."""
    life = Life(case)
    life.open()
    for weather in case.weather:
        life.wire.change(weather)
        life.spend(weather.lasts * MS)
        life.check_prefix()
    life.calm()
    life.spend(CALM_SECONDS * SECOND)
    life.check_prefix()
    wire, honest = life.wire, case.lie != "optimistic"
    if honest:
        assert not life.failed()
        assert [*map(len, life.got)] == [*map(len, life.texts)]
    else:
        for end in life.ends:
            end.abort()
    most = life.switch.packets + SLACK + 2 * life.wire.under_way + sum(end.queued for end in life.ends) // 200
    life.switch.run(200)
    assert [end.state for end in life.ends] == ["CLOSED", "CLOSED"]
    # What still was under way is answered, and what is lost of the end is sent again, less and less often.
    assert life.switch.packets <= most
    for stack in (life.switch.a, life.switch.b):
        assert stack.endpoints() == []
        assert stack.buffered == (0, 0)
        assert (stack.half_open, stack.time_waiting) == (0, 0)
    figures = (wire.copied, wire.harmed, wire.segments, life.switch.packets, life.steps)
    needed = sum(case.sizes) // min(case.piece, 400) + wire.harmed // 400
    if not case.lie:
        assert wire.copied <= 3 * wire.harmed + PROBED, figures
        assert life.switch.packets <= 6 * needed + 4 * SLACK, figures
    life.switch.close()
    return figures


weathers = st.builds(
    Weather,
    lasts=st.sampled_from([50, 300, 1000, 4000, 10_000]),
    delay=st.sampled_from([1, 5, 50, 300, 1000, 2000]),
    loss=st.sampled_from([0.0, 0.0, 0.01, 0.1, 0.4, 1.0]),
    burst=st.sampled_from([0, 0, 3, 30]),
    duplicate=st.sampled_from([0.0, 0.0, 0.1, 0.5]),
    late_every=st.sampled_from([0, 0, 2, 7, 50]),
    late=st.sampled_from([1, 10, 100, 1000, 4000]),
    held=st.sampled_from([False, False, False, True]),
    marks=st.sampled_from([0.0, 0.0, 0.1, 1.0]),
    limit=st.sampled_from([65535, 65535, 9000, 1500, 1400, 1280]),
    tells=st.booleans(),
)
cases = st.builds(
    Case,
    mtu=st.sampled_from([1280, 1500, 9000, 65535]),
    buffer=st.sampled_from([2000, 20_000, 300_000, 1 << 20]),
    sizes=st.tuples(st.sampled_from([0, 1, 3000, 100_000, 400_000]), st.sampled_from([0, 0, 1, 5000, 200_000])),
    piece=st.sampled_from([300, 5000, 100_000]),
    nodelay=st.booleans(),
    control=st.sampled_from(["cubic", "newreno"]),
    both_open=st.sampled_from([False, False, True]),
    sack=st.sampled_from([True, True, False]),
    stamps=st.sampled_from([True, True, False]),
    stalls=st.sampled_from([0, 0, 100, 3000]),
    reads=st.sampled_from([1000, 1 << 20]),
    early_end=st.booleans(),
    weather=st.lists(weathers, max_size=4).map(tuple),
    seed=st.integers(0, 1 << 32),
)
LIES = ("divided", "optimistic", "duplicates", "unsent", "reneging", "echoes", "closing", "marks")


def check(case):
    """Live a case and check that nothing of it is left."""
    gc.collect()
    before = live.counts()
    figures = live_through(case)
    gc.collect()
    assert live.counts() == before
    return figures


@example(Case(
    mtu=65535, buffer=20_000, sizes=(400_000, 200_000), both_open=True, sack=False,
    weather=(Weather(lasts=4000, loss=1.0),),
))      # both have filled the other's window, and both have lost it
@given(cases)
def test_any_weather(case):
    check(case)


@given(cases, st.sampled_from(LIES))
def test_liars(case, lie):
    check(dataclasses.replace(case, lie=lie))
