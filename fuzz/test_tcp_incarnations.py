"""Invariant: whatever the wire does to the packets of a pair of ports that is used again and again, what one end of a
connection has read is a prefix of what exactly one end on the other side wrote, and all of it where it reads the end of
the stream; neither old duplicates nor some loss end a connection; every one ends, soon, and nothing of it is left.

Two stacks in virtual time, of which both dial and both listen, on the same two ports: one after the other, through
TIME-WAIT, after a reset, or both at once. The wire loses, holds, repeats and reorders, and gives out again what it has
carried within the last half minute, the maximum segment lifetime, of former connections too.
"""

import gc
import random
from collections import deque

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.c.stackkit import MS, SECOND, A, B, StackPair
from ygg_c.base import live

PORTS = (81, 80)
LIFETIME = 30 * SECOND
MOST = 1 << 16
"""Bytes that one end writes at most."""
KNOWN = 8
"""Bytes by which a stream is told from all others."""
CALM_SECONDS = 400
"""For what is left when the wire is calm: the longest timeout is a minute, and TIME-WAIT another."""

side = st.integers(0, 1)


class Wire:
    """Carries the packets of a switch, late, twice or never, and remembers them."""

    def __init__(self, switch: StackPair) -> None:
        self.switch = switch
        self.loss = self.duplicate = 0.0
        self.late = 0                       # ms that each packet may be late
        self.held = False
        self.known: deque = deque(maxlen=300)       # what was carried, and when
        self.waiting: list = []
        self.count = 0
        switch.passes = self.take

    def take(self, packet):
        """Deal with one packet; nothing is left for the switch to do."""
        self.count += 1
        self.known.append((self.switch.now, packet))
        if self.held:
            self.waiting.append(packet)
        else:
            self.carry(packet)
        return False

    def carry(self, packet):
        chance = self.switch.random
        for _ in range(1 + (chance.random() < self.duplicate)):
            if chance.random() >= self.loss:
                self.put(packet, 5 * MS + chance.randrange(self.late * MS + 1))

    def put(self, packet, delay):
        arrive = self.switch.wire(packet[24:40]).arrive
        self.switch.timeline.at(self.switch.now + delay, lambda: arrive(packet))

    def change(self, loss=0.0, duplicate=0.0, late=0, held=False):
        self.loss, self.duplicate, self.late, self.held = loss, duplicate, late, held
        if not held:
            for packet in self.waiting:
                self.carry(packet)
            self.waiting.clear()

    def repeat(self, which, delay):
        """Give out again what was carried, if it may still be under way."""
        young = [packet for at, packet in self.known if self.switch.now + delay - at < LIFETIME]
        if young:
            self.put(young[which % len(young)], delay)


class End:
    """One end of one connection, and its application."""

    def __init__(self, number, which, connection) -> None:
        self.which, self.connection = which, connection
        self.stream = random.Random(number).randbytes(MOST)
        self.written = 0
        self.got = bytearray()
        self.peer: End | None = None

    def write(self, size):
        size = min(size, MOST - self.written)
        self.connection.write(self.stream[self.written : self.written + size])
        self.written += size

    def read(self):
        try:
            while piece := self.connection.recv():
                self.got += piece
        except OSError:
            assert self.connection.error        # what ended it

    def holds(self, data):
        return self.stream[: self.written].startswith(data)


class Incarnations(RuleBasedStateMachine):
    """Dials, listens, writes, reads, closes, resets, waits and changes the wire, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.switch: StackPair | None = None

    @initialize(seed=st.integers(0, 2**32), mtu=st.sampled_from([1280, 65535]))
    def begin(self, seed, mtu):
        gc.collect()
        self.before = live.counts()
        self.switch = StackPair(mtu, seed=seed)
        self.wire = Wire(self.switch)
        self.stacks = (self.switch.a, self.switch.b)
        self.listeners = [stack.listen(None, port) for stack, port in zip(self.stacks, PORTS, strict=True)]
        self.ends: list[End] = []
        self.harmed = False                 # something happened that may end a connection: a reset, or a cut

    # What applications do.

    @rule(which=side, size=st.sampled_from([0, 1, 3000]))
    def dial(self, which, size):
        """Dial, and perhaps write, before it is open."""
        try:
            connection = self.stacks[which].connect((B, A)[which], PORTS[1 - which], None, PORTS[which])
        except OSError:
            return                          # the ports are in use
        self.add(which, connection).write(size)

    @rule(size=st.sampled_from([0, 1, 3000]), apart=st.sampled_from([0, 1, 4, 6, 100]))
    def dial_from_both(self, size, apart):
        """Open from both sides: the second SYN leaves before the first arrives, or after."""
        self.dial(0, size)
        self.wait(apart / 1000)
        self.dial(1, size)

    def add(self, which, connection):
        self.ends.append(End(len(self.ends), which, connection))
        return self.ends[-1]

    def accept(self):
        for which in (0, 1):
            while (connection := self.listeners[which].accept()) is not None:
                self.add(which, connection)

    def latest(self, which):
        return next((end for end in reversed(self.ends) if end.which == which), None)

    @rule(which=side, size=st.sampled_from([1, 500, 20_000]))
    def write(self, which, size):
        end = self.latest(which)
        if end and end.connection.send_space:
            end.write(size)

    @rule(which=side)
    def read(self, which):
        if end := self.latest(which):
            end.read()

    @rule(which=side)
    def shut_write(self, which):
        if end := self.latest(which):
            end.connection.shutdown_write()

    @rule()
    def end_both(self):
        """End the latest connection in good order, up to TIME-WAIT where the wire lets it."""
        for which in (0, 1):
            self.shut_write(which)
        self.wait(1)
        for which in (0, 1):
            self.read(which)

    @rule(which=side, how=st.sampled_from(["close", "abort"]))
    def give_up(self, which, how):
        if end := self.latest(which):
            self.harmed = True              # a reset, where something comes that will not be read
            getattr(end.connection, how)()

    @rule(which=side, size=st.sampled_from([3000, 20_000]), soon=st.sampled_from([1, 20]))
    def start_over(self, which, size, soon):
        """Reset the latest connection in the middle of a transfer, and dial again while parts of that are under way."""
        self.dial(which, size)
        self.wait(0.02)
        self.write(which, size)
        self.wait(0.008)
        self.give_up(which, "abort")
        self.wait(soon / 1000)
        self.dial(which, 0)
        self.wait(0.015)
        for pick in range(len(self.wire.known)):
            self.wire.repeat(pick, 0)
        self.wait(0.02)
        for end in self.ends:
            end.read()

    @rule(duration=st.sampled_from([0.001, 0.02, 1, 20, 61]))
    def wait(self, duration):
        self.switch.run(duration)
        self.accept()

    # What the wire does.

    @rule(
        loss=st.sampled_from([0.0, 0.0, 0.1, 0.2, 1.0]), duplicate=st.sampled_from([0.0, 0.5]),
        late=st.sampled_from([0, 3, 50, 1000]), held=st.sampled_from([False, False, True]),
    )
    def change_wire(self, loss, duplicate, late, held):
        self.harmed = self.harmed or loss == 1.0 or held
        self.wire.change(loss, duplicate, late, held)

    @rule(picks=st.lists(st.integers(0, 1 << 16), min_size=1, max_size=20), seconds=st.sampled_from([0, 1, 15]))
    def repeat(self, picks, seconds):
        for pick in picks:
            self.wire.repeat(pick, seconds * SECOND)

    # What holds.

    @precondition(lambda self: self.switch is not None)
    @invariant()
    def each_reads_what_one_wrote(self):
        for end in self.ends:
            if not end.got:
                continue
            others = [other for other in self.ends if other.which != end.which and other.holds(end.got)]
            assert others, "what none wrote"
            if len(end.got) >= KNOWN and end.peer is None:
                (end.peer,) = others
                assert end.peer not in [other.peer for other in self.ends if other is not end], "read twice"
            assert end.peer is None or end.peer in others
            if end.connection.at_eof and end.peer and not end.connection.readable:
                assert len(end.got) == end.peer.written, "the end before the end"

    @precondition(lambda self: self.switch is not None)
    @invariant()
    def only_resets_and_cuts_end_a_connection(self):
        assert self.harmed or [end.connection.error for end in self.ends if end.connection.error] == []

    def teardown(self):
        if self.switch is None:
            return
        self.finish()
        before = self.before
        self.__dict__.clear()
        gc.collect()
        assert live.counts() == before

    def finish(self):
        """Calm the wire, and have all that is open end in good order."""
        self.wire.change()
        for listener in self.listeners:
            listener.close()
        for end in self.ends:
            end.connection.shutdown_write()
        sent = self.wire.count + sum(end.connection.queued for end in self.ends) // 500
        for _ in range(CALM_SECONDS // 10):
            self.switch.run(10)
            for end in self.ends:
                end.read()
                if end.connection.at_eof:
                    end.connection.close()
        self.each_reads_what_one_wrote()
        assert {end.connection.state for end in self.ends} <= {"CLOSED"}
        assert self.wire.count - sent < 200 + 20 * len(self.ends)
        for stack in self.stacks:
            assert stack.endpoints() == []
            assert stack.buffered == (0, 0)
            assert (stack.half_open, stack.time_waiting) == (0, 0)
        self.switch.close()


TestIncarnations = pytest.mark.timeout(900)(Incarnations.TestCase)      # tools/fuzz has it make many more examples
