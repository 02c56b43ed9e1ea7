"""Networks that change: with nodes of ours among daemons they heal as they do among daemons alone."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.interop.churn import SIZE, Network, at_random, disturb, line, ring
from tests.interop.net import Net

SLACK = 15.0
"""Seconds that we may take longer: retries come at powers of two, and pings every second."""
TOPOLOGIES = {"line": lambda chance: line(), "ring": lambda chance: ring(), "random": at_random}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("shape", TOPOLOGIES)
def test_it_heals_as_daemons_do(net: Net, shape: str, tmp_path: Path) -> None:
    """Restarts, cuts, partitions and a root that leaves: every pair with a way between them is there again in time."""
    networks = []
    for mine in (set(), set(range(0, SIZE, 2))):
        chance = random.Random(f"churn of a {shape}")
        edges = TOPOLOGIES[shape](chance)
        networks.append((Network(net, tmp_path / str(len(mine)), edges, mine, chance), chance))
    # Both at the same time: that a machine is busy is the same to both.
    with ThreadPoolExecutor() as pool:
        both = list(pool.map(lambda network: list(disturb(*network)), networks))
    events = [(event, alone, mixed) for (event, alone), (_, mixed) in zip(*both, strict=True)]
    for event, alone, mixed in events:
        print(f"{event:>30} {alone:6.1f} s among daemons, {mixed:6.1f} s with ours")
    assert not [event for event, alone, mixed in events if mixed > alone + SLACK]
