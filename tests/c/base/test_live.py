"""The counts of live engine objects, and the test suite's own check for what is left behind."""

import gc
from collections.abc import Callable

import pytest

from ygg_c.base import live
from ygg_c.io import pump
from ygg_c.ip.layer import Upper
from ygg_c.link.link import Link
from ygg_c.node import gateway
from ygg_c.node.node import Node
from ygg_c.stack import netstack
from ygg_c.testing.packets import PacketTap


def test_every_kind_is_counted() -> None:
    """Each kind the engine has is named once its module is imported, and none is negative."""
    assert gateway
    assert netstack
    assert pump
    counts = live.counts()
    assert {"node", "link", "session", "gateway", "stack", "tcp", "listener", "udp", "pump", "packet"} <= counts.keys()
    assert all(count >= 0 for count in counts.values())


@pytest.mark.parametrize("make", [
    lambda: Node("no secret"), lambda: Node(b"short"), lambda: Node(bytes(64), random=3),  # type: ignore[arg-type]
    lambda: Link(1, 2, 3, 4, 5),  # type: ignore[call-arg]
    lambda: netstack.NetStack([b"short"]), lambda: gateway.Gateway(None),
])
def test_what_could_not_be_made_is_not_counted_when_it_goes(make: Callable[[], object]) -> None:
    """Else it would make up for one that is left behind."""
    before = live.counts()
    with pytest.raises((TypeError, ValueError)):
        make()
    gc.collect()
    assert live.counts() == before


def test_counts_are_a_copy() -> None:
    """What live() returned earlier does not change."""
    counts = live.counts()
    counts["node"] += 1
    assert live.counts()["node"] == counts["node"] - 1


def test_an_idle_tap_holds_no_packet() -> None:
    """Creating and dropping a tap takes nothing from the pool."""
    before = live.counts()
    tap = PacketTap(Upper())
    assert live.counts() == before
    tap.detach()
