"""Sessions over ways of long round trips settle, between nodes of ours and with one that does as the reference does."""

from __future__ import annotations

import functools
import random
from typing import Any

import pytest

from tests.c.reference_session import ReferenceTable
from tests.c.session_pair import START
from ygg.simulation import Conditions, PacketWire, Timeline
from ygg.testing import secret_key
from ygg_c.base.sodium import SeededRandom
from ygg_c.testing.sessions import SessionTap


class Way:
    """Two tables joined by a way that takes half a round trip each way; one or both ends send now and then."""

    def __init__(self, rtt: float, *, reference: bool = False, swap: bool = False, phase: float = 0.0) -> None:
        secrets = [secret_key(1), secret_key(2)]
        if swap:
            secrets.reverse()
        self.keys = [secret[32:] for secret in secrets]
        self.ends: list[Any] = [SessionTap(secrets[0], b"", SeededRandom(1))]
        self.ends.append(ReferenceTable(secrets[1]) if reference else SessionTap(secrets[1], b"", SeededRandom(2)))
        self.rtt, self.phase, self.swap = rtt, phase, swap
        self.timeline = Timeline()
        self.wires = [PacketWire(self.timeline, Conditions(delay=rtt / 2), random.Random(side),
                                 functools.partial(self._arrived, 1 - side)) for side in (0, 1)]
        """What leads away from each end."""
        self.sent, self.got = [0, 0], [0, 0]

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return self.timeline.time - 1

    def change(self, rtt: float) -> None:
        """Have the way take longer or less from now on."""
        self.rtt = rtt
        for wire in self.wires:
            wire.conditions = Conditions(delay=rtt / 2)

    def _arrived(self, side: int, message: bytes) -> None:
        self._tick()
        self.ends[side].feed(self.keys[1 - side], message)
        self._carry()

    def _talk(self, side: int, end: float, gap: float) -> None:
        self._tick()
        if self.now < end:
            self.ends[side].write(self.keys[1 - side], b"payload")
            self.sent[side] += 1
            self.timeline.after(gap, lambda: self._talk(side, end, gap))
        self._carry()

    def _tick(self) -> None:
        for end in self.ends:
            end.tick(self.timeline.now, START + int(self.now + self.phase))

    def _carry(self) -> None:
        for side, end in enumerate(self.ends):
            for _, message in end.messages():
                self.wires[side].send(message)
            self.got[side] += len(end.payloads())

    def run(self, seconds: float, talkers: tuple[int, ...], gap: float = 1.0) -> None:
        """Let the talkers send for so many seconds, and then what is on its way arrive."""
        end = self.now + seconds
        for talker in talkers:
            self._talk(talker, end, gap)
        self.timeline.run(seconds)
        while self.timeline.step(max(self.rtt, gap)):
            pass

    def take(self) -> list[int]:
        """How many payloads were lost on their way from each end since the last call."""
        lost = [self.sent[side] - self.got[1 - side] for side in (0, 1)]
        self.sent, self.got = [0, 0], [0, 0]
        return lost

    def close(self) -> None:
        for end in self.ends:
            end.close()


RTTS = [0.1, 0.5, 0.9, 1.1, 1.5, 2.0, 2.8, 3.5, 5.0, 8.0, 10.0]


@pytest.mark.parametrize("rtt", RTTS)
@pytest.mark.parametrize("talkers", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("phase", [0.0, 0.7])
def test_nothing_is_lost_between_nodes_of_ours(rtt: float, talkers: tuple[int, ...], phase: float) -> None:
    """However long the way is, every payload arrives from the first on, with a handful of handshakes."""
    way = Way(rtt, phase=phase)
    way.run(200, talkers)
    assert way.take() == [0, 0]
    for end in way.ends:
        counters = end.counters()
        assert counters["unknown_keys"] == 0
        assert counters["init_sent"] + counters["ack_sent"] <= 12
    way.close()


@pytest.mark.parametrize("rtt", [0.5, 1.1, 2.0, 2.8, 5.0, 10.0])
@pytest.mark.parametrize("talkers", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize(("swap", "phase"), [(False, 0.0), (True, 0.7)])
def test_sessions_with_the_reference_settle(
    rtt: float, talkers: tuple[int, ...], swap: bool, phase: float
) -> None:
    """A remote that sends an Init for each packet it cannot open, and steps at each Ack, settles with us too."""
    way = Way(rtt, reference=True, swap=swap, phase=phase)
    way.run(90, talkers)
    way.take()
    way.run(300, talkers)
    # Where we alone talk, the session lapses each minute, as nothing comes back; where both do so in step they may
    # roll their keys at the same moment.
    assert sum(way.take()) <= {(0,): 60, (1,): 0, (0, 1): 40}[talkers]
    way.close()


@pytest.mark.parametrize("reference", [False, True])
def test_a_way_that_grows_long(reference: bool) -> None:
    """A session made over a short way goes on over a long one."""
    way = Way(0.01, reference=reference)
    way.run(10, (0, 1))
    way.take()
    way.change(2.5)
    way.run(120, (0, 1))
    way.take()
    way.run(300, (0, 1))
    assert sum(way.take()) <= (40 if reference else 0)
    way.close()


@pytest.mark.parametrize("reference", [False, True])
@pytest.mark.parametrize("talkers", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("rtt", [0.1, 1.1, 2.8, 5.0, 10.0])
def test_a_restart_over_a_long_way(rtt: float, talkers: tuple[int, ...], reference: bool) -> None:
    """A remote that is restarted twice, while packets for its old self are on their way, settles with us again."""
    way = Way(rtt, reference=reference)
    for life in (1, 2):
        way.run(100, talkers)
        way.ends[1].close()
        secret = secret_key(2)
        way.ends[1] = ReferenceTable(secret, life) if reference else SessionTap(secret, b"", SeededRandom((2, life)))
    way.run(90, talkers)
    way.take()
    way.run(300, talkers)
    assert sum(way.take()) <= ({(0,): 60, (1,): 0, (0, 1): 40}[talkers] if reference else 0)
    way.close()


@pytest.mark.parametrize("rtt", [0.1, 2.0, 10.0])
def test_handshakes_stay_rare(rtt: float) -> None:
    """Ten payloads a second both ways for ten minutes take a few handshakes, no more of them the longer the way is."""
    way = Way(rtt)
    way.run(600, (0, 1), gap=0.1)
    assert way.take() == [0, 0]
    assert sum(end.counters()[name] for end in way.ends for name in ("init_sent", "ack_sent")) <= 12
    way.close()
