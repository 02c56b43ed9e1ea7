"""Layers between gateway and stack, put in and taken out while packets pass."""

import gc
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.c.node.test_gateway import Port, ipv6
from tests.c.worldkit import line_of
from ygg.simulation import World
from ygg_c.ip.layer import Layer, Upper
from ygg_c.ip.port import PacketPort
from ygg_c.tcp.connection import TcpConnection
from ygg_c.testing.layers import CountingLayer, Gate
from ygg_c.testing.packets import PacketTap


class Pair:
    """Two linked nodes with stacks and a connection between them."""

    def __init__(self) -> None:
        self.world = World()
        nodes = [self.world.add(number, mtu=1500) for number in (1, 2)]
        self.stacks = [node.stack for node in nodes]
        self.gateways: list[Any] = [node.gateway for node in nodes]
        self.world.join(1, 2)
        self.world.run(8)
        listener = self.stacks[1].listen(None, 80, 16)
        self.client: TcpConnection = self.stacks[0].connect(self.world.nodes[2].engine.address, 80)
        self.client.nodelay = True
        self.world.run(1)
        self.server: TcpConnection = listener.accept()

    def close(self) -> None:
        self.world.close()


@contextmanager
def pair_of_stacks() -> Iterator[Pair]:
    pair = Pair()
    try:
        yield pair
    finally:
        pair.close()


def received(connection: TcpConnection) -> bytes:
    chunks = []
    while data := connection.recv(1 << 20):
        chunks.append(data)
    return b"".join(chunks)


def test_each_layer_sees_all_packets_of_both_ways() -> None:
    """Two layers count the same, and as much as the stack does."""
    with pair_of_stacks() as pair:
        low, high = CountingLayer(), CountingLayer()
        pair.gateways[0].insert(low)
        pair.gateways[0].insert(high)
        assert pair.gateways[0].layers == (low, high)
        before = pair.stacks[0].counters()
        pair.client.send(bytes(100_000))
        pair.world.run(1)
        assert received(pair.server) == bytes(100_000)
        after = pair.stacks[0].counters()
        for name in ("packets_in", "packets_out", "bytes_in", "bytes_out"):
            assert getattr(low, name) == getattr(high, name) == after[name] - before[name] > 0
        assert low.batches == high.batches > 0
        assert low.polls == high.polls > 0


def test_positions_are_those_of_a_list() -> None:
    """The lowest layer is the first; no position is on top; neighbours can be seen."""
    with pair_of_stacks() as pair:
        gateway = pair.gateways[0]
        a, b, c, d = (Layer() for _ in range(4))
        gateway.insert(b)
        gateway.insert(a, 0)
        gateway.insert(d, 99)
        gateway.insert(c, -1)
        assert gateway.layers == (a, b, c, d)
        assert (a.lower, a.upper, d.upper) == (gateway, b, pair.stacks[0])
        assert gateway.attached is pair.stacks[0]
        gateway.remove(b)
        assert gateway.layers == (a, c, d)
        assert (b.lower, b.upper, a.upper, c.lower) == (None, None, c, a)


def test_a_layer_is_in_one_place() -> None:
    """It must leave one gateway before it may go into another, and cannot leave where it is not."""
    with pair_of_stacks() as pair:
        layer = CountingLayer()
        pair.gateways[0].insert(layer)
        for gateway in pair.gateways:
            with pytest.raises(ValueError, match="already"):
                gateway.insert(layer)
        with pytest.raises(ValueError, match="not in this gateway"):
            pair.gateways[1].remove(layer)
        pair.gateways[0].remove(layer)
        with pytest.raises(ValueError, match="not in this gateway"):
            pair.gateways[0].remove(layer)
        pair.gateways[1].insert(layer)
        assert (layer.placed, layer.taken_out) == (2, 1)


def test_ends_are_no_layers() -> None:
    """A device, a gateway or a tap in between would pass nothing on."""
    with pair_of_stacks() as pair:
        for end in (PacketPort(), pair.gateways[1], PacketTap(Upper())):
            with pytest.raises(TypeError, match="end"):
                pair.gateways[0].insert(end)
        assert pair.gateways[0].layers == ()


@pytest.mark.parametrize("seed", range(4))
def test_a_transfer_goes_on_while_layers_come_and_go(seed: int) -> None:
    """Layers of both gateways change between steps and in callbacks, packets under way: none is lost or sent again."""
    with pair_of_stacks() as pair:
        choice = random.Random(seed)
        spare = [CountingLayer() for _ in range(6)]
        data = bytes(choice.randbytes(1_000_000))
        sent, got = 0, b""

        def change() -> None:
            gateway = choice.choice(pair.gateways)
            if gateway.layers and choice.random() < 0.5:
                layer = choice.choice(gateway.layers)
                gateway.remove(layer)
                spare.append(layer)
            elif spare:
                gateway.insert(spare.pop(), choice.choice([None, 0, 1]))

        def told(connection: TcpConnection, events: int) -> None:
            change()

        for connection in (pair.client, pair.server):
            connection.on_event = lambda events, connection=connection: told(connection, events)
        while len(got) < len(data):
            sent += pair.client.send(data[sent : sent + 50_000]) if sent < len(data) else 0
            change()
            pair.world.run(0.001)
            got += received(pair.server)
        assert got == data
        assert pair.stacks[0].counters()["tcp_retransmits"] == 0
        layers = [*spare, *pair.gateways[0].layers, *pair.gateways[1].layers]
        assert sum(layer.packets_in for layer in layers if isinstance(layer, CountingLayer)) > 100
        for connection in (pair.client, pair.server):
            connection.on_event = None


def test_what_a_layer_refused_goes_on_when_it_is_taken_out() -> None:
    """A connection that waits for credit is told, without any other event, in the turn that was asked for."""
    with pair_of_stacks() as pair:
        gate = Gate()
        pair.gateways[0].insert(gate)
        pair.world.run(0)
        pair.client.send(bytes(10_000))
        pair.world.run(0)
        assert gate.refused > 0
        assert received(pair.server) == b""
        pair.gateways[0].remove(gate)
        pair.world.run(0)
        assert received(pair.server) == bytes(10_000)
        assert pair.stacks[0].counters()["tcp_timeouts"] == 0


def test_what_a_link_refused_is_still_told_after_layers_went() -> None:
    """The link is full while a layer goes: those who wait are served when it drains, through what is there then."""
    with pair_of_stacks() as pair:
        layer, other = CountingLayer(), CountingLayer()
        pair.gateways[0].insert(layer)
        wire = pair.world.link_between(1, 2).wire_from(1)
        data, got = bytes(2_000_000), b""
        wire.full = True
        sent = pair.client.send(data)
        pair.world.nodes[1].turn()
        pair.gateways[0].remove(layer)
        pair.world.nodes[1].turn()
        pair.gateways[0].insert(other)
        wire.full = False
        for _ in range(200):
            pair.world.run(0.01)
            got += received(pair.server)
            sent += pair.client.send(data[sent:]) if sent < len(data) else 0
        assert got == data
        assert other.packets_out > 0


def test_layers_stay_when_the_device_changes() -> None:
    """They keep their places while nothing is attached, where packets end at the gateway, and below what comes next."""
    with pair_of_stacks() as pair:
        gateway, layer = pair.gateways[1], CountingLayer()
        gateway.insert(layer)
        assert gateway.detach() is pair.stacks[1]
        assert (layer.lower, layer.upper, pair.stacks[1].lower) == (gateway, None, None)
        dropped = gateway.counters()["dropped_incoming"]
        pair.client.send(b"lost")
        pair.world.run(0.1)
        assert gateway.counters()["dropped_incoming"] > dropped
        assert layer.packets_in == 0
        port = PacketPort()
        assert gateway.replace(port) is None
        assert gateway.replace(pair.stacks[1]) is port
        assert (layer.upper, pair.stacks[1].lower, port.lower) == (pair.stacks[1], layer, None)
        pair.world.run(2)
        assert received(pair.server) == b"lost"
        assert layer.packets_in > 0


def test_a_closed_gateway_lets_go_of_its_layers() -> None:
    """They may go elsewhere, and no cycle keeps them."""
    with pair_of_stacks() as pair:
        layer, gateway = CountingLayer(), pair.gateways[0]
        gateway.insert(layer)
        gateway.insert(Layer())
        gateway.close()
        assert gateway.layers == ()
        assert (layer.lower, layer.upper, layer.taken_out) == (None, None, 1)
        with pytest.raises(ValueError, match="closed"):
            gateway.insert(layer)
        pair.gateways[1].insert(layer)


def test_the_end_of_a_node_takes_layers_out_and_tells_the_stack() -> None:
    with pair_of_stacks() as pair:
        layer = CountingLayer()
        pair.gateways[0].insert(layer)
        pair.world.nodes[1].engine.close()
        assert pair.gateways[0].layers == ()
        assert layer.lower is None
        assert pair.stacks[0].down


def test_a_callback_may_take_out_and_forget_what_called_it() -> None:
    """In the middle of the call that came through them all layers and the device itself go."""
    world = World()
    for number in (1, 2):
        world.add(number)
    a, b = Port(world.nodes[1].engine), Port(world.nodes[2].engine)
    world.join(1, 2)
    world.run(8)
    for _ in range(3):
        b.gateway.insert(CountingLayer())
    calls: list[int] = []

    def leave(batch: list[bytes]) -> None:
        calls.append(len(batch))
        for layer in b.gateway.layers:
            b.gateway.remove(layer)
        b.gateway.detach()
        b.port = None
        del layer
        gc.collect()

    b.port.on_packets = leave
    for _ in range(2):
        a.send(ipv6(a.node.address, b.node.address))
        world.run(2)
    assert calls == [1]
    assert b.gateway.layers == ()
    a.gateway.close()
    b.gateway.close()
    world.close()


def test_what_has_come_is_given_though_a_callback_detaches_its_taker() -> None:
    """A layer leads to it no more when its turn comes."""
    with line_of(1, 2) as world:
        a, b = Port(world.nodes[1].engine), Port(world.nodes[2].engine)
        b.gateway.insert(Layer())
        packet = ipv6(a.node.address, b.node.address)
        a.send(packet)
        world.run(2)
        assert b.take() == [packet]
        wire = world.link_between(1, 2).wire_from(1)
        wire.full = True
        b.node.request(a.node.key, "nodeinfo", lambda *_: b.gateway.detach())
        world.run(0.1)
        a.send(packet)
        world.run(0.1)
        wire.full = False           # answer and packet arrive in one turn
        world.run(0.1)
        assert b.gateway.attached is None
        assert b.take() == [packet]
        for port in (a, b):
            port.gateway.close()
