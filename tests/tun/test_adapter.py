"""ygg.node.gateway and ygg.tun: what is attached to a node, and changing that while it runs."""

import pytest

from tests.aio import LOOPS, run, until
from tests.nodes import node
from ygg import Core, Gateway, LoopbackNetwork, PacketDevice, TunAdapter


class Box(PacketDevice):
    """Keeps what it gets."""

    def __init__(self, mtu: int = 65535) -> None:
        super().__init__(mtu)
        self.packets: list[bytes] = []

    def packets_received(self, packets: list[bytes]) -> None:
        self.packets += packets


def packet(source: Core, target: Core, payload: bytes) -> bytes:
    """Return an IPv6 packet without a next header."""
    header = b"\x60\0\0\0" + len(payload).to_bytes(2) + b"\x3b\x40"
    return header + source.address.packed + target.address.packed + payload


@pytest.mark.parametrize("loop", LOOPS)
def test_packets_cross_between_objects_written_in_python(loop: str) -> None:
    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one, node(2, network) as two:
            await one.call_peer(f"tcp://{(await two.listen('tcp://127.0.0.1:0')).address}")
            gateways = Gateway(one), Gateway(two)
            here, there, other = Box(), Box(), Box()
            adapter, far = TunAdapter(gateways[0], mtu=65535), TunAdapter(gateways[1], mtu=65535)
            adapter.attach(here)
            far.attach(there)

            async def cross(box: Box, payload: bytes) -> None:
                sent = packet(one, two, payload)

                def arrived() -> bool:
                    here.send([sent])
                    return sent in box.packets

                await until(arrived)

            await cross(there, b"one")
            assert far.replace(other) is there
            await cross(other, b"two")
            assert packet(one, two, b"two") not in there.packets
            assert far.detach() is other
            assert far.detach() is None
            far.attach(there)
            await cross(there, b"three")
            here.send([packet(two, two, b"forged")])
            assert adapter.counters()["dropped_outgoing"] == one.counters()["gateway_dropped_outgoing"] == 1
            assert adapter.counters()["device_dropped"] == here.counters()["dropped"] == 0
            await cross(there, b"four")
            adapter.detach()
            here.send([packet(one, two, b"detached")])
            assert here.counters() == {"dropped": 1}
            assert "device_dropped" not in adapter.counters()
            for part in (adapter, far, *gateways):
                part.close()
                part.close()
            assert not any(b"forged" in found for found in there.packets)

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_one_device_at_a_time(loop: str) -> None:
    async def main() -> None:
        async with node(1, LoopbackNetwork()) as one:
            gateway = Gateway(one)
            with pytest.raises(ValueError, match="gateway"):
                Gateway(one)
            adapter = TunAdapter(gateway)
            box = Box()
            adapter.attach(box)
            with pytest.raises(ValueError, match="attached"):
                adapter.attach(Box())
            assert adapter.device is box
            adapter.close()
            assert adapter.device is None
            gateway.close()
            again = Gateway(one)
            assert (again.address, again.subnet) == (one.address, one.subnet)
            assert isinstance(again.counters(), dict)
            again.close()

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_the_smaller_mtu_counts(loop: str) -> None:
    async def main() -> None:
        async with node(1, LoopbackNetwork()) as one:
            gateway = Gateway(one, 9000)
            assert gateway.mtu == 9000
            adapter = TunAdapter(gateway, mtu=5000)
            adapter.attach(Box(mtu=2000))
            assert (adapter.mtu, gateway.mtu) == (2000, 2000)
            adapter.replace(Box(mtu=100000))
            assert (adapter.mtu, gateway.mtu) == (5000, 5000)
            adapter.mtu = 1
            assert (adapter.mtu, gateway.mtu) == (1280, 1280)
            gateway.close()

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_closing_after_the_node_has_stopped(loop: str) -> None:
    async def main() -> None:
        async with node(1, LoopbackNetwork()) as one:
            gateway = Gateway(one)
            adapter = TunAdapter(gateway)
            box = Box()
            adapter.attach(box)
        box.send([b"\x60" + bytes(39)])
        adapter.close()
        gateway.close()

    run(main(), loop)
