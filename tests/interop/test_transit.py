"""Traffic that crosses a node of the other kind: the ends are not peers."""

import pytest

from tests.interop import kernel, payload
from tests.interop.daemon import wait_until
from tests.interop.identity import identities
from tests.interop.net import Net

AMOUNT = 20 * 1024 * 1024


@pytest.mark.parametrize("middle", ["smallest", "largest"])
def test_ours_between_two_daemons(net: Net, middle: str) -> None:
    """Kernels behind two daemons talk through our node, be it the root of the tree or a leaf of it."""
    keys = identities(3)
    ours = net.ours(keys.pop(0 if middle == "smallest" else -1))
    ours.ask("listen", url=f"tcp://{ours.host.address}:9000")
    one, other = (net.daemon(key) for key in keys)
    for daemon in (one, other):
        daemon.peer(f"tcp://{ours.host.address}:9000")
    wait_until(lambda: ours.peer_keys() == {one.key, other.key}, "both daemons are peers")
    wait_until(lambda: kernel.ping(one.host, other.address, 56), "a ping crosses our node")
    assert one.peer_keys() == other.peer_keys() == {ours.key}
    with kernel.source(other.host, AMOUNT) as port:
        assert kernel.fetch(one.host, other.address, port) == payload.digest(AMOUNT)
    with kernel.sink(one.host) as port:
        assert kernel.push(other.host, one.address, port, AMOUNT) == payload.digest(AMOUNT)


@pytest.mark.parametrize("middle", ["smallest", "largest"])
def test_a_daemon_between_two_of_ours(net: Net, middle: str) -> None:
    """Two of our nodes talk through a daemon, be it the root of the tree or a leaf of it."""
    keys = identities(3)
    daemon = net.daemon(keys.pop(0 if middle == "smallest" else -1), listen=("tls://{}:9000",))
    one, other = (net.ours(key) for key in keys)
    for ours in (one, other):
        ours.ask("peer", url=f"tls://{daemon.host.address}:9000?key={daemon.key}")
    wait_until(lambda: daemon.peer_keys() == {one.key, other.key}, "both nodes are peers")
    assert 0 < wait_until(lambda: one.ask("ping", address=other.address, size=56), "a ping crosses the daemon") < 30
    assert one.peer_keys() == other.peer_keys() == {daemon.key}
    port = other.ask("source", count=AMOUNT)
    assert one.ask("fetch", address=other.address, port=port) == payload.digest(AMOUNT)
    assert other.ask("push", address=one.address, port=one.ask("sink"), count=AMOUNT) == payload.digest(AMOUNT)
