"""ygg.tun.netlink: interfaces, addresses and routes, asked of a kernel in a network namespace of its own."""

import pytest

from tests.tun.test_linux import allowed, namespaced

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not allowed(), reason="needs /dev/net/tun and network namespaces"),
]

HEAD = """
import socket, subprocess
from ipaddress import IPv6Interface
from ygg.tun.netlink import add_address, bring_up

def shown(name):
    printed = subprocess.run(["ip", "link", "show", name], capture_output=True, text=True, check=True).stdout.split()
    return int(printed[printed.index("mtu") + 1]), int(printed[printed.index("qlen") + 1]), int("UP" in printed[2])

def refused(call, *arguments):
    try:
        call(*arguments)
    except OSError as error:
        return type(error).__name__, error.errno
    return "done"

def addresses(name):
    with open("/proc/net/if_inet6") as file:
        return sorted((line.split()[0], int(line.split()[2], 16)) for line in file if line.split()[5] == name)
"""
DEVICE = "ip tuntap add dev box7 mode tun"


def printed(script: str, setting: str = DEVICE) -> list[str]:
    return namespaced(HEAD + script, setting=setting).splitlines()


def test_an_interface_comes_up_with_its_packet_size_and_queue() -> None:
    assert printed("""
index = socket.if_nametoindex("box7")
print(shown("box7"))
bring_up(index, 1400, 77)
print(shown("box7"))
bring_up(index, 9000, 77)
print(shown("box7"))
""") == ["(1500, 500, 0)", "(1400, 77, 1)", "(9000, 77, 1)"]


def test_an_address_may_be_added_twice_and_be_used_at_once() -> None:
    assert printed("""
index = socket.if_nametoindex("box7")
bring_up(index, 1500, 500)
for _ in range(2):
    add_address(index, IPv6Interface("200::1/7"))
    print([one for one in addresses("box7") if one[0].startswith("02")])
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
    sock.bind(("200::1", 0))
    print("bound")
""") == [f"[('02{29 * '0'}1', 7)]"] * 2 + ["bound"]


def test_what_the_kernel_refuses_is_an_error_with_its_number() -> None:
    assert printed("""
index = socket.if_nametoindex("box7")
print(refused(bring_up, 9999, 1500, 500))
print(refused(bring_up, index, 10, 500))
print(refused(add_address, 9999, IPv6Interface("200::1/7")))
print(shown("box7")[2])
""") == ["('OSError', 19)", "('OSError', 22)", "('OSError', 19)", "0"]
