"""Sessions between us and the daemon: group passwords, and the rotation of keys under traffic."""

import json
import subprocess

import pytest

from tests.interop import kernel, payload
from tests.interop.daemon import Daemon, find, wait_until
from tests.interop.identity import identities
from tests.interop.net import Net
from tests.interop.ours import Ours

MINUTES = 1


def pair(net: Net, mine: str = "", theirs: str = "") -> tuple[Ours, Daemon]:
    """Return a node of ours and a daemon, peers of each other, with a group password each."""
    first, second = identities(2)
    daemon = net.daemon(first, listen=("tcp://{}:9000",), group_password=theirs)
    ours = net.ours(second, group_password=mine)
    ours.ask("peer", url=f"tcp://{daemon.host.address}:9000")
    wait_until(lambda: daemon.key in ours.peer_keys(), "the link is up")
    return ours, daemon


def require_group_passwords() -> None:
    """Skip where the daemon is older than they are (0.5.14)."""
    shown = subprocess.run([find("yggdrasil") or "", "-genconf", "-json"], capture_output=True, check=True).stdout
    if "GroupPassword" not in json.loads(shown):
        pytest.skip("this daemon knows no group passwords")


@pytest.mark.parametrize("password", ["p", "grüße # 'x'", "0123", "x" * 1000])
def test_the_same_group_password(net: Net, password: str) -> None:
    """Nodes with the same password exchange traffic, whoever begins."""
    require_group_passwords()
    ours, daemon = pair(net, password, password)
    wait_until(lambda: ours.ask("reaches", address=daemon.address), "the daemon answers us")
    assert kernel.ping(daemon.host, ours.address, 1000)


@pytest.mark.parametrize(("mine", "theirs"), [("p", "q"), ("p", ""), ("", "p")])
def test_different_group_passwords(net: Net, mine: str, theirs: str) -> None:
    """Nodes with different passwords are peers, and exchange no traffic."""
    require_group_passwords()
    ours, daemon = pair(net, mine, theirs)
    for _ in range(2):
        assert not ours.ask("reaches", address=daemon.address)
    assert not kernel.ping(daemon.host, ours.address, 56, tries=3)
    assert daemon.key in ours.peer_keys()


@pytest.mark.slow
@pytest.mark.timeout(60 * MINUTES + 120)
def test_keys_rotate_under_traffic(net: Net) -> None:
    """Datagrams and TCP both ways for some minutes, in which keys rotate again and again: none of them notices."""
    ours, daemon = pair(net)
    wait_until(lambda: ours.ask("reaches", address=daemon.address), "packets pass")
    source = ours.ask("source", count=1 << 20)
    with kernel.udp_echo(daemon.host) as echo, kernel.sink(daemon.host) as sink:
        datagrams = ours.begin("datagrams", address=daemon.address, port=echo, seconds=60 * MINUTES)
        rounds = 0
        while not datagrams.done():
            assert ours.ask("push", address=daemon.address, port=sink, count=1 << 20) == payload.digest(1 << 20)
            assert kernel.fetch(daemon.host, ours.address, source) == payload.digest(1 << 20)
            rounds += 1
        sent, back = datagrams.result(10)
    assert rounds > MINUTES
    assert sent > 1000 * MINUTES
    assert sent - back <= sent // 500
