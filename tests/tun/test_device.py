"""PacketDevice before a node is there; with one it is in test_adapter."""

import pytest

from ygg.tun.device import PacketDevice


def test_what_is_sent_without_a_node_is_dropped_and_counted() -> None:
    device = PacketDevice()
    device.send([b"\x60" + bytes(39)] * 3)
    assert device.counters() == {"dropped": 3}
    assert not device.upper.attached


@pytest.mark.parametrize("mtu", [1280, 65535])
def test_it_takes_packets_of_its_mtu(mtu: int) -> None:
    assert PacketDevice(mtu).mtu == mtu


def test_the_engine_calls_what_a_subclass_overrides() -> None:
    taken: list[list[bytes]] = []

    class Device(PacketDevice):
        def packets_received(self, packets: list[bytes]) -> None:
            taken.append(packets)

    device = Device()
    assert device.upper.on_packets is not None
    device.upper.on_packets([b"packet"])
    assert taken == [[b"packet"]]
