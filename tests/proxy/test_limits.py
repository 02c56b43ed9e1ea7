"""ygg.proxy.limits: the defaults are bounds."""

from ygg.proxy import Keepalive, Limits


def test_all_is_bounded_by_default() -> None:
    limits = Limits()
    assert 0 < limits.per_source < limits.connections
    assert limits.idle
    assert limits.half_closed
    assert limits.keepalive == Keepalive()
    assert Keepalive().idle + Keepalive().count * Keepalive().interval <= 120
