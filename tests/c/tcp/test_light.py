"""ygg_c.tcp.light: the table of connections that take little memory, against a model that is a dictionary."""

from __future__ import annotations

import random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.c.stackkit import RST, SECOND, A, Peer, Tcp
from tests.c.tcp.light import knock


def host(number: int) -> bytes:
    return bytes([2, number]) + bytes(14)


def reset(peer: Peer, port: int, address: bytes) -> None:
    """Have a client give up."""
    peer.tap.give([Tcp(port, 80, 1001, 0, RST).packet(address, A)], peer.now)
    assert peer.tap.take() == []


class LightMachine(RuleBasedStateMachine):
    """Half-open connections by their ends: each is found while it is there, whatever has come and gone beside it."""

    ends = st.tuples(st.integers(1, 300), st.integers(1, 3))

    def __init__(self) -> None:
        super().__init__()
        self.peer = Peer()
        self.peer.stack.listen(None, 80, backlog=10_000)
        self.answers: dict[tuple[int, int], int] = {}

    @rule(end=ends, count=st.sampled_from([1, 1, 60, 200]))
    def syn(self, end: tuple[int, int], count: int) -> None:
        for port in range(end[0], end[0] + count):
            self.peer.now += 5000
            (answer,) = knock(self.peer, port, host(end[1]))
            known = self.answers.setdefault((port, end[1]), answer.seq)
            assert answer.seq == known      # a new one would have a number of its own

    @precondition(lambda self: self.answers)
    @rule(seed=st.integers(0, 1 << 16), count=st.sampled_from([1, 100, 500]))
    def resets(self, seed: int, count: int) -> None:
        known = sorted(self.answers)
        for port, number in random.Random(seed).sample(known, min(count, len(known))):
            reset(self.peer, port, host(number))
            del self.answers[port, number]

    @rule(end=ends)
    def resets_what_may_not_be_there(self, end: tuple[int, int]) -> None:
        reset(self.peer, end[0], host(end[1]))
        self.answers.pop(end, None)

    @invariant()
    def they_are_as_many(self) -> None:
        assert self.peer.stack.half_open == len(self.answers)

    def teardown(self) -> None:
        """All of them end in time, and nothing is left."""
        self.peer.now += 200 * SECOND
        self.peer.take()
        for _ in range(10):
            self.peer.now += 64 * SECOND
            self.peer.take()
        assert self.peer.stack.half_open == 0
        self.peer.close()


TestLight = LightMachine.TestCase
TestLight.settings = settings(max_examples=30, stateful_step_count=25)
