"""Whatever arrives on the multicast group is a beacon or a BeaconError, and only the password's holder is dialed."""

import asyncio
import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from tests.aio import run, settle
from tests.multicast.lab import KEY, Air, FakeNode, interface
from ygg.multicast.beacon import SIZE, Beacon, BeaconError
from ygg.multicast.rules import InterfaceRule
from ygg.multicast.station import DIALS_PER_TURN, Station

keys = st.binary(min_size=32, max_size=32)
ports = st.integers(1, 65535)
passwords = st.binary(max_size=64)
beacons = st.builds(Beacon.make, keys, ports, passwords)
worthy = st.builds(Beacon.make, keys, ports, st.just(b"p")).map(Beacon.encode)
senders = st.integers(0, 2**64 - 1).map(lambda host: str(ipaddress.IPv6Address(0xFE80 << 112 | host)))


@st.composite
def datagrams(draw: st.DrawFn) -> bytes:
    """Return arbitrary bytes, beacons, and beacons cut, extended and with bytes changed."""
    data = bytearray(draw(st.binary(max_size=150) | beacons.map(Beacon.encode)))
    for position in draw(st.lists(st.integers(0, 149), max_size=3)):
        if position < len(data):
            data[position] ^= draw(st.integers(1, 255))
    return bytes(data[: draw(st.integers(0, 150))]) + draw(st.binary(max_size=4))


@given(datagrams())
def test_decoder_is_total(data: bytes) -> None:
    try:
        beacon = Beacon.decode(data)
    except BeaconError:
        return
    assert beacon.encode() == data[:SIZE]
    assert beacon.port


@given(keys, ports, passwords, passwords)
def test_only_the_password_proves_itself(key: bytes, port: int, password: bytes, other: bytes) -> None:
    beacon = Beacon.decode(Beacon.make(key, port, password).encode())
    assert beacon.proves(password)
    assert beacon.proves(other) == (password == other)


@given(st.lists(st.tuples(datagrams() | worthy, senders), max_size=40))
def test_station_dials_within_bounds(traffic: list[tuple[bytes, str]]) -> None:
    async def main() -> None:
        node, air = FakeNode(gate=asyncio.Event()), Air()
        station = Station(node, interface(), InterfaceRule(".*", listen=True, password="p"), air.open)
        await station.turn(interface(), (), 0.0)
        try:
            for data, sender in traffic:
                air.sockets[1].arrive(data, sender)
            for _ in range(5):
                await settle()
        finally:
            await station.close()
        knowing = {(data[:SIZE], sender) for data, sender in traffic if _knows(data)}
        assert len(node.called) <= min(len(knowing), DIALS_PER_TURN)
        assert bool(node.called) == bool(knowing)

    run(main())


def _knows(data: bytes) -> bool:
    try:
        beacon = Beacon.decode(data)
    except BeaconError:
        return False
    return beacon.key != KEY and beacon.proves(b"p")
