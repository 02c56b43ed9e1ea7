"""ygg.multicast.interfaces: what this machine really has, and what is said where a source of it is missing."""

import ipaddress
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ygg.multicast.interfaces import Flags, Interface, default_routes, list_interfaces

WORKING = Flags.UP | Flags.RUNNING | Flags.MULTICAST
LINK_LOCAL = ipaddress.IPv6Address("fe80::1")


@pytest.mark.skipif(sys.platform != "linux", reason="the bits of Linux")
def test_the_flags_are_those_of_the_system() -> None:
    """As /sys/class/net has them: of loopback, which has no multicast, and as netdevice(7) numbers them."""
    loopback = Flags(int(Path("/sys/class/net/lo/flags").read_text(), 16) & ~Flags.UP & ~Flags.RUNNING)
    assert loopback & Flags.LOOPBACK
    assert not loopback & (Flags.MULTICAST | Flags.POINT_TO_POINT)
    assert (int(Flags.MULTICAST), int(WORKING)) == (0x1000, 0x1041)



def test_loopback_is_found_as_it_is() -> None:
    (loopback,) = [item for item in list_interfaces() if item.flags & Flags.LOOPBACK]
    assert ipaddress.IPv4Address("127.0.0.1") in loopback.addresses
    assert loopback.index > 0
    assert not loopback.carries_multicast
    assert not loopback.link_local


def test_only_link_local_addresses_count_as_such() -> None:
    others = [ipaddress.ip_address(text) for text in ("169.254.1.1", "2001:db8::1", "fec0::1")]
    assert Interface("a", 1, WORKING, (*others, LINK_LOCAL)).link_local == (LINK_LOCAL,)


@pytest.mark.parametrize(
    ("flags", "carries"),
    [
        (WORKING, True),
        (WORKING | Flags.LOOPBACK, True),
        (WORKING & ~Flags.UP, False),
        (WORKING & ~Flags.RUNNING, False),
        (WORKING & ~Flags.MULTICAST, False),
        (WORKING | Flags.POINT_TO_POINT, False),
    ],
)
def test_what_carries_multicast(flags: Flags, carries: bool) -> None:
    assert Interface("a", 1, flags, (LINK_LOCAL,)).carries_multicast is carries


def test_without_netifaces_linux_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("netifaces")
    whole = list_interfaces(), default_routes()
    monkeypatch.setitem(sys.modules, "netifaces", None)
    assert (list_interfaces(), default_routes()) == whole


# Run inside `unshare`: an Ethernet of known address, and a default route of each family by it.
SETTING = """
set -e
ip link set lo up
ip link add eth7 address 02:00:00:00:00:07 type veth peer name far
ip link set far up
ip link set eth7 up
ip address add 192.0.2.2/24 dev eth7
ip address add 2001:db8::2/64 dev eth7 nodad
ip route add default via 192.0.2.1
ip -6 route add default via 2001:db8::1
ip route add default via 192.0.2.9 metric 77
ip -6 route add default via 2001:db8::9 metric 7777
exec "$@"
"""
SCRIPT = """
import sys
if "without" in sys.argv:
    sys.modules["netifaces"] = None
from ygg.multicast.interfaces import default_routes, list_interfaces
for item in list_interfaces():
    print(item.name, item.link_address)
for route in default_routes():
    print(route.interface, route.gateway, route.family.name)
"""


def namespaces_work() -> bool:
    if not shutil.which("unshare") or not shutil.which("ip"):
        return False
    return subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.interop
@pytest.mark.skipif(not namespaces_work(), reason="network namespaces or the ip command are not to be had here")
@pytest.mark.parametrize("netifaces", ["with", "without"])
def test_link_addresses_and_default_routes_are_as_they_were_set_up(netifaces: str) -> None:
    if netifaces == "with":
        pytest.importorskip("netifaces")
    command = ["unshare", "-rn", "sh", "-c", SETTING, "sh", sys.executable, "-W", "error", "-c", SCRIPT, netifaces]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found = done.stdout.splitlines()
    assert "eth7 02:00:00:00:00:07" in found
    assert found[-2:] == ["eth7 192.0.2.1 AF_INET", "eth7 2001:db8::1 AF_INET6"]
