"""ygg_c.tunpump, with a pair of datagram sockets for the device."""

import os
import socket
from collections.abc import Iterator

import pytest

from ygg_c.packetio import PacketTap
from ygg_c.tunpump import TunPump

PACKET = b"\x60" + bytes(39)


class Device:
    def __init__(self) -> None:
        self.inside, self.outside = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.inside.setblocking(False)
        self.outside.setblocking(False)
        self.lost: list[OSError] = []
        self.pump = TunPump(self.inside.fileno(), 1500, self.lost.append)

    def close(self) -> None:
        self.pump.close()
        self.inside.close()
        self.outside.close()


@pytest.fixture
def device() -> Iterator[Device]:
    device = Device()
    yield device
    device.close()


def test_what_the_device_holds_is_sent_and_a_turn_asked_for(device: Device) -> None:
    tap = PacketTap(device.pump)
    turns: list[int] = []
    tap.on_turn = lambda: turns.append(1)
    device.outside.send(PACKET)
    device.outside.send(PACKET + b"x")
    device.pump.readable()
    assert tap.take() == [PACKET, PACKET + b"x"]
    assert device.pump.packets_in == 2
    assert turns
    tap.detach()


def test_what_arrives_is_written(device: Device) -> None:
    tap = PacketTap(device.pump)
    tap.give([PACKET, PACKET + b"y"], 0)
    assert [device.outside.recv(2000) for _ in range(2)] == [PACKET, PACKET + b"y"]
    assert device.pump.packets_out == 2
    tap.detach()


def test_a_full_device_drops_and_counts(device: Device) -> None:
    tap = PacketTap(device.pump)
    tap.give([PACKET] * 2000, 0)
    assert device.pump.packets_out + device.pump.dropped == 2000
    assert device.pump.dropped > 0
    tap.detach()


def test_unattached_it_drops_and_counts(device: Device) -> None:
    device.outside.send(PACKET)
    device.pump.readable()
    assert device.pump.dropped == 1


def test_a_lost_device_is_told_once_and_a_closed_pump_does_nothing(device: Device) -> None:
    gone = os.open("/dev/null", os.O_WRONLY)
    pump = TunPump(gone, 1500, device.lost.append)
    pump.readable()
    assert [type(error) for error in device.lost] == [OSError]
    pump.close()
    pump.close()
    pump.readable()
    os.close(gone)
    assert len(device.lost) == 1
