"""The spanning tree: who is root, what the daemon shows of a node of ours, and what either tells the other about it."""

import sys

import pytest

from tests.interop import kernel
from tests.interop.daemon import Daemon, wait_until
from tests.interop.identity import identities
from tests.interop.net import Net
from tests.interop.ours import Ours


def root_of(daemon: Daemon) -> str:
    """Return the key of the root as the daemon sees it, or "" while its tree has none."""
    return next((node["key"] for node in daemon.ctl("gettree")["tree"] if node["key"] == node["parent"]), "")


@pytest.mark.parametrize("place", [0, 1, 2], ids=["we are root", "we are in between", "we are last"])
def test_the_smallest_key_is_root(net: Net, place: int) -> None:
    """We and two daemons in a row agree on the root, and on who hangs below whom."""
    keys = identities(3)
    ours = net.ours(keys[place])
    one, other = (net.daemon(key, listen=("tcp://{}:9000",)) for key in keys if key != keys[place])
    ours.ask("peer", url=f"tcp://{one.host.address}:9000")
    other.peer(f"tcp://{one.host.address}:9000")
    wait_until(lambda: root_of(one) == root_of(other) == ours.ask("root") == keys[0].key, "all agree on the root")
    wait_until(lambda: any(node["key"] == ours.key for node in one.ctl("gettree")["tree"]), "the tree shows us")
    wait_until(lambda: kernel.ping(other.host, ours.address, 56), "packets find us")


@pytest.fixture(scope="module")
def trio(shared_net: Net) -> tuple[Daemon, Ours, Daemon]:
    """A daemon with two peers that have exchanged traffic with it: a node of ours and a daemon."""
    keys = identities(3)
    hub = shared_net.daemon(keys[0], listen=("tcp://{}:9000",))
    ours, daemon = shared_net.ours(keys[1]), shared_net.daemon(keys[2])
    ours.ask("peer", url=f"tcp://{hub.host.address}:9000")
    daemon.peer(f"tcp://{hub.host.address}:9000")
    wait_until(lambda: hub.peer_keys() == {ours.key, daemon.key}, "both are peers")
    for peer in (ours, daemon):
        wait_until(lambda peer=peer: kernel.ping(hub.host, peer.address, 56), "traffic was exchanged")
    return hub, ours, daemon


@pytest.mark.parametrize(("command", "rows"), [("getpeers", "peers"), ("getsessions", "sessions"), ("gettree", "tree")])
def test_we_are_shown_as_a_daemon_is(trio: tuple[Daemon, Ours, Daemon], command: str, rows: str) -> None:
    """yggdrasilctl shows the same fields for us as for a daemon, filled with the same kind of value."""
    hub, ours, daemon = trio

    def shown() -> dict[str, dict[str, object]] | None:
        found = {row["key"]: row for row in hub.ctl(command)[rows]}
        # The daemon leaves out what is still zero: rates and latency come with the first ticks.
        full = found.keys() >= {ours.key, daemon.key} and found[ours.key].keys() == found[daemon.key].keys()
        return found if full else None

    found = wait_until(shown, f"{command} shows both with the same fields")
    mine, theirs = found[ours.key], found[daemon.key]
    assert mine["address"] == ours.address
    assert {name: type(value) for name, value in mine.items()} == {name: type(value) for name, value in theirs.items()}
    for name in ("up", "inbound", "priority"):
        assert mine.get(name) == theirs.get(name)


def test_we_answer_the_daemons_questions(trio: tuple[Daemon, Ours, Daemon]) -> None:
    """yggdrasilctl gets from us, to getnodeinfo and the debug requests, what it gets from a daemon."""
    hub, ours, daemon = trio
    for key, address, name in ((node.key, node.address, node.host.namespace) for node in (ours, daemon)):
        (info,) = hub.ctl("getnodeinfo", key=key).items()
        assert info[0] == key
        assert info[1].keys() == {"name", "buildname", "buildversion", "buildplatform", "buildarch"}
        assert (info[1]["name"], info[1]["buildplatform"]) == (name, sys.platform)
        assert hub.ctl("debug_remotegetself", key=key)[address].keys() == {"key", "routing_entries"}
        assert hub.ctl("debug_remotegetself", key=key)[address]["key"] == key
        assert hub.ctl("debug_remotegetpeers", key=key) == {address: {"keys": [hub.key]}}
        assert {hub.key, key} <= set(hub.ctl("debug_remotegettree", key=key)[address]["keys"])


def test_the_daemon_answers_our_questions(trio: tuple[Daemon, Ours, Daemon]) -> None:
    """NodeInfo and the debug requests are answered by our peer, and by a daemon one hop beyond."""
    hub, ours, daemon = trio
    # A question is asked once: filters must have told us of the far daemon before.
    wait_until(lambda: kernel.ping(daemon.host, ours.address, 56), "the far daemon is reached")
    for asked in (hub, daemon):
        info = ours.ask("node_info", key=asked.key)
        assert (info["name"], info["buildname"]) == (asked.host.namespace, "yggdrasil")
        about = ours.ask("remote_self", key=asked.key)
        assert (about["key"], int(about["routing_entries"]) >= 2) == (asked.key, True)
        assert {hub.key, asked.key} <= set(ours.ask("remote_tree", key=asked.key))
    assert sorted(ours.ask("remote_peers", key=hub.key)) == sorted([ours.key, daemon.key])
    assert ours.ask("remote_peers", key=daemon.key) == [hub.key]
