"""ygg.network.native.interface: leaving by a chosen interface."""

import asyncio
import os
import socket

import pytest

from tests.aio import on_loops
from ygg.errors import AddressNotAvailable
from ygg.network import NativeNetwork
from ygg.network.native import sockets
from ygg.network.native.interface import addresses_of, is_up, source_address

LO = "lo" if os.path.isdir("/sys/class/net/lo") else "lo0"


def test_the_source_has_the_family_and_scope_of_the_destination() -> None:
    assert is_up(LO)
    assert source_address(LO, "127.0.0.1") == "127.0.0.1"
    if any(ip.version == 6 for ip in addresses_of(LO)):
        assert source_address(LO, "2001:db8::1") == "::1"
    with pytest.raises(AddressNotAvailable, match="has no address to dial"):
        source_address(LO, "fe80::1")


def test_an_interface_that_is_not_there() -> None:
    assert not is_up("nowhere0")
    assert addresses_of("nowhere0") == []
    with pytest.raises(AddressNotAvailable, match="no interface nowhere0"):
        source_address("nowhere0", "127.0.0.1")


@on_loops
async def test_dialing_and_listening_by_an_interface() -> None:
    async with NativeNetwork() as network:
        listener = await network.listen_stream("127.0.0.1", 0, source_interface=LO)
        port = int(listener.address.rpartition(":")[2])
        client = await network.connect_stream("127.0.0.1", port, source_interface=LO)
        server, _ = await listener.accept()
        assert client.get_extra_info("sockname")[0] == "127.0.0.1"
        assert server.get_extra_info("socket").family == socket.AF_INET
        with pytest.raises(AddressNotAvailable):
            await network.connect_stream("127.0.0.1", port, source_interface="nowhere0")
        with pytest.raises(AddressNotAvailable):
            await network.connect_stream("fe80::1", port)


@on_loops
async def test_a_default_interface_is_for_dialing_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    tied: list[str] = []
    monkeypatch.setattr(sockets, "bind_to_device", lambda sock, interface: tied.append(interface))
    async with NativeNetwork(source_interface=LO) as network:
        (await network.listen_stream("127.0.0.1", 0)).close()
        port, _ = await network.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0))
        assert tied == []
        address = port.get_extra_info("sockname")
        await network.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=address)
        assert tied == [LO]
        await network.create_datagram_endpoint(asyncio.DatagramProtocol, ("127.0.0.1", 0), source_interface=LO)
        assert tied == [LO, LO]
