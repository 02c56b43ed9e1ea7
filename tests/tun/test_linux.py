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
from ygg import LoopbackNetwork, ReadWriteCloser, TunAdapter, VTun
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
        gateway = ReadWriteCloser(one)
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

asyncio.run(asyncio.wait_for(main(), 20))
"""


def allowed() -> bool:
    if not os.path.exists("/dev/net/tun") or not shutil.which("unshare"):
        return False
    return subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.interop
@pytest.mark.skipif(not allowed(), reason="needs /dev/net/tun and network namespaces")
def test_the_kernel_reaches_a_node_through_a_tun_device() -> None:
    paths = [str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(
        ["unshare", "-rn", sys.executable, "-W", "error", "-c", SCRIPT],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "hello 200:eaee:3845:17ec:1cd4:55a:49a5:868b" in done.stdout, done.stderr
    assert "tun0 1500 True True" in done.stdout
