"""Nodes on one Ethernet find each other by multicast: two of ours, and ours with the packaged daemon."""

import contextlib
import os
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ygg.multicast.beacon import GROUP, GROUP_PORT, Beacon

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


def answers(one: Ours, other: Daemon | Ours) -> bool:
    with contextlib.suppress(RuntimeError):     # nothing came back in time
        one.ask("ping", address=other.address, size=8)
        return True
    return False


def test_interface_that_goes_down_and_up_heals(net: Net) -> None:
    """Traffic stops with the interface and goes on after it; an idle link is silent and may outlive that."""
    one, other = (ours(net, beacon=True, listen=True) for _ in range(2))
    third = daemon(net, Beacon=True, Listen=True)
    meet(one, other)
    meet(one, third)
    wait_until(lambda: answers(one, other) and answers(one, third), "they talk")
    ip("-n", one.host.namespace, "link", "set", "eth0", "down")
    assert not answers(one, other)
    wait_until(lambda: not answers(one, other) and other.key not in one.peer_keys(), "the link in use ends", DETECTION)
    ip("-n", one.host.namespace, "link", "set", "eth0", "up")
    wait_until(lambda: answers(one, other) and answers(one, third), "they talk again", DETECTION)
    meet(one, other, DETECTION)
    meet(one, third, DETECTION)


def test_shares_the_port_with_a_daemon_on_the_same_host(net: Net) -> None:
    one, other = ours(net, beacon=True, listen=True), daemon(net, Beacon=True, Listen=True)
    here: Daemon = Daemon(one.host, other.folder.parent / "shared", *identities(1),
                          multicast=({"Regex": "^eth", "Beacon": True, "Listen": True},))
    net.running.append(here)
    meet(one, other)
    meet(here, other)


def test_flood_of_invented_neighbours(net: Net) -> None:
    """What a neighbour sends costs neither much time nor a storm of dials, and hides no real neighbour."""
    one, other = ours(net, beacon=True, listen=True), daemon(net, Beacon=True)
    meet(one, other)
    attacker = other.host.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    index = int(ip("-n", other.host.namespace, "-o", "link", "show", "eth0").partition(":")[0])
    attacker.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, struct.pack("@I", index))
    before, start = one.ask("discovery"), time.monotonic()
    for number in range(20_000):
        beacon = Beacon.make(number.to_bytes(32, "big"), 1 + number)
        attacker.sendto(beacon.encode(), (GROUP, GROUP_PORT, 0, index))
    attacker.close()
    after, turns = one.ask("discovery"), (time.monotonic() - start) + 2
    assert after["received"] - before["received"] <= 256 * turns
    assert after["dialed"] - before["dialed"] <= 8 * turns
    assert after["too many"] > 0
    assert other.key in one.peer_keys()
    meet(one, daemon(net, Beacon=True))


def test_example_finds_its_neighbour(net: Net) -> None:
    host = net.daemon(*identities(1)).host
    example = Path(__file__).parents[2] / "examples" / "link_local.py"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = wait_until(lambda: _found(host.command(sys.executable, example), environment), "the example finds a node")
    assert "fe80::" in done


def _found(command: list[str], environment: dict[str, str]) -> str:
    # Until its address has settled the host is one where the example has nothing to do.
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout if done.stdout.startswith("found 2") else ""
