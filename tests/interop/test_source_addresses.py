"""NativeNetwork leaves by the interface and the address it is told to: a host with two Ethernets dials another."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from .lab import Host, ip
from .net import Net

SECOND, THIRD = "10.77.0.101", "10.77.0.102"
"""More addresses of the dialing host: one on its first interface, one on its second."""

DIAL = """
import asyncio, json, sys
from ygg import NativeNetwork
from ygg.errors import YggError

async def main(kind, host, port, hints, interface):
    async with NativeNetwork(**hints) as network:
        try:
            if kind == "tcp":
                end = await network.connect_stream(host, port, source_interface=interface)
            else:
                end, _ = await network.create_datagram_endpoint(
                    asyncio.DatagramProtocol, remote_addr=(host, port), source_interface=interface)
        except YggError as error:
            print(type(error).__name__)
        else:
            print(end.get_extra_info("sockname")[0].partition("%")[0])
            end.abort()

asyncio.run(main(*json.loads(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def dialer(shared_net: Net) -> Host:
    """A host with two addresses on eth0, one on eth1, and eth2 that is down."""
    host = shared_net.host()
    hub = f"{host.namespace.rpartition('-')[0]}-hub"
    ip("link", "add", "eth1", "netns", host.namespace, "type", "veth", "peer", "second", "netns", hub)
    ip("-n", hub, "link", "set", "second", "master", "bridge", "up")
    ip("-n", host.namespace, "link", "add", "eth2", "type", "veth", "peer", "eth3")
    # Each interface answers for its own addresses alone: a bridge would learn the other's otherwise.
    only_its_own = "echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore"
    subprocess.run(host.command("sh", "-c", only_its_own), check=True)
    for interface, address in (("eth0", SECOND), ("eth1", THIRD)):
        ip("-n", host.namespace, "address", "add", f"{address}/24", "dev", interface)
        ip("-n", host.namespace, "link", "set", interface, "up")
    for interface in ("eth0", "eth1"):
        ip("-n", host.namespace, "address", "add", f"fe80::77:{interface[-1]}/64", "dev", interface, "nodad")
    return host


@pytest.fixture(scope="module")
def listening(shared_net: Net) -> Iterator[tuple[Host, socket.socket]]:
    """A host whose kernel accepts connections, on IPv6 link-local addresses too."""
    host = shared_net.host()
    ip("-n", host.namespace, "address", "add", "fe80::77:99/64", "dev", "eth0", "nodad")
    with host.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.settimeout(30)
        sock.bind(("::", 0))
        sock.listen()
        yield host, sock


def dial(dialer: Host, *arguments: Any) -> str:
    command = dialer.command(sys.executable, "-c", DIAL, json.dumps(arguments))
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


@pytest.mark.parametrize("kind", ["tcp", "udp"])
@pytest.mark.parametrize(
    ("hints", "interface", "source"),
    [
        ({}, None, "10.77.0.1"),
        ({}, "eth0", "10.77.0.1"),
        ({}, "eth1", THIRD),
        ({"source_interface": "eth1"}, None, THIRD),
        ({"source_interface": "eth1"}, "eth0", "10.77.0.1"),
        ({"source_addresses": ["2001:db8::1", SECOND]}, None, SECOND),
        ({"source_addresses": [THIRD, SECOND]}, "eth0", SECOND),
        ({"source_addresses": ["2001:db8::1"]}, None, "10.77.0.1"),
        ({"source_addresses": ["203.0.113.9"]}, None, "AddressNotAvailable"),
        ({}, "eth2", "NetworkDown"),
        ({}, "eth9", "AddressNotAvailable"),
    ],
)
def test_source(
    dialer: Host, listening: tuple[Host, socket.socket], kind: str, hints: dict[str, Any], interface: str, source: str
) -> None:
    there, sock = listening
    assert dial(dialer, kind, there.address, sock.getsockname()[1], hints, interface) == source
    if kind == "tcp" and source[0].isdigit():
        accepted, peer = sock.accept()
        accepted.close()
        assert peer[0] == f"::ffff:{source}"


@pytest.mark.parametrize("interface", ["eth0", "eth1"])
def test_link_local_addresses(dialer: Host, listening: tuple[Host, socket.socket], interface: str) -> None:
    _, sock = listening
    source = dial(dialer, "tcp", "fe80::77:99", sock.getsockname()[1], {}, interface)
    accepted, peer = sock.accept()
    accepted.close()
    assert source.startswith("fe80::")
    assert peer[0].partition("%")[0] == source
    assert dial(dialer, "tcp", "fe80::77:99", sock.getsockname()[1], {}, None) == "AddressNotAvailable"
