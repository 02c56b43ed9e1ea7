"""ygg.daemon with a TUN device, in a network namespace of its own."""

import os
import shutil
import subprocess
import sys

import pytest

# Run inside `unshare`: the kernel's ping reaches a node by the device that another one has made.
SCRIPT = """
import asyncio
from ygg import Config, Core, LoopbackNetwork, TCPTransport, TransportManager, VTun
from ygg.daemon import Daemon

async def main():
    async with LoopbackNetwork() as network:
        manager = TransportManager(network)
        manager.register(TCPTransport())
        async with Core(Config.generate().certificate, manager) as far, VTun.over(far):
            listener = await far.listen("tcp://127.0.0.1:0")
            config = Config(peers=[f"tcp://{listener.address}"], if_mtu=1400, multicast_interfaces=[])
            async with Daemon(config, network) as daemon:
                print(daemon.interface, flush=True)
                ping = await asyncio.create_subprocess_exec("ping", "-c", "1", "-w", "20", str(far.address))
                print(await ping.wait())
                counters = daemon.adapter.counters()
                passed = counters["device_packets_in"] > 0 and counters["device_packets_out"] > 0
                print(passed, counters["device_dropped_full"])

asyncio.run(asyncio.wait_for(main(), 40))
"""


def allowed() -> bool:
    if not os.path.exists("/dev/net/tun") or not shutil.which("unshare") or not shutil.which("ping"):
        return False
    return subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.interop
@pytest.mark.skipif(not allowed(), reason="needs /dev/net/tun, network namespaces and ping")
def test_the_kernel_reaches_a_node_through_the_device() -> None:
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-W", "error", "-c", SCRIPT],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    assert (lines[0], lines[-2:]) == ("tun0", ["0", "True 0"]), done.stdout + done.stderr
