"""The yardstick: CUBIC (RFC 9438) with HyStart++ (RFC 9406) that knows of each loss when its ACK would have come.

It is written from the RFCs and shares nothing with the engine. It never sends a copy, knows no timeout, acknowledges
each packet, and has no application that could be late.
"""

import heapq
import math

from .flows import STAGGER, Figures, jain
from .link import MS, SECOND, Cell, Direction

C, BETA = 0.4, 0.7
ALPHA = 3 * (1 - BETA) / (1 + BETA)
HEADERS = 72            # IPv6, TCP, timestamps
FIRST_BYTES = 14600     # of RFC 6928
NEVER = math.inf


class HyStart:
    """When slow start is to slow down, and when it is over."""

    def __init__(self) -> None:
        self._round_end, self._samples, self._css_rounds = 0, 0, 0
        self._least = self._last_least = self._baseline = NEVER

    def acked(self, number: int, sent: int, rtt: float) -> float:
        """Return what the growth for an ACK is divided by; infinity: slow start is over."""
        self._least = min(self._least, rtt)
        self._samples += 1
        if self._samples >= 8:
            self._judge()
        if number >= self._round_end:
            self._css_rounds += self._baseline < NEVER
            self._last_least, self._least, self._samples, self._round_end = self._least, NEVER, 0, sent
        if self._css_rounds == 5:
            return NEVER
        return 4 if self._baseline < NEVER else 1

    def _judge(self) -> None:
        rise = max(4 * MS, min(self._last_least / 8, 16 * MS))
        if self._baseline < NEVER:
            if self._least < self._baseline:
                self._baseline, self._css_rounds = NEVER, 0
        elif self._last_least < NEVER and self._least >= self._last_least + rise:
            self._baseline = self._least


class Flow:
    """One sender. Windows are segments."""

    def __init__(self, mtu: int) -> None:
        self.cwnd = float(min(10, max(2, FIRST_BYTES // (mtu - HEADERS))))
        self.ssthresh = NEVER
        self.in_flight, self.sent, self.owed = 0, 0, 0      # `owed`: lost, and not sent again
        self.delivered = self.late = 0
        self._recover = 0
        self._peak = self._prior = self._estimate = self._k = 0.0
        self._epoch: int | None = None
        self._hystart = HyStart()

    def acked(self, now: int, number: int, rtt: float) -> None:
        """Packet `number` arrived."""
        self.in_flight -= 1
        self.delivered += 1
        if number < self._recover:
            return
        if self.cwnd < self.ssthresh:
            divisor = self._hystart.acked(number, self.sent, rtt) if self.ssthresh == NEVER else 1
            self.cwnd += 1 / divisor
            if divisor == NEVER:
                self.ssthresh = self.cwnd
        else:
            self._climb(now, rtt / SECOND)

    def _climb(self, now: int, rtt: float) -> None:
        if self._epoch is None:
            self._epoch, self._estimate = now, self.cwnd
            self._peak = max(self._peak, self.cwnd)
            self._k = math.cbrt((self._peak - self.cwnd) / C)
        elapsed = (now - self._epoch) / SECOND
        self._estimate += (ALPHA if self._estimate < self._prior else 1) / self.cwnd
        if C * (elapsed - self._k) ** 3 + self._peak < self._estimate:
            self.cwnd = max(self.cwnd, self._estimate)
        else:
            target = C * (elapsed + rtt - self._k) ** 3 + self._peak
            self.cwnd += (min(max(target, self.cwnd), 1.5 * self.cwnd) - self.cwnd) / self.cwnd

    def lost(self, number: int) -> None:
        """Packet `number` did not arrive."""
        self.in_flight -= 1
        self.owed += 1
        if number < self._recover:
            return
        self._recover = self.sent
        self._peak = self.cwnd * (1 + BETA) / 2 if self.cwnd < self._peak else self.cwnd
        self._prior = self.cwnd
        self.cwnd = self.ssthresh = max(self.cwnd * BETA, 2.0)
        self._epoch = None

    def leaves(self) -> int | None:
        """Return the number of the packet that may leave now; None: none may."""
        if self.in_flight >= int(self.cwnd):
            return None
        self.owed -= self.owed > 0
        self.in_flight += 1
        self.sent += 1
        return self.sent - 1


def run(cell: Cell, seed: object = 1) -> Figures:
    """Let a cell's time pass with ideal senders."""
    there, back = Direction(cell, lossy=True, seed=seed), cell.rtt * SECOND / 2
    flows = [Flow(cell.mtu) for _ in range(cell.flows)]
    end = int(cell.seconds * SECOND)
    # (when it is known, counter, flow, number of the packet, when it was sent, whether it arrived); number -1: a start.
    events = [(int(number * STAGGER * SECOND), number, number, -1, 0, True) for number in range(cell.flows)]
    count, resent = len(events), 0
    while events:
        now, _, which, number, left, arrived = heapq.heappop(events)
        if now >= end:
            break
        flow = flows[which]
        if number >= 0 and arrived:
            flow.acked(now, number, now - left)
            flow.late += now >= end / 2
        elif number >= 0:
            flow.lost(number)
        owed = flow.owed
        while (next_ := flow.leaves()) is not None:
            arrival, arrives = there.enter(now, cell.mtu)
            count += 1
            heapq.heappush(events, (int(arrival + back), count, which, next_, now, arrives))
        resent += owed - flow.owed
    payload = (cell.mtu - HEADERS) * 8
    return Figures(
        goodput=sum(flow.delivered for flow in flows) * payload / cell.seconds / cell.rate,
        resent=resent / there.sent, copies=0.0, timeouts=0, jain=jain([flow.late for flow in flows]),
    )
