"""The honest side's process: bystander.py TCP-PORT KEY [ROUND-TRIP].

A neighbour of the victim pings it, opens connections to it and watches its link; newcomers link to it, one after the
other, and ping it. All of them are a round trip of so many milliseconds away.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Awaitable, Callable

from hostile.distance import distant
from hostile.victim import SEED as VICTIM
from hostile.victim import tell
from ygg import Certificate, Core, NativeNetwork, PrivateKey, TCPTransport, TransportManager, VTun
from ygg.identity.address import address_of
from ygg.network.base import Network

SEED = bytes([12]) * 32


def manager(network: Network) -> TransportManager:
    """Return a manager of tcp."""
    made = TransportManager(network)
    made.register(TCPTransport())
    return made


async def over_and_over(kind: str, pause: float, act: Callable[[], Awaitable[object]]) -> None:
    """Do something in turn with pauses, and tell how long each took and what went wrong."""
    while True:
        started, error = time.monotonic(), ""
        try:
            await act()
        except Exception as failure:
            error = repr(failure)[:120]
        tell(kind=kind, seconds=time.monotonic() - started, started=started, error=error)
        await asyncio.sleep(pause)


async def connect(vtun: VTun, address: str) -> None:
    """Open a connection, have 100 bytes sent back, and end it."""
    async with asyncio.timeout(5):
        reader, writer = await vtun.open_connection(address, 7)
        try:
            writer.write(bytes(100))
            await reader.readexactly(100)
        finally:
            writer.transport.abort()


def newcomer() -> PrivateKey:
    """Return a new key that does not become the root of the tree: that would be another event than joining it."""
    others = max(PrivateKey.from_seed(seed).public_key for seed in (SEED, VICTIM))
    while (key := PrivateKey.from_seed(os.urandom(32))).public_key < others:
        pass
    return key


async def join(network: Network, url: str, address: str) -> None:
    """Be a new node that links to the victim and is answered."""
    async with Core(Certificate(newcomer()), manager(network)) as core:
        await asyncio.wait_for(core.call_peer(url), 5)
        async with VTun.over(core) as vtun:
            await vtun.ping(address, timeout=5)


async def watch(core: Core) -> None:
    """Tell when the link comes up and when it is lost."""
    up = False
    while True:
        now = any(peer.up for peer in core.peers())
        if now != up:
            tell(kind="link", up=now, error="; ".join(peer.last_error for peer in core.peers()))
            up = now
        await asyncio.sleep(0.02)


async def main(port: str, key: str, round_trip: str = "0") -> None:
    """Run until killed."""
    away = float(round_trip) / 2000
    near = await distant(int(port), away) if away else port
    address, url = str(address_of(bytes.fromhex(key))), f"tcp://127.0.0.1:{near}"
    async with NativeNetwork() as network, Core(Certificate(PrivateKey.from_seed(SEED)), manager(network)) as core:
        core.add_peer(f"{url}?key={key}")
        async with VTun.over(core) as vtun, asyncio.TaskGroup() as tasks:
            tasks.create_task(watch(core))
            tasks.create_task(over_and_over("ping", 0.05, lambda: vtun.ping(address, timeout=3)))
            tasks.create_task(over_and_over("connect", 0.2, lambda: connect(vtun, address)))
            tasks.create_task(over_and_over("newcomer", 0.5, lambda: join(network, url, address)))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
