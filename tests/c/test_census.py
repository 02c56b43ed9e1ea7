"""The counts of live engine objects, and the test suite's own check for what is left behind."""

from ygg_c import census
from ygg_c.packetio import PacketTap, Upper


def test_every_kind_is_counted() -> None:
    """Each kind the engine has is named, and none is negative."""
    counts = census.live()
    assert {"node", "link", "session", "gateway", "stack", "tcp", "listener", "udp", "pump", "packet"} <= counts.keys()
    assert all(count >= 0 for count in counts.values())


def test_counts_are_a_copy() -> None:
    """What live() returned earlier does not change."""
    counts = census.live()
    counts["node"] += 1
    assert census.live()["node"] == counts["node"] - 1


def test_an_idle_tap_holds_no_packet() -> None:
    """Creating and dropping a tap takes nothing from the pool."""
    before = census.live()
    tap = PacketTap(Upper())
    assert census.live() == before
    tap.detach()
