"""Forwarding: who gets a packet next, and what becomes of one that nobody can take."""

import pytest

from tests.c.farside import ANNOUNCE, BROKEN, MAX, TRAFFIC, Clock, FarSide, announce
from ygg.testing import public_key, secret_key

S, D = b"\x51" * 32, b"\x52" * 32


def child(clock: Clock, number: int, priority: int = 0, rtt: float = 0.001) -> FarSide:
    """Return a neighbour that has the router as parent."""
    far = FarSide(clock, number, priority, rtt=rtt)
    far.become_child()
    far.frames.clear()
    return far


def traffic(path, watermark=MAX, dest=D, origin=(1, 3), payload=b"payload"):
    """Return the fields of a Traffic message."""
    keys = {"source": S, "dest": dest}
    return {"path": list(path), "from": list(origin), **keys, "watermark": watermark, "payload": payload}


def test_traffic_goes_to_the_nearest(clock):
    """The watermark becomes our distance, everything else stays."""
    first, second = child(clock, 3), child(clock, 4)
    first.send(TRAFFIC, **traffic([second.link.port, 9, 8]))
    assert second.got(TRAFFIC) == [traffic([second.link.port, 9, 8], watermark=3)]
    assert first.got(TRAFFIC) == []
    assert clock.router.counters()["forwarded"] == 1


def test_no_progress_no_forwarding(clock):
    """A watermark that is not above our distance stops the packet; the source is told."""
    first, second = child(clock, 3), child(clock, 4)
    first.send(TRAFFIC, **traffic([second.link.port], watermark=1, origin=[first.link.port]))
    assert second.got(TRAFFIC) == []
    assert first.got(BROKEN) == [{"path": [first.link.port], "watermark": 1, "source": S, "dest": D}]


def test_a_neighbour_of_another_tree_attracts_nothing(clock):
    """Each that has just started is a root of its own, and its link may be the quicker: packets go on by our tree."""
    smallest, next_to_it = sorted(range(3, 20), key=lambda number: public_key(number))[:2]
    assert public_key(next_to_it) < clock.router.key
    parent = FarSide(clock, smallest, rtt=0.05)
    parent.become_root()
    clock.pass_time(2)
    parent.answer()
    clock.pass_time(2)
    assert clock.router.root == parent.key
    alone = FarSide(clock, max(range(3, 20), key=lambda number: public_key(number)), rtt=0.001)
    alone.become_root()
    below = child(clock, next_to_it, rtt=0.01)
    below.send(TRAFFIC, **traffic([77]))
    assert alone.got(TRAFFIC) == []
    assert parent.got(TRAFFIC) == [traffic([77], watermark=2)]


def test_a_neighbour_of_another_tree_is_better_than_none(clock):
    """While roots differ, as after a start, packets go where its coordinates say."""
    other = FarSide(clock, 4)
    root = secret_key(max(range(5, 60), key=lambda number: public_key(number)))
    other.send(ANNOUNCE, **announce(root, root, 1, 5, 0))
    other.send(ANNOUNCE, **announce(other.secret, root, 1, 5, 9))
    far = child(clock, 3)
    far.send(TRAFFIC, **traffic([9, 8]))
    assert other.got(TRAFFIC) == [traffic([9, 8], watermark=2)]


def test_delivery_is_by_key_once_routing_has_ended(clock):
    """Whatever path is left over."""
    far = child(clock, 3)
    far.send(TRAFFIC, **traffic([99], dest=clock.router.key))
    assert clock.router.take_delivered() == [(S, b"payload")]
    far.send(TRAFFIC, **traffic([], dest=clock.router.key, payload=b""))
    assert clock.router.take_delivered() == [(S, b"")]


def test_a_packet_for_us_on_its_way_elsewhere_goes_on(clock):
    """Greedy routing comes first."""
    first, second = child(clock, 3), child(clock, 4)
    first.send(TRAFFIC, **traffic([second.link.port], dest=clock.router.key))
    assert clock.router.take_delivered() == []
    assert len(second.got(TRAFFIC)) == 1


def test_the_example_of_the_protocol():
    """A node at [1] with traffic for [1,99] from [1,3] tells [1,3], with watermark 1."""
    clock = Clock(2)
    root = FarSide(clock, 8, port=1)
    root.become_root()
    clock.pass_time(1)
    root.answer()
    assert clock.router.coords == [1]
    sides = [child(clock, number) for number in (3, 4)]
    assert sides[1].link.port == 3
    root.send(TRAFFIC, **traffic([1, 99], origin=[1, 3]))
    assert sides[1].got(BROKEN) == [{"path": [1, 3], "watermark": 1, "source": S, "dest": D}]
    clock.close()


def test_broken_messages_are_throttled(clock):
    """Ten a second for each source and destination."""
    far = child(clock, 3)
    for _ in range(100):
        far.send(TRAFFIC, **traffic([99], origin=[far.link.port]))
    assert len(far.got(BROKEN)) == 1
    far.send(TRAFFIC, **{**traffic([99], origin=[far.link.port]), "source": D})
    assert len(far.got(BROKEN)) == 1
    clock.pass_time(0.1)
    far.send(TRAFFIC, **traffic([99], origin=[far.link.port]))
    assert len(far.got(BROKEN)) == 1
    assert clock.router.counters()["unroutable"] == 102


def test_cost_times_distance_decides(clock):
    """A slow link all the way beats a fast one half way when it costs less per remaining hop."""
    slow, fast = child(clock, 3, rtt=0.050), child(clock, 4, rtt=0.010)
    target = [slow.link.port, 7]
    # fast knows a shortcut: it is the target's sibling in coordinates only.
    assert fast.link.cost < slow.link.cost
    fast.send(TRAFFIC, **traffic(target))
    assert len(slow.got(TRAFFIC)) == 1


def test_shortcuts_are_taken(clock):
    """A neighbour elsewhere in the tree is a next hop when it is nearer, whatever the tree says."""
    root = FarSide(clock, 8)
    root.become_root()
    clock.pass_time(1)
    root.answer()
    side = FarSide(clock, 3)
    side.send(ANNOUNCE, **announce(side.secret, root.secret, 1, 1, 77))
    side.frames.clear()
    root.send(TRAFFIC, **traffic([77, 5]))
    assert len(side.got(TRAFFIC)) == 1


def test_priority_chooses_between_links_to_one_neighbour(clock):
    """The lower number wins, whatever the cost; with equal priority the cheaper."""
    preferred, other = child(clock, 3, priority=1, rtt=0.080), FarSide(clock, 3, priority=2, rtt=0.001)
    source = child(clock, 4)
    source.send(TRAFFIC, **traffic([preferred.link.port]))
    assert (len(preferred.got(TRAFFIC)), len(other.got(TRAFFIC))) == (1, 0)
    cheap = FarSide(clock, 3, priority=1, rtt=0.002)
    source.send(TRAFFIC, **traffic([preferred.link.port]))
    assert (len(preferred.got(TRAFFIC)), len(cheap.got(TRAFFIC))) == (0, 1)
    cheap.link.close()
    preferred.link.close()
    source.send(TRAFFIC, **traffic([other.link.port]))
    assert len(other.got(TRAFFIC)) == 1


@pytest.mark.parametrize("size", [0, 1, 1400, 9000, 65535, 130000])
@pytest.mark.parametrize("depth", [1, 40, 600])
def test_sizes_and_depths(clock, size, depth):
    """Packets of any size over paths of any length are forwarded byte for byte."""
    source, sink = child(clock, 3), child(clock, 4)
    path = [sink.link.port, *range(1, depth)]
    payload = bytes(range(256)) * 600
    message = traffic(path, payload=payload[:size])
    if size + 2 * depth > 130900:
        return
    assert source.send(TRAFFIC, **message)
    assert sink.got(TRAFFIC) == [{**message, "watermark": depth}]
