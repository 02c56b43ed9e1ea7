"""A daemon that goes away and comes back with the same identity: links, sessions and connections heal by themselves."""

import time

from tests.interop import kernel, payload
from tests.interop.daemon import Daemon, wait_until
from tests.interop.identity import identities
from tests.interop.net import Net

AMOUNT = 200 * 1024 * 1024
UNDER_WAY = 10 * 1024 * 1024
AWAY = 0.5


def restart_when_busy(daemon: Daemon) -> None:
    """Restart a daemon once its peers have carried a good part of a transfer."""
    wait_until(lambda: max((peer.get("bytes_sent", 0) + peer.get("bytes_recvd", 0) for peer in daemon.peers()),
                           default=0) > UNDER_WAY, "the transfer is under way")
    daemon.stop()
    time.sleep(AWAY)
    daemon.start()


def test_the_far_end_restarts(net: Net) -> None:
    """A download from the kernel behind a daemon goes on after the daemon's restart, byte for byte."""
    first, second = identities(2)
    daemon, ours = net.daemon(first, listen=("tcp://{}:9000",)), net.ours(second)
    ours.ask("peer", url=f"tcp://{daemon.host.address}:9000")
    wait_until(lambda: daemon.key in ours.peer_keys(), "the link is up")
    with kernel.source(daemon.host, AMOUNT) as port:
        transfer = ours.begin("fetch", address=daemon.address, port=port)
        restart_when_busy(daemon)
        assert not transfer.done()
        assert transfer.result(60) == payload.digest(AMOUNT)


def test_the_middle_restarts(net: Net) -> None:
    """An upload between two of ours goes on after the daemon between them has restarted."""
    keys = identities(3)
    daemon = net.daemon(keys[1], listen=("tcp://{}:9000",))
    one, other = net.ours(keys[0]), net.ours(keys[2])
    for ours in (one, other):
        ours.ask("peer", url=f"tcp://{daemon.host.address}:9000")
    wait_until(lambda: daemon.peer_keys() == {one.key, other.key}, "both links are up")
    transfer = one.begin("push", address=other.address, port=other.ask("sink"), count=AMOUNT)
    restart_when_busy(daemon)
    assert not transfer.done()
    assert transfer.result(60) == payload.digest(AMOUNT)
