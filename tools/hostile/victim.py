"""The victim's process: a node with a listener of each kind and echo services, which tells how it feels."""

import asyncio
import contextlib
import json
import os
import time
from typing import Any

from ygg import Certificate, Core, NativeNetwork, PrivateKey, TCPTransport, TLSTransport, TransportManager, VTun
from ygg.transport import QuicTransport, WSTransport

SEED = bytes([11]) * 32
TICK = 0.01
PERIOD = 0.25


class Pulse:
    """How late the loop runs what is due, and how long it has worked: lateness without work is a busy machine."""

    def __init__(self) -> None:
        self.lag = self.work = 0.0

    async def beat(self) -> None:
        """Go on measuring."""
        while True:
            due, worked = time.monotonic() + TICK, time.process_time()
            await asyncio.sleep(TICK)
            self.lag = max(self.lag, time.monotonic() - due)
            self.work = max(self.work, time.process_time() - worked - TICK)

    def take(self) -> tuple[float, float]:
        """Return the worst since the last call."""
        found = self.lag, self.work
        self.lag = self.work = 0.0
        return found


def tell(**fields: Any) -> None:
    """Print a line for the arena."""
    print(json.dumps({"t": time.monotonic()} | fields), flush=True)


def resident() -> int:
    """Return the bytes of memory in use."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def echo_datagrams(vtun: VTun) -> None:
    """Send back datagrams."""
    socket = await vtun.open_datagram(local_port=7)
    while True:
        data, address = await socket.recvfrom()
        with contextlib.suppress(OSError):
            await socket.sendto(data, address)


async def main() -> None:
    """Run until killed."""
    certificate = Certificate(PrivateKey.from_seed(SEED))
    async with NativeNetwork() as network:
        manager = TransportManager(network)
        for transport in (TCPTransport(), TLSTransport(certificate), WSTransport(), QuicTransport(certificate)):
            manager.register(transport)
        async with Core(certificate, manager) as core, VTun.over(core) as vtun:
            ports = {}
            for scheme in ("tcp", "tls", "ws", "quic"):
                listener = await core.listen(f"{scheme}://127.0.0.1:0")
                ports[scheme] = int(listener.address.rpartition(":")[2])
            await vtun.start_server(echo, port=7)
            pulse = Pulse()
            services = [asyncio.create_task(echo_datagrams(vtun)), asyncio.create_task(pulse.beat())]
            tell(ports=ports, key=core.public_key.hex())
            while not any(task.done() for task in services):
                worked = time.process_time()
                await asyncio.sleep(PERIOD)
                lag, work = pulse.take()
                tell(resident=resident(), cpu=(time.process_time() - worked) / PERIOD, lag=lag, work=work,
                     links=sum(peer.up for peer in core.peers()), descriptors=len(os.listdir("/proc/self/fd")))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
