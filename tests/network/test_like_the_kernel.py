"""LoopbackNetwork beside the kernel: what binds together, and what a dial reaches, for all pairs of hosts."""

import asyncio
import socket
import sys
from itertools import product

import pytest

from tests.aio import run
from ygg.network import LoopbackNetwork, NativeNetwork, Network

HOSTS = ("127.0.0.1", "127.0.0.2", "::1", "0.0.0.0", "::", "")

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or not socket.has_ipv6, reason="the habits of Linux, with IPv6"
)


async def streams(network: Network, first: str, second: str) -> list[str]:
    """Listen at two hosts on one port, then dial every host there."""
    listener = await network.listen_stream(first, 0)
    port = int(listener.address.rpartition(":")[2])
    found = []
    try:
        (await network.listen_stream(second, port)).close()
        found.append("bound")
    except OSError as error:
        found.append(type(error).__name__)
    for host in HOSTS[:-1]:
        try:
            (await network.connect_stream(host, port)).abort()
            found.append("connected")
        except OSError as error:
            found.append(type(error).__name__)
    listener.close()
    await listener.wait_closed()
    await asyncio.sleep(0)
    return found


async def datagrams(network: Network, first: str, second: str) -> list[str]:
    """Open two datagram ports of one number."""
    transport, _ = await network.create_datagram_endpoint(asyncio.DatagramProtocol, (first, 0))
    port = transport.get_extra_info("sockname")[1]
    try:
        other, _ = await network.create_datagram_endpoint(asyncio.DatagramProtocol, (second, port))
        other.abort()
        found = ["bound"]
    except OSError as error:
        found = [type(error).__name__]
    transport.abort()
    await asyncio.sleep(0)
    return found


@pytest.mark.parametrize("what", [streams, datagrams])
def test_pairs_of_hosts(what) -> None:
    async def main() -> None:
        async with NativeNetwork(address_filter=lambda address: True) as kernel, LoopbackNetwork() as loopback:
            seen = set()
            for first, second in product(HOSTS, HOSTS):
                expected = await what(kernel, first, second)
                assert await what(loopback, first, second) == expected, (first, second)
                seen.update(expected)
            assert {"bound", "AddressInUse"} <= seen

    run(main())
