"""How many round trips a first dial takes, whoever dials whom.

Wires are long, so that what a busy machine adds is little beside a round trip; and it only ever adds, so of several
dials the fastest says how many round trips there were.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.interop import kernel
from tests.interop.daemon import Daemon, wait_until
from tests.interop.delay import Delay
from tests.interop.identity import identities
from tests.interop.net import Net
from tests.interop.ours import Ours

COUNT = 3
"""Nodes of each kind: so often is each pairing measured, for a first contact is made once."""
DELAY = 0.15
RTT = 4 * DELAY
"""Seconds between any two: two links, there and back."""

SETTLED = 6.0
"""Seconds until filters lead everywhere: daemons look at them once a second."""

Node = Ours | Daemon
Nodes = dict[str, list[Node]]


@pytest.fixture(scope="module")
def nodes(shared_net: Net) -> Iterator[Nodes]:
    """A daemon in the middle, and around it nodes of both kinds behind long wires."""
    *others, hub = identities(2 * COUNT + 1)
    middle = shared_net.daemon(hub, listen=("tcp://{}:9000",))
    found: Nodes = {"ours": [shared_net.ours(key) for key in others[:COUNT]],
                    "daemon": [shared_net.daemon(key) for key in others[COUNT:]]}
    with ExitStack() as stack:
        for node in [*found["ours"], *found["daemon"]]:
            wire = Delay(shared_net.host(), (middle.host.address, 9000), DELAY)
            stack.callback(wire.stop)
            if isinstance(node, Daemon):
                node.peer(wire.url)
            else:
                node.ask("peer", url=wire.url)
        wait_until(lambda: len(middle.peer_keys()) == 2 * COUNT, "the links are up")
        time.sleep(SETTLED)
        yield found


def dial(caller: Node, callee: Node) -> float:
    """Dial a port of the callee; return the seconds until the connection is there."""
    if isinstance(callee, Daemon):
        with kernel.source(callee.host, 1) as port:
            return _dial(caller, callee.address, port)
    return _dial(caller, callee.address, callee.ask("source", count=1))


def _dial(caller: Node, address: str, port: int) -> float:
    if isinstance(caller, Daemon):
        return kernel.dial(caller.host, address, port)
    return float(caller.ask("dial", address=address, port=port))


# Each two nodes meet once: a node of ours dials the daemon of its number, and is dialed by the one before.
OFFSETS = {("ours", "ours"): 1, ("daemon", "daemon"): 1, ("ours", "daemon"): 0, ("daemon", "ours"): 1}


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.parametrize(("caller", "callee"), OFFSETS)
def test_a_first_dial_takes_three_round_trips(nodes: Nodes, caller: str, callee: str) -> None:
    """Four between daemons; three where either end is ours."""
    times = []
    for number in range(COUNT):
        other = (number + OFFSETS[caller, callee]) % COUNT
        times.append(dial(nodes[caller][number], nodes[callee][other]) / RTT)
    print(f"{caller} dials {callee}: " + ", ".join(f"{trips:.2f}" for trips in times))
    assert 2.9 < min(times) < (4.6 if caller == callee == "daemon" else 3.5)
