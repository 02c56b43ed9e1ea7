"""ygg.multicast.linux: what the kernel's files say."""

import socket
from pathlib import Path

import pytest

from ygg.multicast import linux
from ygg.multicast.linux import default_routes, link_address

HEADINGS = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"


def of_host(address: str) -> str:
    """Return an IPv4 address as the kernel's file has it: a number of the machine, in hexadecimal."""
    return f"{socket.ntohl(int.from_bytes(socket.inet_aton(address))):08X}"


def route_4(name: str, target: str, gateway: str, flags: int, metric: int, mask: str) -> str:
    """Return a line of /proc/net/route."""
    ends = [of_host(end) for end in (target, gateway)]
    return "\t".join([name, *ends, f"{flags:04X}", "0", "0", str(metric), of_host(mask), "0", "0", "0"]) + "\n"


def route_6(name: str, target: str, length: int, gateway: str, flags: int, metric: int) -> str:
    """Return a line of /proc/net/ipv6_route."""
    ends = [socket.inet_pton(socket.AF_INET6, end).hex() for end in (target, gateway)]
    return f"{ends[0]} {length:02x} {'0' * 32} 00 {ends[1]} {metric:08x} 00000001 00000000 {flags:08x} {name:>8}\n"


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder in the place of the kernel's files, none of which is there."""
    monkeypatch.setattr(linux, "ROUTES_4", tmp_path / "route")
    monkeypatch.setattr(linux, "ROUTES_6", tmp_path / "ipv6_route")
    return tmp_path


def test_without_the_files_nothing_is_known(files: Path) -> None:
    assert default_routes() == []


def test_the_link_address_of_loopback_is_zero_and_of_no_interface_none() -> None:
    assert link_address("lo") == "00:00:00:00:00:00"
    assert link_address("none") is None


def test_of_each_family_the_route_of_the_least_metric_counts(files: Path) -> None:
    (files / "route").write_text(HEADINGS + "".join([
        route_4("eth0", "192.0.2.0", "0.0.0.0", 0x1, 0, "255.255.255.0"),
        route_4("wlan0", "0.0.0.0", "192.0.2.200", 0x3, 600, "0.0.0.0"),
        route_4("eth0", "0.0.0.0", "192.0.2.1", 0x3, 100, "0.0.0.0"),
    ]))
    (files / "ipv6_route").write_text("".join([
        route_6("eth0", "2001:db8::", 64, "::", 0x1, 256),
        route_6("eth2", "2001:db8:1::", 48, "fe80::3", 0x3, 1),
        route_6("eth2", "::", 3, "fe80::3", 0x3, 1),
        route_6("eth1", "::", 0, "fe80::2", 0x3, 2048),
        route_6("eth0", "::", 0, "fe80::1", 0x3, 1024),
        route_6("lo", "::", 0, "::", 0x200200, 0xFFFFFFFF),
    ]))
    found = [(route.interface, route.gateway, route.family) for route in default_routes()]
    assert found == [("eth0", "192.0.2.1", socket.AF_INET), ("eth0", "fe80::1", socket.AF_INET6)]


@pytest.mark.parametrize("line", [
    route_4("eth0", "0.0.0.0", "0.0.0.0", 0x1, 0, "0.0.0.0"),          # by no gateway
    route_4("eth0", "0.0.0.0", "192.0.2.1", 0x2, 0, "0.0.0.0"),        # not up
    route_4("eth0", "0.0.0.0", "192.0.2.1", 0x3, 0, "128.0.0.0"),      # half of all addresses
    route_4("eth0", "128.0.0.0", "192.0.2.1", 0x3, 0, "128.0.0.0"),
])
def test_what_is_no_default_route(files: Path, line: str) -> None:
    (files / "route").write_text(HEADINGS + line)
    assert default_routes() == []
