"""Links side by side: pairs of nodes in this process, each pair joined by another transport."""

import asyncio
import contextlib
import statistics
import tempfile
from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple

from ygg import Config, Core, LoopbackNetwork, NativeNetwork, TCPTransport, TLSTransport, TransportManager, VTun
from ygg.network import Network
from ygg.transport import QuicTransport, Transport, UnixTransport, WSTransport

from . import bulk
from .nodes import Member, reach

MTU = 65535
ROUNDS = 9
WARM_UP = 0.1


class Carrier(NamedTuple):
    """What joins the nodes: where the one listens, over which network."""

    url: str
    network: type[Network] = NativeNetwork


CARRIERS = {
    "memory": Carrier("tcp://127.0.0.1:0", LoopbackNetwork),
    "tcp": Carrier("tcp://127.0.0.1:0"),
    "unix": Carrier("unix://{folder}/link"),
    "tls": Carrier("tls://127.0.0.1:0"),
    "ws": Carrier("ws://127.0.0.1:0"),
    "quic": Carrier("quic://127.0.0.1:0"),
}


def _transports(config: Config) -> list[Transport]:
    return [TCPTransport(), TLSTransport(config.certificate), UnixTransport(), WSTransport(),
            QuicTransport(config.certificate)]


@contextlib.asynccontextmanager
async def _member(network: Network) -> AsyncIterator[Member]:
    config, manager = Config.generate(), TransportManager(network)
    for transport in _transports(config):
        manager.register(transport)
    async with Core(config.certificate, manager) as core, VTun.over(core, mtu=MTU) as vtun:
        yield Member(core, vtun)


@contextlib.asynccontextmanager
async def _joined(carrier: Carrier, folder: str) -> AsyncIterator[tuple[Member, str, int, bulk.Sink]]:
    """Run two nodes that are peers; yield the one that sends, where to, and what counts there."""
    async with carrier.network() as network, _member(network) as one, _member(network) as other:
        listener = await other.core.listen(carrier.url.format(folder=folder))
        await one.core.call_peer(str(listener.url))
        await reach(one, other.host)
        sink = bulk.Sink()
        server = await other.vtun.create_server(lambda: sink, port=0)
        yield one, other.host, server.sockets[0].getsockname()[1], sink


async def _slice(one: Member, host: str, port: int, sink: bulk.Sink, seconds: float) -> tuple[float, float]:
    source = bulk.Source()
    await one.vtun.create_connection(lambda: source, host, port)
    await asyncio.sleep(WARM_UP)
    before = bulk.sample(sink.count)
    await asyncio.sleep(seconds)
    after = bulk.sample(sink.count)
    source.stop()
    await asyncio.sleep(0.01)
    return bulk.rates(before, after)


async def side_by_side(names: Iterable[str], rounds: int, seconds: float) -> dict[str, list[tuple[float, float]]]:
    """Return (MiB/s, CPU s/GiB) of each round for each of some kinds of link, which take turns."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        pairs = {name: await stack.enter_async_context(_joined(CARRIERS[name], folder)) for name in found}
        for _ in range(rounds):
            for name, pair in pairs.items():
                found[name].append(await _slice(*pair, seconds))
    return found


def links(seconds: float) -> dict[str, float]:
    """Measure goodput over each kind of link and the CPU of both ends: medians of rounds."""
    figures = {}
    for name, rounds in asyncio.run(side_by_side(CARRIERS, ROUNDS, seconds / ROUNDS)).items():
        figures[f"link_{name}_mib_s"] = statistics.median(speed for speed, _ in rounds)
        figures[f"link_{name}_cpu_s_per_gib"] = statistics.median(cost for _, cost in rounds)
    return figures
