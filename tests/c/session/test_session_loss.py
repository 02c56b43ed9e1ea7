"""Sessions open although a handshake is lost or an end starts anew, between ours and with one like the reference."""

from __future__ import annotations

from typing import Any

import pytest

from tests.c.reference_session import ACK, INIT, TRAFFIC, ReferenceTable
from ygg.testing import secret_key
from ygg_c.base.sodium import SeededRandom
from ygg_c.testing.sessions import SessionTap

from .test_patience import Way

RTTS = [0.1, 0.5, 1.0, 2.0, 5.0]


class Mishap(Way):
    """A way on which the n-th message of a kind from one end is lost, or is followed by the restart of an end."""

    def __init__(self, rtt: float, *, lose: tuple[int, int, int] | None = None,
                 restart: tuple[int, int, int, int] | None = None, **options: Any) -> None:
        super().__init__(rtt, **options)
        self.reference = options.get("reference", False)
        self.lose, self.restart = lose, restart
        self.seen: dict[tuple[int, int], int] = {}
        self.first: list[float | None] = [None, None]
        """When the first payload arrived at an end, since something last went wrong."""
        self.wrong = 0.0

    def _carry(self) -> None:
        for side, end in enumerate(self.ends):
            for _, message in end.messages():
                self._leave(side, message)
            self._take(side, len(end.payloads()))

    def _leave(self, side: int, message: bytes) -> None:
        count = self.seen[side, message[0]] = self.seen.get((side, message[0]), 0) + 1
        if (side, message[0], count) == self.lose:
            self.wrong = self.now
            return
        self.wires[side].send(message)
        if self.restart and (side, message[0], count) == self.restart[:3]:
            self._begin_anew(self.restart[3])

    def _begin_anew(self, side: int) -> None:
        secret = secret_key(1 if (side == 0) != self.swap else 2)
        self.ends[side].close()
        self.ends[side] = (ReferenceTable(secret, "again") if self.reference and side
                           else SessionTap(secret, b"", SeededRandom(("again", side))))
        self._tick()
        self.wrong, self.first = self.now, [None, None]

    def _take(self, side: int, count: int) -> None:
        self.got[side] += count
        if count and self.first[side] is None:
            self.first[side] = self.now

    def late(self, talkers: tuple[int, ...]) -> float:
        """How long after the mishap every talker's payloads have begun to arrive."""
        times = [self.first[1 - talker] for talker in talkers]
        return max(float("inf") if time is None else time for time in times) - self.wrong


def late(talkers: tuple[int, ...], rtt: float, **options: Any) -> float:
    way = Mishap(rtt, **options)
    way.run(40, talkers)
    try:
        return way.late(talkers)
    finally:
        way.close()


@pytest.mark.parametrize("rtt", RTTS)
@pytest.mark.parametrize("talkers", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("reference", [True, False])
@pytest.mark.parametrize("swap", [True, False])
@pytest.mark.parametrize("kind", [INIT, ACK])
@pytest.mark.parametrize("side", [0, 1])
def test_a_handshake_that_is_lost_costs_seconds(rtt: float, talkers: tuple[int, ...], reference: bool, swap: bool,
                                                kind: int, side: int) -> None:
    """Who has something to send repeats what was lost a second later."""
    assert late(talkers, rtt, reference=reference, swap=swap, lose=(side, kind, 1)) <= 3.6 + 2 * rtt


@pytest.mark.parametrize("rtt", RTTS)
@pytest.mark.parametrize("talkers", [(0,), (1,), (0, 1)])
@pytest.mark.parametrize("reference", [True, False])
@pytest.mark.parametrize("restarted", [0, 1])
@pytest.mark.parametrize("kind", [INIT, ACK, TRAFFIC])
@pytest.mark.parametrize("side", [0, 1])
def test_an_end_that_starts_anew_costs_round_trips(rtt: float, talkers: tuple[int, ...], reference: bool,
                                                   restarted: int, kind: int, side: int) -> None:
    """Whatever was under way just then, to it or from it."""
    assert late(talkers, rtt, reference=reference, restart=(side, kind, 1, restarted)) <= 4 + 5.5 * rtt
