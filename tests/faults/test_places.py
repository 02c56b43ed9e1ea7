"""Strangers that take places at listeners: what they take is bounded, and the next honest node comes in."""

import asyncio
import socket
import subprocess
import sys

import pytest

from tests.aio import LOOPS, run, settle, until
from tests.faults.hostile import Impostor
from tests.nodes import Stranger, node
from ygg import Core, IncomingLimits, NativeNetwork
from ygg.node import handshake

TIGHT = IncomingLimits(links=32, per_address=12, reserved=4, newcomers=16, grouping=lambda host: (host,))
"""Small, and tells loopback addresses apart."""


def there(core: Core, key: bytes) -> bool:
    """Tell whether a node has a link to this key, seen to hold it."""
    return any(record.link and record.link.key == key and record.link.proven for record in core.links)


async def flood(network: NativeNetwork, url: str, numbers: range) -> list[Impostor]:
    """Link to a node under many keys, each shown to be held unless it is thrown out before."""
    impostors = []
    for number in numbers:
        impostors.append(await Impostor.linked(network, url, number))
        await asyncio.sleep(0)
    await until(lambda: all(impostor.signed or impostor.heard[2] or impostor.lost.done() for impostor in impostors))
    return impostors


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("home", ["127.0.0.2", "127.0.0.3"])
def test_a_newcomer_comes_in_beside_a_stranger_with_many_keys(loop: str, home: str) -> None:
    """From another address, and from the same one; and those who were there stay."""

    async def main() -> None:
        async with (
            NativeNetwork(source_addresses=["127.0.0.9"]) as earlier,
            NativeNetwork(source_addresses=["127.0.0.2"]) as theirs,
            NativeNetwork(source_addresses=[home]) as ours,
            node(1, earlier, incoming_limits=TIGHT) as victim,
            node(2, earlier) as incumbent,
            node(3, ours) as newcomer,
        ):
            url = f"tcp://{(await victim.listen('tcp://127.0.0.1:0')).address}"
            await incumbent.call_peer(url)
            await until(lambda: there(victim, incumbent.public_key))
            impostors = await flood(theirs, url, range(10, 90))
            await newcomer.call_peer(url)
            await until(lambda: there(victim, newcomer.public_key))
            open_ = sum(not impostor.lost.done() for impostor in impostors)
            assert open_ <= TIGHT.per_address + TIGHT.newcomers
            assert victim.counters()["incoming_evicted"] > 0
            if home == "127.0.0.3":     # it is nobody's crowd
                impostors += await flood(theirs, url, range(90, 120))
                assert there(victim, newcomer.public_key)
            assert there(victim, incumbent.public_key)
            for impostor in impostors:
                impostor.transport.abort()
            await until(lambda: all(impostor.lost.done() for impostor in impostors))

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_slow_handshake_is_not_pushed_out_by_a_host_with_many(loop: str) -> None:
    async def main() -> None:
        async with (
            NativeNetwork(source_addresses=["127.0.0.2"]) as theirs,
            NativeNetwork(source_addresses=["127.0.0.3"]) as ours,
            node(1, ours, incoming_limits=TIGHT) as victim,
        ):
            address = (await victim.listen("tcp://127.0.0.1:0")).address
            slow = await Stranger.at(ours, address)
            hello = handshake.encode(Impostor.KEY, 0)
            silent: list[Stranger] = []
            for at in range(0, len(hello), 20):
                slow.transport.write(hello[at : at + 20])
                silent += [await Stranger.at(theirs, address) for _ in range(20)]
                await settle()
            await until(lambda: [peer.key for peer in victim.peers()] == [Impostor.KEY.public_key])
            assert sum(stranger.lost.done() for stranger in silent) >= len(silent) - TIGHT.newcomers
            assert victim.counters()["newcomers_dropped"] > 0
            for stranger in [*silent, slow]:
                stranger.transport.abort()
            await until(lambda: all(stranger.lost.done() for stranger in [*silent, slow]))

    run(main(), loop)


STARVED = """
import asyncio, resource, socket
from ygg import Certificate, Core, NativeNetwork, PrivateKey, TCPTransport, TransportManager

refused = 0
accept = socket.socket.accept

def counted(self):
    global refused
    try:
        return accept(self)
    except OSError as error:
        refused += not isinstance(error, BlockingIOError)
        raise

async def main():
    socket.socket.accept = counted
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
    certificate = Certificate(PrivateKey.from_seed(bytes(32)))
    async with NativeNetwork() as network:
        manager = TransportManager(network)
        manager.register(TCPTransport())
        async with Core(certificate, manager) as core:
            print((await core.listen("tcp://127.0.0.1:0")).address, flush=True)
            await asyncio.get_running_loop().run_in_executor(None, input)
            for _ in range(1000):
                await asyncio.sleep(0)
            print(refused, flush=True)
            await asyncio.get_running_loop().run_in_executor(None, input)

asyncio.run(main())
"""


def test_a_listener_without_descriptors_waits_and_goes_on() -> None:
    """Strangers hold all descriptors of the process: it does not spin, and listens again when they are gone."""
    process = subprocess.Popen(
        [sys.executable, "-c", STARVED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        host, _, port = process.stdout.readline().strip().rpartition(":")
        silent = [socket.create_connection((host, int(port)), 30) for _ in range(60)]
        process.stdin.write("\n")
        assert 1 <= int(process.stdout.readline()) < 100
        for sock in silent:
            sock.close()
        with socket.create_connection((host, int(port)), 30) as honest:
            honest.settimeout(30)
            assert honest.recv(4) == b"meta"
        process.stdin.write("\n")
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()
