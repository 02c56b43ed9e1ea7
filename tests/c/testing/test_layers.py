"""ygg_c.testing.layers: layers that count and refuse, between a gateway and a stack."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.c.mesh import mesh_of
from ygg_c.base.sodium import SeededRandom
from ygg_c.node.gateway import Gateway
from ygg_c.stack.netstack import NetStack
from ygg_c.testing.layers import CountingLayer, Gate


@pytest.fixture
def two() -> Iterator[Any]:
    """Give a mesh of two nodes, their gateways, and a stack over each."""
    with mesh_of(1, 2) as mesh:
        gateways = [Gateway(mesh.nodes[number]) for number in (1, 2)]
        stacks = [NetStack([mesh.nodes[number].address], 1500, SeededRandom(number)) for number in (1, 2)]
        for gateway, stack in zip(gateways, stacks, strict=True):
            gateway.attach(stack)
        given = [mesh, gateways, stacks]
        yield given
        given.clear()       # a fixture's value outlives its test
        for stack in stacks:
            stack.close()
        for gateway in gateways:
            gateway.close()
        stacks.clear()
        gateways.clear()


def exchange(mesh: Any, stacks: list[NetStack]) -> int:
    """Send a datagram to the other and have it answered; return how many came."""
    near, far = (stack.udp(None, 9) for stack in stacks)
    near.send(b"ask", mesh.nodes[2].address, 9)
    mesh.run(2)
    count = 0
    for _, source in far.recv_many():
        far.send(b"answer", *source)
        mesh.run(2)
        count += len(near.recv_many())
    near.close()
    far.close()
    return count


def test_what_passes_is_counted(two: Any) -> None:
    mesh, gateways, stacks = two
    layer = CountingLayer()
    gateways[0].insert(layer)
    assert (layer.placed, layer.taken_out) == (1, 0)
    assert exchange(mesh, stacks) == 1
    assert (layer.packets_out, layer.packets_in) == (1, 1)
    assert (layer.bytes_out, layer.bytes_in) == (48 + 3, 48 + 6)
    assert layer.batches
    assert layer.polls
    gateways[0].remove(layer)
    assert (layer.placed, layer.taken_out) == (1, 1)
    assert exchange(mesh, stacks) == 1
    assert (layer.packets_out, layer.packets_in) == (1, 1)


def test_nothing_passes_a_gate_that_is_shut(two: Any) -> None:
    mesh, gateways, stacks = two
    gate = Gate(shut=False)
    gateways[1].insert(gate)
    assert exchange(mesh, stacks) == 1
    assert (gate.dropped, gate.refused) == (0, 0)
    gate.shut = True
    assert exchange(mesh, stacks) == 0
    assert gate.dropped == 1
    assert stacks[1].udp(None, 10).send(b"x", mesh.nodes[1].address, 9) is False
    assert gate.refused
    gateways[1].remove(gate)        # those that it has refused are told
    assert exchange(mesh, stacks) == 1
