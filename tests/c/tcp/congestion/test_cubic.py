"""ygg_c.tcp.congestion.cubic, against the formulas of RFC 9438."""

import pytest

from tests.c.stackkit import MS, SECOND
from ygg_c.testing.congestion import CongestionTap

MSS = 1000
C, BETA = 0.4, 0.7
ALPHA = 3 * (1 - BETA) / (1 + BETA)


class Flow:
    """A connection in congestion avoidance that always has something to send, in segments and seconds."""

    def __init__(self, window: float, rtt: float, mss: int = MSS) -> None:
        self.tap = CongestionTap("cubic", mss)
        self.mss, self.rtt, self.now = mss, rtt, 10 * SECOND
        self.tap.cwnd = round(window * mss)
        self.lose()

    @property
    def window(self) -> float:
        return self.tap.cwnd / self.mss

    def lose(self) -> None:
        """A loss, and a recovery that takes no time."""
        self.tap.lost(self.mss, self.tap.cwnd, self.now)
        self.tap.cwnd = self.tap.ssthresh
        self.tap.recovered(self.tap.cwnd, self.now)

    def run(self, seconds: float, segments: int = 1, limited: bool = True) -> None:
        """Let ACKs come for `seconds`, each for so many segments, a window of them in each round trip."""
        end = self.now + int(seconds * SECOND)
        while self.now < end:
            self.tap.acked(self.now, segments * self.mss, srtt=int(self.rtt * SECOND), cwnd_limited=limited)
            self.now += int(self.rtt * SECOND * segments * self.mss / self.tap.cwnd)


def k(peak: float, window: float) -> float:
    """Seconds until the curve reaches its peak (RFC 9438, figure 2)."""
    return float(((peak - window) / C) ** (1 / 3))


def curve(seconds: float, peak: float, window: float) -> float:
    """The window after so many seconds (RFC 9438, figure 1)."""
    return C * (seconds - k(peak, window)) ** 3 + peak


@pytest.mark.parametrize("segments", [1, 2, 8])
@pytest.mark.parametrize(
    ("peak", "rtt", "mss"), [(1000, 0.1, 1000), (1000, 0.3, 1000), (200, 0.2, 1440), (300, 0.1, 65463)],
)
def test_the_window_follows_the_cubic_curve_whatever_the_round_trip(peak, rtt, mss, segments) -> None:
    flow = Flow(peak, rtt, mss)
    assert flow.window == pytest.approx(peak * BETA, abs=0.01)
    for second in range(1, 2 * round(k(peak, peak * BETA))):
        flow.run(1, segments)
        assert flow.window == pytest.approx(curve(second, peak, peak * BETA), rel=0.015), second
    assert flow.tap.info()["w_max"] == pytest.approx(peak * mss, rel=0.001)
    assert flow.tap.info()["k"] == pytest.approx(k(peak, peak * BETA), rel=0.001)


def test_the_window_grows_by_half_in_a_round_trip_at_most() -> None:
    flow = Flow(1000, 2.0)
    flow.run(2 * k(1000, 700))
    for _ in range(5):
        before = flow.window
        flow.run(2.0)
        assert before < flow.window <= 1.51 * before


@pytest.mark.parametrize(("window", "rtt"), [(10, 0.05), (20, 0.02), (100, 0.005)])
def test_it_grows_as_newreno_would_where_that_is_faster(window: int, rtt: float) -> None:
    """W_est: ALPHA segments for each round trip until the former window is reached, then one (RFC 9438, 4.3)."""
    flow = Flow(window, rtt)
    start = flow.window
    rounds = (window - start) / ALPHA
    flow.run(rounds * rtt / 2)
    assert flow.window == pytest.approx(start + ALPHA * rounds / 2, abs=0.3)
    flow.run(rounds * rtt / 2)
    assert flow.window == pytest.approx(window, abs=0.5)
    flow.run(4 * rtt)
    assert flow.window == pytest.approx(window + 4, abs=0.6)


def test_who_loses_below_the_former_peak_makes_room() -> None:
    """Fast convergence (RFC 9438, 4.7)."""
    flow = Flow(1000, 0.1)
    assert flow.tap.info()["w_max"] == 1000 * MSS
    flow.run(1)
    window = flow.window
    flow.lose()
    assert flow.tap.info()["w_max"] == pytest.approx(window * (1 + BETA) / 2 * MSS)
    flow.run(20)
    window = flow.window
    assert window > 1000
    flow.lose()
    assert flow.tap.info()["w_max"] == pytest.approx(window * MSS)


# A window of 100 segments is in use when no further one fits in.
@pytest.mark.parametrize(
    ("in_flight", "threshold"), [(100, 70), (99.5, 70), (99, 69.3), (50, 35), (200, 70), (2, 2), (0, 2)],
)
def test_a_loss_keeps_seven_tenths_of_what_is_in_flight(in_flight: float, threshold: float) -> None:
    tap = CongestionTap("cubic", MSS)
    tap.cwnd = 100 * MSS
    tap.lost(MSS, int(in_flight * MSS), 0)
    assert tap.ssthresh == pytest.approx(threshold * MSS, abs=1)
    tap.recovered(200 * MSS, 0)
    assert tap.cwnd == tap.ssthresh


def test_after_a_timeout_the_curve_begins_where_slow_start_ends() -> None:
    """W_max is the window of that moment and K is 0 (RFC 9438, 4.8)."""
    flow = Flow(100, 0.1)
    flow.tap.timed_out(70 * MSS, True, flow.now)
    assert (flow.window, flow.tap.ssthresh) == (1, 49 * MSS)
    flow.tap.cwnd = 49 * MSS
    flow.run(3)
    assert flow.tap.info()["k"] == 0
    assert flow.tap.info()["w_max"] == 49 * MSS
    assert flow.window == pytest.approx(max(49 + C * 27, 49 + ALPHA * 30), rel=0.02)


def test_a_second_timeout_for_the_same_data_reduces_nothing_more() -> None:
    flow = Flow(100, 0.1)
    flow.tap.timed_out(70 * MSS, True, flow.now)
    flow.tap.timed_out(MSS, False, flow.now)
    assert flow.tap.ssthresh == 49 * MSS


@pytest.mark.parametrize("event", ["lost", "timed_out"])
def test_a_spurious_loss_leaves_the_curve_as_if_nothing_had_been(event: str) -> None:
    """RFC 9438, 4.9."""
    flow, other = Flow(500, 0.1), Flow(500, 0.1)
    for each in (flow, other):
        each.run(3)
    if event == "lost":
        flow.lose()
    else:
        flow.tap.timed_out(flow.tap.cwnd, True, flow.now)
    assert flow.window < 0.8 * other.window
    flow.tap.undone(flow.now)
    assert (flow.tap.cwnd, flow.tap.ssthresh, flow.tap.info()) == (other.tap.cwnd, other.tap.ssthresh, other.tap.info())
    for each in (flow, other):
        each.run(5)
    assert flow.window == pytest.approx(other.window, rel=0.001)
    flow.tap.cwnd = 10 * MSS
    flow.tap.undone(flow.now)
    assert flow.window == 10


def test_a_mark_keeps_more_than_a_loss_and_is_never_undone() -> None:
    """RFC 8511: 0.85."""
    flow = Flow(100, 0.1)
    flow.tap.ecn(flow.tap.cwnd, flow.now)
    assert flow.window == pytest.approx(70 * 0.85)
    flow.tap.undone(flow.now)
    assert flow.window == pytest.approx(70 * 0.85)


def test_a_mark_in_slow_start_costs_as_much_as_a_loss() -> None:
    tap = CongestionTap("cubic", 100)
    tap.cwnd = 4000
    tap.ecn(4000, SECOND)
    assert tap.cwnd == tap.ssthresh == 2800


def test_time_in_which_the_window_was_not_the_limit_does_not_count() -> None:
    """RFC 9438, 4.2: without that the window would leap after an application's pause."""
    flow = Flow(1000, 0.1)
    flow.run(3)
    before = flow.window
    flow.run(30, limited=False)
    assert flow.window == pytest.approx(before, abs=1)
    flow.run(2)
    assert flow.window == pytest.approx(curve(5, 1000, 700), rel=0.02)


def test_a_short_pause_does_not_count_either() -> None:
    flow = Flow(1000, 0.1)
    flow.run(3)
    flow.now += SECOND
    flow.tap.idle(SECOND, 2 * SECOND, flow.now)
    flow.run(2)
    assert flow.window == pytest.approx(curve(5, 1000, 700), rel=0.02)


def test_a_pause_longer_than_what_went_before_starts_the_curve_anew() -> None:
    flow = Flow(1000, 0.1)
    flow.run(0.2)
    flow.now += SECOND
    flow.tap.idle(5 * SECOND, 6 * SECOND, flow.now)
    flow.run(1)
    assert flow.window == pytest.approx(curve(1, 1000, 700), rel=0.02)


def test_a_long_pause_shrinks_the_window_and_the_curve_starts_from_there() -> None:
    flow = Flow(1000, 0.1)
    flow.run(3)
    window = flow.window
    flow.now += SECOND
    flow.tap.idle(SECOND, 900 * MS, flow.now)
    assert flow.window == pytest.approx(window / 2, rel=0.01)
    assert flow.tap.ssthresh == pytest.approx(max(700, window * 3 / 4) * MSS, rel=0.01)
    flow.tap.cwnd = flow.tap.ssthresh
    start = flow.window
    flow.run(2)
    assert flow.window == pytest.approx(curve(2, 1000, start), rel=0.02)


def test_an_ack_lets_slow_start_grow_by_eight_segments_at_most_and_by_one_after_a_timeout() -> None:
    """RFC 9406, 4.3: L = 8 where segments are not paced."""
    tap = CongestionTap("cubic", MSS)
    tap.acked(0, 40 * MSS)
    assert tap.cwnd == 18 * MSS
    tap.timed_out(18 * MSS, True, 0)
    tap.acked(0, 40 * MSS, after_timeout=True)
    assert tap.cwnd == 2 * MSS


def test_newreno_can_take_its_place_and_it_newrenos() -> None:
    flow = Flow(100, 0.1)
    flow.run(1)
    other = CongestionTap("newreno", MSS)
    other.follow(flow.tap)
    assert (other.cwnd, other.ssthresh) == (flow.tap.cwnd, flow.tap.ssthresh)
    flow.tap.follow(other)
    before = flow.window
    flow.run(2)
    assert flow.window == pytest.approx(before + 20, abs=1)      # nothing was lost: a segment for each round trip
