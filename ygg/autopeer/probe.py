"""How near a candidate is, measured by dialing it: off unless asked for, since every probe is a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from ygg.autopeer.peer import PublicPeer
from ygg.network import Network
from ygg.periodic import loop_time

Probe = Callable[[PublicPeer], Awaitable[float | None]]
"""Returns a peer's round-trip time in seconds, None where it cannot be measured; raises `OSError` when it is away."""

TIMEOUT = 3.0
"""Seconds a candidate has to answer."""

_OVER_UDP = frozenset({"quic"})


def tcp_probe(network_for: Callable[[str], Network]) -> Probe:
    """Return a probe that times a TCP dial through the network of a peer's host, names resolved beforehand."""

    async def probe(peer: PublicPeer) -> float | None:
        if peer.scheme in _OVER_UDP:
            return None
        network = network_for(peer.host)
        address = (await network.resolve(peer.host))[0]
        start = loop_time()
        transport = await network.connect_stream(address, peer.port, timeout=TIMEOUT)
        elapsed = loop_time() - start
        transport.abort()
        return elapsed

    return probe


async def nearest_first(peers: Sequence[PublicPeer], probe: Probe) -> list[PublicPeer]:
    """Return `peers` by round-trip time, then those that cannot be measured, then those that did not answer."""
    ranks = await asyncio.gather(*(_rank(peer, probe) for peer in peers))
    order = sorted(range(len(peers)), key=lambda index: ranks[index])
    return [peers[index] for index in order]


async def _rank(peer: PublicPeer, probe: Probe) -> tuple[int, float]:
    try:
        async with asyncio.timeout(TIMEOUT):
            elapsed = await probe(peer)
    except OSError:
        return 2, 0.0
    return (1, 0.0) if elapsed is None else (0, elapsed)
