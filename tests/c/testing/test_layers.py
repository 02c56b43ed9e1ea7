"""ygg_c.testing.layers: layers that count and refuse, between a gateway and a stack."""

from collections.abc import Iterator

import pytest

from ygg.simulation import World
from ygg_c.testing.layers import CountingLayer, Gate


@pytest.fixture
def two() -> Iterator[World]:
    """Give a world of two linked nodes, 1 and 2."""
    with World() as world:
        stacks = [world.add(number).stack for number in (1, 2)]     # which makes their gateways
        world.join(1, 2)
        world.run(8)
        yield world
        stacks.clear()      # a fixture's value outlives its test


def exchange(world: World) -> int:
    """Send a datagram from 1 to 2 and have it answered; return how many answers came."""
    near, far = (world.nodes[number].stack.udp(None, 9) for number in (1, 2))
    near.send(b"ask", world.nodes[2].engine.address, 9)
    world.run(2)
    count = 0
    for _, source in far.recv_many():
        far.send(b"answer", *source)
        world.run(2)
        count += len(near.recv_many())
    near.close()
    far.close()
    return count


def test_what_passes_is_counted(two: World) -> None:
    layer = CountingLayer()
    two.nodes[1].gateway.insert(layer)
    assert (layer.placed, layer.taken_out) == (1, 0)
    assert exchange(two) == 1
    assert (layer.packets_out, layer.packets_in) == (1, 1)
    assert (layer.bytes_out, layer.bytes_in) == (48 + 3, 48 + 6)
    assert layer.batches
    assert layer.polls
    two.nodes[1].gateway.remove(layer)
    assert (layer.placed, layer.taken_out) == (1, 1)
    assert exchange(two) == 1
    assert (layer.packets_out, layer.packets_in) == (1, 1)


def test_nothing_passes_a_gate_that_is_shut(two: World) -> None:
    gate = Gate(shut=False)
    two.nodes[2].gateway.insert(gate)
    assert exchange(two) == 1
    assert (gate.dropped, gate.refused) == (0, 0)
    gate.shut = True
    assert exchange(two) == 0
    assert gate.dropped == 1
    assert two.nodes[2].stack.udp(None, 10).send(b"x", two.nodes[1].engine.address, 9) is False
    assert gate.refused
    two.nodes[2].gateway.remove(gate)       # those that it has refused are told
    assert exchange(two) == 1
