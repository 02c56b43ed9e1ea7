"""Links over slow wires between namespaces, in real time, beside the kernel's own TCP on the same wire."""

import os
import time

import pytest

from tests.kernel.namespace import obstacle
from wires import grid, systems
from wires.ends import SLOT
from wires.grid import Figures
from wires.wire import Wire

REASON = obstacle()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.interop,
    pytest.mark.skipif(bool(REASON) and not os.environ.get("CI"), reason=REASON),
]
WIRE = Wire(rate=10, rtt=40)
SECONDS = 6.0
SEGMENT = 12500 * 8 / 10e3
"""ms that the largest segment of ours takes on it."""
BUSY = 20.0
"""ms that a machine with other things to do may add."""


@pytest.fixture(scope="module")
def plain() -> Figures:
    """The kernel's TCP on the wire."""
    return grid.measure(systems.KERNEL, WIRE, SECONDS)


@pytest.mark.parametrize(
    ("scheme", "share"),
    # QUIC is a Python library, which has a congestion control of its own.
    [("tls", 0.94), ("ws", 0.94), ("quic", 0.7)],
)
def test_links_of_each_kind_keep_their_queues_short_and_the_wire_full(plain: Figures, scheme: str, share: float):
    found = grid.measure(systems.ygg(scheme), WIRE, SECONDS)
    assert found.goodput >= share * plain.goodput
    most = plain.ping + 30 + SEGMENT + BUSY
    assert found.ping <= most
    assert found.request <= most
    assert found.lost == 0
    assert found.ping_late <= 2 * most
    assert found.request_late <= 2 * most


def test_with_small_packets_pings_wait_for_little_but_the_wire(plain: Figures):
    """Of which the headers of session and route take an eighth."""
    found = grid.measure(systems.ygg("tcp", 1500), WIRE, SECONDS)
    assert found.goodput >= 0.85 * plain.goodput
    assert found.ping <= plain.ping + 15
    assert found.lost == 0


def test_short_transfers_take_no_longer_than_over_the_wire_itself():
    kernel, ours = (grid.short(system, WIRE) for system in (systems.KERNEL, systems.ygg()))
    for plain, found in zip(kernel, ours, strict=True):
        assert found <= 1.1 * plain + BUSY


def test_flows_to_two_nodes_share_a_wire_evenly(plain: Figures):
    found = grid.shared(systems.ygg(), WIRE, SECONDS)
    assert found.jain >= 0.97
    assert found.first + found.second >= 0.94 * plain.goodput
    assert found.ping <= plain.ping + 30 + 2 * SEGMENT + BUSY


@pytest.mark.parametrize("seconds", [1.0, 7.0])
def test_a_transfer_goes_on_when_the_wire_does(seconds: float):
    """Whether the link has outlived the cut or not; at the other end it may end later, and nobody tells it."""
    with systems.pair(systems.ygg(), WIRE, kept=True) as ends:
        sink = ends.other.ask("sink")
        grid.reach(ends.one, ends.other_host, ends.other.ask("answer"))
        bulk = ends.one.begin("bulk", host=ends.other_host, port=sink, seconds=8 + seconds)
        time.sleep(3)
        ends.wire.cut()
        time.sleep(seconds)
        ends.wire.mend()
        mended = time.monotonic()
        bulk.result(30)
        slots = ends.other.ask("arrived", port=sink)
        silence = min(int(slot) * SLOT for slot in slots if int(slot) * SLOT > mended) - mended
        assert silence <= 1.5 + 2 * WIRE.rtt / 1000 + SLOT
        assert grid.rate(slots, mended + 2.5, mended + 4.5) > 0.8 * WIRE.rate


def test_a_wire_of_one_megabit_full_both_ways_keeps_its_link():
    """For longer than a link may be silent, many times over."""
    found = grid.shared(systems.ygg(), Wire(rate=1, rtt=40, buffer=4), 14.0, both_ways=True)
    assert found.uptime >= 14.0
    assert found.first > 0.5
    assert found.second > 0.5
