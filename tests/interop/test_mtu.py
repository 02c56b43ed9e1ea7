"""Nodes of ours and daemons of every MTU: each of ours with each daemon, through a daemon between them."""

import itertools

import pytest

from tests.interop import kernel, payload
from tests.interop.daemon import Daemon, wait_until
from tests.interop.identity import identities
from tests.interop.net import Net
from tests.interop.ours import Ours

MTUS = (1280, 1500, 9000, 65535)
SIZES = (0, 1, 1232, 1233, 1452, 1453, 8952, 8953, 65487)
"""Bytes of payload: nothing, and what fits into each MTU, or no longer does."""
AMOUNT = 2 * 1024 * 1024


@pytest.fixture(scope="module")
def star(shared_net: Net) -> tuple[dict[int, Ours], dict[int, Daemon]]:
    """A daemon with nodes of ours and daemons around it, one of each MTU."""
    keys = identities(1 + 2 * len(MTUS))
    hub = shared_net.daemon(keys[0], listen=("tcp://{}:9000",))
    ours = {mtu: shared_net.ours(key, mtu=mtu) for mtu, key in zip(MTUS, keys[1::2], strict=True)}
    daemons = {mtu: shared_net.daemon(key, mtu=mtu) for mtu, key in zip(MTUS, keys[2::2], strict=True)}
    for node in ours.values():
        node.ask("peer", url=f"tcp://{hub.host.address}:9000")
    for daemon in daemons.values():
        daemon.peer(f"tcp://{hub.host.address}:9000")
    wait_until(lambda: len(hub.peer_keys()) == 2 * len(MTUS), "all are peers of the hub")
    for node, daemon in itertools.product(ours.values(), daemons.values()):
        wait_until(lambda n=node, d=daemon: n.ask("reaches", address=d.address), "packets pass")
    return ours, daemons


@pytest.mark.parametrize("theirs", MTUS)
@pytest.mark.parametrize("mine", MTUS)
def test_every_size(star: tuple[dict[int, Ours], dict[int, Daemon]], mine: int, theirs: int) -> None:
    """Pings and datagrams of every size class go both ways, and so does TCP, whatever the MTUs are."""
    ours, daemon = star[0][mine], star[1][theirs]
    echo = ours.ask("udp_echo")
    with kernel.udp_echo(daemon.host) as port:
        for size in SIZES:
            assert kernel.ping(daemon.host, ours.address, size), size
            assert 0 < ours.ask("ping", address=daemon.address, size=size) < 30
            assert kernel.udp_exchange(daemon.host, ours.address, echo, size), size
            assert ours.ask("udp_exchange", address=daemon.address, port=port, size=size), size
    with kernel.sink(daemon.host) as port:
        assert ours.ask("push", address=daemon.address, port=port, count=AMOUNT) == payload.digest(AMOUNT)
    assert kernel.push(daemon.host, ours.address, ours.ask("sink"), AMOUNT) == payload.digest(AMOUNT)


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(MTUS, 2)))
def test_among_ourselves(star: tuple[dict[int, Ours], dict[int, Daemon]], one: int, other: int) -> None:
    """The same between two of ours."""
    first, second = star[0][one], star[0][other]
    echoes = {node.address: node.ask("udp_echo") for node in (first, second)}
    for here, there in ((first, second), (second, first)):
        for size in SIZES:
            assert 0 < here.ask("ping", address=there.address, size=size) < 30
            assert here.ask("udp_exchange", address=there.address, port=echoes[there.address], size=size), size
        assert here.ask("push", address=there.address, port=there.ask("sink"), count=AMOUNT) == payload.digest(AMOUNT)
