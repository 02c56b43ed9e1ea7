"""ygg.node.gateway: the IPv6 side of a node, for one thing at a time."""

from ipaddress import IPv6Address

import pytest

from tests.aio import on_loops
from tests.nodes import node
from ygg import Gateway, LoopbackNetwork, ReadWriteCloser, TunAdapter, VTun
from ygg.errors import YggError
from ygg_c.testing.layers import CountingLayer, Gate


@on_loops
async def test_it_has_the_nodes_address_and_subnet() -> None:
    async with LoopbackNetwork() as network, node(1, network) as core:
        gateway = Gateway(core)
        assert gateway.address == core.address
        assert gateway.subnet == core.subnet
        assert gateway.subnet.prefixlen == 64
        assert gateway.address.packed[1:8] == gateway.subnet.network_address.packed[1:8]
        assert gateway.engine.attached is None
        gateway.close()


@on_loops
async def test_a_node_has_one_until_that_is_closed() -> None:
    async with LoopbackNetwork() as network, node(1, network) as core:
        gateway = Gateway(core)
        with pytest.raises(ValueError, match="already"):
            Gateway(core)
        gateway.close()
        gateway.close()
        Gateway(core).close()


@pytest.mark.parametrize(("asked", "had"), [(0, 1280), (1279, 1280), (1280, 1280), (9000, 9000), (65536, 65535)])
@on_loops
async def test_the_largest_packet_is_clamped(asked: int, had: int) -> None:
    async with LoopbackNetwork() as network, node(1, network) as core:
        gateway = Gateway(core)
        assert gateway.mtu == 65535
        gateway.mtu = asked
        assert gateway.mtu == had
        gateway.close()


@on_loops
async def test_layers_are_in_the_order_in_which_packets_that_arrive_pass_them() -> None:
    async with LoopbackNetwork() as network, node(1, network) as core:
        gateway = Gateway(core)
        lower, upper, between = CountingLayer(), CountingLayer(), Gate()
        gateway.insert(upper)
        gateway.insert(lower, 0)
        gateway.insert(between, 1)
        assert gateway.layers == (lower, between, upper)
        with pytest.raises(ValueError, match="place"):
            gateway.insert(upper)
        gateway.remove(between)
        assert gateway.layers == (lower, upper)
        with pytest.raises(ValueError, match="not"):
            gateway.remove(between)
        gateway.close()
        assert gateway.layers == ()
        with pytest.raises(ValueError, match="closed"):
            gateway.insert(upper)


@on_loops
async def test_what_is_not_for_the_node_is_dropped_and_counted() -> None:
    async with LoopbackNetwork() as network, node(1, network) as core:
        gateway = Gateway(core)
        async with VTun([IPv6Address("200::1")]) as vtun:       # a source that is not the node's
            adapter = TunAdapter(gateway)
            adapter.attach(vtun)
            before = gateway.counters()
            assert set(before.values()) == {0}
            socket = await vtun.open_datagram()
            await socket.sendto(b"x", ("200::2", 9))
            with pytest.raises((YggError, TimeoutError)):
                await vtun.ping("200::3", timeout=0.05)
            assert sum(gateway.counters().values()) > 0
            socket.close()
            adapter.close()
        gateway.close()


def test_it_has_the_references_name_too() -> None:
    assert ReadWriteCloser is Gateway
