"""Nodes on one Ethernet find each other by multicast: two of ours, and ours with the packaged daemon."""

from typing import Any

import pytest

from .daemon import Daemon, wait_until
from .identity import identities
from .lab import ip
from .net import Net
from .ours import Ours

DISCOVERY = 30.0
"""Seconds in which nodes have found each other: addresses settle, and a beacon is missed at times."""
DETECTION = 60.0
"""Seconds in which a link over a dead interface has been given up, and another found."""


def daemon(net: Net, **entry: Any) -> Daemon:
    entry = {"Regex": "^eth", "Beacon": False, "Listen": False} | entry
    started: Daemon = net.daemon(*identities(1), multicast=(entry,))
    return started


def ours(net: Net, **rule: Any) -> Ours:
    started: Ours = net.ours(*identities(1))
    started.ask("discover", **rule)
    return started


def meet(one: Daemon | Ours, other: Daemon | Ours, timeout: float = DISCOVERY) -> None:
    wait_until(
        lambda: other.key in one.peer_keys() and one.key in other.peer_keys(), "they find each other", timeout=timeout
    )


@pytest.mark.parametrize("password", ["", "secret"])
def test_two_of_ours(net: Net, password: str) -> None:
    meet(ours(net, beacon=True, password=password), ours(net, listen=True, password=password))


def test_daemon_hears_ours(net: Net) -> None:
    meet(ours(net, beacon=True, password="a b&c=ö"), daemon(net, Listen=True, Password="a b&c=ö"))


def test_ours_hears_the_daemon(net: Net) -> None:
    meet(ours(net, listen=True, password="p"), daemon(net, Beacon=True, Password="p"))


def test_both_announce_and_both_listen(net: Net) -> None:
    one = ours(net, beacon=True, listen=True, priority=3)
    other = daemon(net, Beacon=True, Listen=True)
    meet(one, other)
    (peer, *_) = [peer for peer in other.peers() if peer["key"] == one.key]
    assert peer["priority"] == 3


def test_wrong_password_does_not_peer(net: Net) -> None:
    one, other = (ours(net, beacon=True, listen=True, password=text) for text in ("right", "wrong"))
    third, fourth = (daemon(net, Beacon=True, Listen=True, Password=text) for text in ("right", "wrong"))
    meet(one, third)
    meet(other, fourth)
    wait_until(lambda: one.ask("discovery").get("wrong password", 0) > 3, "beacons of the others arrive", DISCOVERY)
    assert one.peer_keys() == {third.key}
    assert fourth.peer_keys() == {other.key}


def test_interface_that_goes_down_and_up_heals(net: Net) -> None:
    one, other, third = ours(net, beacon=True, listen=True), ours(net, beacon=True, listen=True), None
    third = daemon(net, Beacon=True, Listen=True)
    meet(one, other)
    meet(one, third)
    ip("-n", one.host.namespace, "link", "set", "eth0", "down")
    wait_until(lambda: not one.peer_keys() and one.key not in other.peer_keys(), "the links end", DETECTION)
    ip("-n", one.host.namespace, "link", "set", "eth0", "up")
    meet(one, other, DETECTION)
    meet(one, third, DETECTION)
