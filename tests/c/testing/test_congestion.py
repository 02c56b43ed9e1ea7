"""ygg_c.testing.congestion: an algorithm with Python in the sender's place."""

import pytest

from ygg_c.testing.congestion import CongestionTap


def test_what_is_told_reaches_the_algorithm() -> None:
    tap = CongestionTap("newreno", 1000, 4)
    assert (tap.cwnd, tap.ssthresh, tap.pacing_rate) == (4000, 2**62, 0)
    tap.sent(0, 1000, 4000)
    tap.acked(1, 1000, in_flight=3000, rtt=1)
    assert tap.cwnd == 5000
    tap.lost(1000, 5000, 2)
    assert tap.ssthresh == 2500
    tap.undone(3)
    assert tap.cwnd == 5000
    tap.timed_out(5000, True, 4)
    assert tap.cwnd == 1000


def test_the_window_can_be_set_and_goes_to_another() -> None:
    tap = CongestionTap("cubic", 1000)
    tap.cwnd = 77_000
    other = CongestionTap("newreno", 500)
    other.follow(tap)
    assert other.cwnd == 77_000
    assert isinstance(tap.info(), dict)


def test_names_are_checked() -> None:
    with pytest.raises(ValueError, match="none such"):
        CongestionTap("none such", 1000)
    with pytest.raises(TypeError):
        CongestionTap("cubic", 1000).follow(None)   # type: ignore[arg-type]
