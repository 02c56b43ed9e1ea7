"""The congestion control of links, chosen by URL or for a network."""

import errno
import socket
from pathlib import Path

import pytest

from tests.aio import on_loops, until
from tests.nodes import node
from ygg import Core, NativeNetwork
from ygg.errors import NetworkError

AVAILABLE = Path("/proc/sys/net/ipv4/tcp_available_congestion_control")
CHOSEN = Path("/proc/sys/net/ipv4/tcp_congestion_control")
DEFAULT = CHOSEN.read_text().strip() if CHOSEN.exists() else ""
OTHER = min(set(AVAILABLE.read_text().split()) - {DEFAULT}, default="") if DEFAULT else ""

pytestmark = pytest.mark.skipif(not OTHER, reason="the kernel has one congestion control only")


def used(core: Core) -> str:
    """Return the name of what the socket of its one link uses."""
    (record,) = core.links
    assert record.carrier is not None
    sock = record.carrier.transport.get_extra_info("socket")
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode()


@on_loops
async def test_each_side_chooses_for_what_it_sends() -> None:
    async with NativeNetwork() as network, node(1, network) as one, node(2, network) as two:
        listener = await two.listen("tcp://127.0.0.1:0")
        await one.call_peer(f"tcp://{listener.address}?congestion={OTHER}")
        await until(lambda: two.peers() and two.peers()[0].up)
        assert (used(one), used(two)) == (OTHER, DEFAULT)


@on_loops
async def test_a_listener_chooses_for_what_it_accepts() -> None:
    async with NativeNetwork() as network, node(1, network) as one, node(2, network) as two:
        listener = await two.listen(f"tls://127.0.0.1:0?congestion={OTHER}")
        await one.call_peer(f"tls://{listener.address}")
        await until(lambda: two.peers() and two.peers()[0].up)
        assert used(two) == OTHER


@on_loops
async def test_a_network_chooses_for_all_of_its_connections() -> None:
    async with NativeNetwork(congestion=OTHER) as network, node(1, network) as one, node(2, network) as two:
        listener = await two.listen("tcp://127.0.0.1:0")
        await one.call_peer(f"tcp://{listener.address}")
        await until(lambda: two.peers() and two.peers()[0].up)
        assert (used(one), used(two)) == (OTHER, OTHER)


@on_loops
async def test_what_the_kernel_does_not_have_fails_by_its_name() -> None:
    async with NativeNetwork() as network, node(1, network) as one, node(2, network) as two:
        listener = await two.listen("tcp://127.0.0.1:0")
        with pytest.raises(NetworkError, match="nosuch") as caught:
            await one.call_peer(f"tcp://{listener.address}?congestion=nosuch")
        assert caught.value.errno == errno.ENOENT
    async with NativeNetwork(congestion="nosuch") as network, node(3, network) as core:
        with pytest.raises(NetworkError, match="nosuch"):
            await core.listen("tcp://127.0.0.1:0")
