"""ygg.multicast.group: a socket for beacons on one interface, in a network namespace with two ends of a cable."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.expecting import raises_errno
from ygg.multicast.group import GroupSocket

HEAD = """
import ipaddress, socket, struct, time
from ygg.multicast.beacon import GROUP, GROUP_PORT, SIZE
from ygg.multicast.group import GroupSocket

def local(name):
    with open("/proc/net/if_inet6") as file:
        (text,) = [line.split()[0] for line in file if line.split()[5] == name and line.startswith("fe80")]
    return ipaddress.IPv6Address(int(text, 16))

def wait(one):
    for _ in range(2000):
        got = one.receive()
        if got is not None:
            return got
        time.sleep(0.005)

left, right = (GroupSocket(socket.if_nametoindex(name)) for name in ("left", "right"))
"""
CABLE = ("ip link add left type veth peer name right && ip link set left addrgenmode eui64 && "
         "for one in left right; do echo 0 > /proc/sys/net/ipv6/conf/$one/accept_dad; ip link set $one up; done; "
         "for count in $(seq 100); do [ $(grep -c ^fe80 /proc/net/if_inet6) = 2 ] && break; sleep 0.05; done")


def allowed() -> bool:
    if not shutil.which("unshare") or not shutil.which("ip"):
        return False
    line = "ip link add left type veth peer name right"
    return subprocess.run(["unshare", "-rn", "sh", "-c", line], capture_output=True, check=False).returncode == 0


def printed(script: str) -> list[str]:
    """Run a script in a namespace with a cable between two interfaces, and return what it printed."""
    done = subprocess.run(
        ["unshare", "-rn", "sh", "-c", f'{CABLE}; exec "$@"', "sh", sys.executable, "-W", "error", "-c", HEAD + script],
        capture_output=True, text=True, timeout=60, check=False, env=os.environ,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


namespaces = pytest.mark.skipif(not allowed(), reason="needs network namespaces")


def test_an_interface_that_there_is_not_leaves_no_socket() -> None:
    with raises_errno(19):      # ENODEV
        GroupSocket(99_999)


@namespaces
@pytest.mark.interop
def test_what_is_sent_to_the_group_comes_on_the_other_end_with_its_sender() -> None:
    assert printed("""
right.join()
right.join()
print(right.receive(), right.fileno() > 0)
left.send(b"beacon", local("left"))
data, sender = wait(right)
print(data, sender == local("left"))
print(right.receive(), left.receive())
left.send(b"x" * (SIZE + 100), local("left"))
print(len(wait(right)[0]) == SIZE)
left.close()
right.close()
""") == ["None True", "b'beacon' True", "None None", "True"]


@namespaces
@pytest.mark.interop
def test_only_what_is_sent_to_the_group_from_the_link_counts() -> None:
    """A datagram to the interface's own address is not heard, nor one whose source is no address of the link."""
    assert printed("""
import subprocess
right.join()
for number, name in enumerate(("left", "right"), 1):
    subprocess.run(["ip", "address", "add", f"fd00::{number}/64", "dev", name, "nodad"], check=True)
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as other:
    other.bind(("fd00::1", 0))
    other.sendto(b"not to the group", ("fd00::2", GROUP_PORT))
    other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("left"))
    other.sendto(b"not from the link", (GROUP, GROUP_PORT))
left.send(b"beacon", local("left"))
print(wait(right)[0])
print(right.receive())
left.close()
right.close()
""") == ["b'beacon'", "None"]


@namespaces
@pytest.mark.interop
def test_a_source_that_is_not_ours_cannot_be_sent_from() -> None:
    assert printed("""
try:
    left.send(b"x", ipaddress.IPv6Address("fe80::dead"))
except OSError as error:
    print(error.errno in (22, 99))
left.close()
right.close()
try:
    left.send(b"x", local("left"))
except OSError as error:
    print(error.errno)
""") == ["True", "9"]
