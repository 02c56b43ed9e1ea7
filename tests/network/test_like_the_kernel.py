"""LoopbackNetwork beside the kernel: what binds together, what dials and datagrams reach, how streams end."""

import asyncio
import socket
import sys
from itertools import product

import pytest

from tests.aio import run, settle
from ygg.errors import from_os_error
from ygg.network import Listener, LoopbackNetwork, NativeNetwork, Network
from ygg.network.streams import streams as as_streams

HOSTS = ("127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::", "")

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
            found.append(await names(listener, await network.connect_stream(host, port)))
        except OSError as error:
            found.append(type(error).__name__)
    listener.close()
    await listener.wait_closed()
    await asyncio.sleep(0)
    return found


async def names(listener: Listener, client: asyncio.Transport) -> str:
    """Return what each end of a connection calls each, without the ports, which chance may have chosen."""
    server, remote = await listener.accept()
    found = [end.get_extra_info(name)[0] for end in (client, server) for name in ("sockname", "peername")]
    client.abort()
    server.abort()
    return " ".join([*found, remote.rpartition(":")[0]])


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


class Port(asyncio.DatagramProtocol):
    """Notes what comes."""

    def __init__(self) -> None:
        self.found: list[object] = []

    def datagram_received(self, data: bytes, addr: tuple) -> None:
        self.found.append((len(data), addr[0], len(addr)))

    def error_received(self, exc: Exception) -> None:
        self.found.append(type(exc).__name__)


async def sends(network: Network, first: str, second: str) -> list[object]:
    """Send from a port of one host to a port of another, by each of its names."""
    sender, errors = await network.create_datagram_endpoint(Port, (first, 0))
    receiver, arrived = await network.create_datagram_endpoint(Port, (second, 0))
    found: list[object] = []
    for host in HOSTS[:-1]:
        sender.sendto(b"x", (host, receiver.get_extra_info("sockname")[1]))
        await settle()
        found.append((host, *errors.found, *arrived.found))
        errors.found.clear()
        arrived.found.clear()
    sender.abort()
    receiver.abort()
    await asyncio.sleep(0)
    return found


async def largest(network: Network, first: str, second: str) -> list[object]:
    """Send datagrams of the largest size and of one byte more to a port that is connected, and to nobody."""
    receiver, arrived = await network.create_datagram_endpoint(Port, (first, 0))
    address = receiver.get_extra_info("sockname")[:2]
    try:
        sender, errors = await network.create_datagram_endpoint(Port, (second, 0), address)
    except OSError as error:
        receiver.abort()
        return [type(error).__name__]
    for size in (65507, 65508, 65527, 65528):
        sender.sendto(bytes(size), address)
        await settle()
    receiver.abort()
    await settle()
    sender.sendto(b"anyone?")
    await settle()
    sender.abort()
    return [*arrived.found, *errors.found]


@pytest.mark.parametrize("what", [streams, datagrams, sends, largest])
def test_pairs_of_hosts(what) -> None:
    async def main() -> None:
        async with NativeNetwork(address_filter=lambda address: True) as kernel, LoopbackNetwork() as loopback:
            seen = set()
            for first, second in product(HOSTS, HOSTS):
                expected = await what(kernel, first, second)
                assert await what(loopback, first, second) == expected, (first, second)
                seen.update(map(str, expected))
            assert len(seen) > 1

    run(main())


async def ending(network: Network, end: str, unread: bytes) -> list[str]:
    """Have a connection's server write, leave bytes unread, and end; return what its client reads."""
    listener = await network.listen_stream("127.0.0.1", 0)
    client = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
    server, _ = await listener.accept()
    reader, writer = as_streams(client)
    writer.write(unread)
    server.write(b"hello")
    await asyncio.sleep(0.01)  # else the bytes under way are the race that they are between hosts
    getattr(server, end)()
    try:
        found = [str(await reader.read())]
    except OSError as error:
        found = [type(from_os_error(error)).__name__]
    writer.transport.abort()
    listener.close()
    await listener.wait_closed()
    return found


@pytest.mark.parametrize("end", ["close", "abort"])
@pytest.mark.parametrize("unread", [b"", b"unread"])
def test_ends(end: str, unread: bytes) -> None:
    async def main() -> None:
        async with NativeNetwork() as kernel, LoopbackNetwork() as loopback:
            assert await ending(kernel, end, unread) == await ending(loopback, end, unread)

    run(main())
