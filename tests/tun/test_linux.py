"""ygg.tun.linux: a TUN device, in a network namespace of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
# Run inside `unshare`: two nodes in a process, one with a TUN device; a socket of the kernel's reaches the other by it.
SCRIPT = """
import asyncio, socket
from nodes import node
from ygg import LoopbackNetwork, Gateway, TunAdapter, VTun
from ygg.tun.linux import OSTun

async def echo(port, sock, address):
    loop = asyncio.get_running_loop()
    while True:
        sock.sendto(b"hello", (str(address), port))
        try:
            async with asyncio.timeout(0.2):
                return await loop.sock_recv(sock, 100)
        except TimeoutError:
            pass

async def main():
    network = LoopbackNetwork()
    async with node(1, network) as one, node(2, network) as two, VTun.over(two, mtu=1500) as vtun:
        await one.call_peer(f"tcp://{(await two.listen('tcp://127.0.0.1:0')).address}")
        gateway = Gateway(one)
        adapter = TunAdapter(gateway, mtu=1500)
        async with OSTun(one.address, mtu=1500) as tun:
            adapter.attach(tun)
            udp = await vtun.open_datagram(local_port=0)

            async def answer():
                data, sender = await udp.recvfrom()
                await udp.sendto(data + b" " + sender[0].encode(), sender)

            task = asyncio.create_task(answer())
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)
                print(await echo(udp.getsockname()[1], sock, two.address))
            await task
            print(tun.name, tun.mtu, tun.upper.packets_in > 0, tun.upper.packets_out > 0)
            udp.close()
            adapter.detach()
        gateway.close()

asyncio.run(asyncio.wait_for(main(), 50))
"""


def allowed() -> bool:
    if not os.path.exists("/dev/net/tun") or not shutil.which("unshare"):
        return False
    return subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0


def namespaced(script: str, *, setting: str = "") -> str:
    """Run a script in a network namespace of its own, after a shell command, and return what it printed."""
    paths = [str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    line = f'{setting or "true"} && exec "$@"'
    done = subprocess.run(
        ["unshare", "-rn", "sh", "-c", line, "sh", sys.executable, "-W", "error", "-c", script],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not allowed(), reason="needs /dev/net/tun and network namespaces"),
]


def test_the_kernel_reaches_a_node_through_a_tun_device() -> None:
    printed = namespaced(SCRIPT)
    assert "hello 200:eaee:3845:17ec:1cd4:55a:49a5:868b" in printed
    assert "tun0 1500 True True" in printed


# Made again and again: a device whose address is tentative lets some of these bind.
ADDRESSES = """
import asyncio, socket
from ipaddress import IPv6Address
from ygg.tun.linux import OSTun

RTF_LOCAL = 0x80000000

async def main():
    for number in range(20):
        address = IPv6Address(f"200::{number + 1:x}")
        async with OSTun(address):
            with open("/proc/net/if_inet6") as file:
                (line,) = [line.split() for line in file if line.startswith("02")]
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
                sock.bind((str(address), 0))
            with open("/proc/net/ipv6_route") as file:
                routes = [line.split() for line in file if line.startswith(address.packed.hex() + " 80")]
            print(*line[2:5], any(int(route[8], 16) & RTF_LOCAL for route in routes))

asyncio.run(main())
"""


def test_an_address_may_be_used_at_once_and_is_not_looked_for_on_the_link() -> None:
    # Prefix length, scope, IFA_F_PERMANENT | IFA_F_NODAD without IFA_F_TENTATIVE (0x40), a route for what arrives.
    assert namespaced(ADDRESSES).splitlines() == ["07 00 82 True"] * 20


REFUSED = """
import asyncio
from ipaddress import IPv6Address
from ygg.tun.linux import OSTun

async def main():
    try:
        OSTun(IPv6Address("200::1"), "box7")
    except OSError as error:
        print(type(error).__name__, error.errno, error)
    with open("/proc/net/dev") as file:
        print("left", "box7" in file.read())

asyncio.run(main())
"""


def test_ipv6_switched_off_is_said_with_what_to_set() -> None:
    printed = namespaced(REFUSED, setting="echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6")
    assert printed.startswith("NetworkError 13 IPv6 is disabled for the interface box7")
    assert "net.ipv6.conf.all.disable_ipv6=0" in printed
    assert "CAP_NET_ADMIN" not in printed
    assert "left False" in printed


PREPARED = "ip tuntap add dev box7 mode tun && ip link set box7 up && ip address add 200::1/7 dev box7"


def test_an_interface_that_was_made_before_may_have_the_address() -> None:
    assert namespaced(REFUSED, setting=PREPARED) == "left True\n"


# Two devices by one name, and names that interfaces cannot have.
NAMES = """
import asyncio
from ipaddress import IPv6Address
from ygg.tun.linux import OSTun

async def main():
    async with OSTun(IPv6Address("200::1"), "box7"):
        for name in ("box7", "a/b", ".", "lo"):
            try:
                OSTun(IPv6Address("200::2"), name)
            except OSError as error:
                print(name, error.errno, error)

asyncio.run(main())
"""


def test_a_name_that_cannot_be_had_is_explained() -> None:
    lines = namespaced(NAMES).splitlines()
    assert lines[0] == "box7 16 Device or resource busy: another program has the interface"
    assert [line.partition(": ")[2] for line in lines[1:]] == [
        "an interface cannot have this name, or one of another kind has it"
    ] * 3


# prctl(PR_CAPBSET_DROP, CAP_NET_ADMIN): what is executed then lacks the right.
WITHOUT_RIGHTS = f"""
import ctypes, os, sys
assert ctypes.CDLL(None).prctl(24, 12, 0, 0, 0) == 0
os.execv(sys.executable, [sys.executable, "-W", "error", "-c", {REFUSED!r}])
"""


def test_missing_rights_are_said() -> None:
    printed = namespaced(WITHOUT_RIGHTS)
    assert printed.startswith("NetworkError 1 Operation not permitted: ")
    assert "needs the right CAP_NET_ADMIN" in printed


# More than any queue below holds, sent before the node is asked to read: what it cannot pass on stays in the device.
BURST = """
import asyncio, socket
from nodes import node
from ygg import LoopbackNetwork, PacketDevice, Gateway, TunAdapter
from ygg.tun.linux import OSTun

class Counter(PacketDevice):
    count = large = 0

    def packets_received(self, packets):
        self.count += len(packets)
        self.large += sum(len(packet) > 60000 for packet in packets)

async def main():
    network = LoopbackNetwork()
    async with node(1, network) as one, node(2, network) as two:
        await one.call_peer(f"tcp://{(await two.listen('tcp://127.0.0.1:0')).address}")
        gateways = [Gateway(one), Gateway(two)]
        adapters = [TunAdapter(gateway, mtu=65535) for gateway in gateways]
        counter = Counter()
        adapters[1].attach(counter)
        async with OSTun(one.address) as tun:
            adapters[0].attach(tun)
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
                sock.connect((str(two.address), 9))
                while not counter.count:        # until there are a path and a session
                    sock.send(b"?")
                    await asyncio.sleep(0.05)
                for _ in range(200):
                    sock.send(bytes(60000))
                async with asyncio.timeout(30):
                    while counter.large < 200:
                        await asyncio.sleep(0.01)
            print(counter.large, one.counters()["queue_dropped"], tun.counters()["waits"] > 0)
            adapters[0].detach()
        for part in (*adapters, *gateways):
            part.close()

asyncio.run(asyncio.wait_for(main(), 50))
"""


def test_a_burst_waits_in_the_device_and_nothing_is_lost() -> None:
    assert namespaced(BURST).split() == ["200", "0", "True"]
