"""The estimator as a Python object; what it estimates is tested in tests/c/tcp/test_rtt.py."""

from ygg_c.testing.estimators import RttEstimator

MS = 1_000_000


def test_its_figures_are_those_of_one_connection() -> None:
    estimator, other = RttEstimator(), RttEstimator()
    assert (estimator.smoothed, estimator.variance, estimator.least) == (0, 0, 0)
    assert estimator.timeout() == 1000 * MS
    estimator.sample(100 * MS, now=0)
    assert (estimator.smoothed, estimator.variance, estimator.least) == (100 * MS, 50 * MS, 100 * MS)
    assert estimator.timeout() == 300 * MS
    estimator.back_off()
    assert (estimator.timeout(), estimator.timeout(ceiling=500 * MS)) == (600 * MS, 500 * MS)
    assert other.smoothed == 0
