"""ygg.tun.linux: a TUN device, in a network namespace of its own."""

import os
import shutil
import subprocess
import sys

import pytest

# Run inside `unshare`: two nodes in a process, one with a TUN device; the kernel pings the other through it.
SCRIPT = """
import asyncio, subprocess
from tests.nodes import node
from ygg import LoopbackNetwork, ReadWriteCloser, TunAdapter, VTun
from ygg.tun.linux import OSTun

async def ping(address):
    child = await asyncio.create_subprocess_exec("ping", "-6", "-c1", "-W1", str(address), stdout=subprocess.DEVNULL)
    return await child.wait() == 0

async def main():
    network = LoopbackNetwork()
    async with node(1, network) as one, node(2, network) as two, VTun.over(two, mtu=1500):
        await one.call_peer(f"tcp://{(await two.listen('tcp://127.0.0.1:0')).address}")
        gateway = ReadWriteCloser(one)
        adapter = TunAdapter(gateway, mtu=1500)
        async with OSTun(one.address, mtu=1500) as tun:
            adapter.attach(tun)
            while not await ping(two.address):
                pass
            print("pong", tun.name, tun.mtu, tun.upper.packets_in > 0, tun.upper.packets_out > 0)
            adapter.detach()
        gateway.close()

asyncio.run(asyncio.wait_for(main(), 20))
"""


def allowed() -> bool:
    if not os.path.exists("/dev/net/tun") or not shutil.which("unshare") or not shutil.which("ping"):
        return False
    return subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.interop
@pytest.mark.skipif(not allowed(), reason="needs /dev/net/tun, ping, and network namespaces")
def test_the_kernel_reaches_a_node_through_a_tun_device() -> None:
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-W", "error", "-c", SCRIPT],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "pong tun0 1500 True True" in done.stdout, done.stderr
