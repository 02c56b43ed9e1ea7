"""Links between a node of ours and the packaged daemon over every transport, with the options of their URLs."""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.interop.daemon import Daemon, wait_until
from tests.interop.identity import identities
from tests.interop.net import Net
from tests.interop.ours import Ours

PASSWORD = "correct+horse+%26+battery"
OPTIONS = f"password={PASSWORD}&priority=7&maxbackoff=1m&sni=a.example&keepalive=1s"
PORTS = {"tcp": 9000, "tls": 9001, "ws": 9002, "wss": 9003, "quic": 9004}
PROXY, STRICT_PROXY = 9010, 9011
DAEMON_LISTENS = ("tcp", "tls", "ws", "quic")


class Case(NamedTuple):
    """How a link is dialed: scheme, what is between it and the listener's address, and the listener's scheme."""

    url: str
    listener: str


DIRECT = {scheme: Case(f"{scheme}://{{host}}:{port}", scheme) for scheme, port in PORTS.items()}
BESIDES = {
    "ws with a path": Case(f"ws://{{host}}:{PORTS['ws']}/any/path", "ws"),
    "unix": Case("unix://{folder}/{name}.sock", "unix"),
    "socks": Case(f"socks://{{proxy}}:{PROXY}/{{host}}:{PORTS['tcp']}", "tcp"),
    "socks with a password": Case(f"socks://user:secret@{{proxy}}:{STRICT_PROXY}/{{host}}:{PORTS['tcp']}", "tcp"),
    "sockstls": Case(f"sockstls://{{proxy}}:{PROXY}/{{host}}:{PORTS['tls']}", "tls"),
}
CASES = DIRECT | BESIDES


class Site(NamedTuple):
    """A node of ours and a daemon, listening at everything they can, and a proxy beside ours."""

    ours: Ours
    daemon: Daemon
    folder: Path

    def url(self, case: Case, listener: Ours | Daemon) -> str:
        """Return where a listener is dialed, its key pinned."""
        name = "ours" if listener is self.ours else "daemon"
        address = case.url.format(host=listener.host.address, folder=self.folder, name=name,
                                  proxy=self.ours.host.address)
        return f"{address}?{OPTIONS}&key={listener.key}"


@pytest.fixture(scope="module")
def site(shared_net: Net, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Everything that listens."""
    first, second = identities(2)
    folder = tmp_path_factory.mktemp("sockets")
    at = {scheme: f"{scheme}://{{}}:{port}?password={PASSWORD}" for scheme, port in PORTS.items()}
    ours = shared_net.ours(first)
    for url in [*at.values(), f"unix://{folder}/ours.sock?password={PASSWORD}"]:
        ours.ask("listen", url=url.format(ours.host.address))
    ours.ask("proxy", host=ours.host.address, port=PROXY, users={})
    ours.ask("proxy", host=ours.host.address, port=STRICT_PROXY, users={"user": "secret"})
    listen = (*(at[scheme] for scheme in DAEMON_LISTENS), f"unix://{folder}/daemon.sock?password={PASSWORD}")
    return Site(ours, shared_net.daemon(second, listen=listen), folder)


def priority(daemon: Daemon) -> list[int]:
    """Return the priorities of the daemon's links."""
    return [peer.get("priority", 0) for peer in daemon.peers() if peer["up"]]


@pytest.mark.parametrize("case", [name for name in CASES if name != "wss"])
def test_we_dial(site: Site, case: str) -> None:
    """The link comes up with its options, carries traffic, and goes down when we give it up."""
    ours, daemon, _ = site
    url = site.url(CASES[case], daemon)
    ours.ask("peer", url=url)
    wait_until(lambda: ours.key in daemon.peer_keys() and daemon.key in ours.peer_keys(), "the link is up")
    assert priority(daemon) == [7]
    wait_until(lambda: ours.ask("ping", address=daemon.address, size=1000) < 5, "the daemon answers")
    ours.ask("unpeer", url=url)
    wait_until(lambda: ours.key not in daemon.peer_keys() and not ours.peer_keys(), "the link is down")


@pytest.mark.parametrize("case", CASES)
def test_the_daemon_dials(site: Site, case: str) -> None:
    """The link comes up with its options, carries traffic, and goes down when the daemon gives it up."""
    ours, daemon, _ = site
    url = site.url(CASES[case], ours)
    daemon.peer(url)
    wait_until(lambda: ours.key in daemon.peer_keys() and daemon.key in ours.peer_keys(), "the link is up")
    assert priority(daemon) == [7]
    wait_until(lambda: ours.ask("ping", address=daemon.address, size=1000) < 5, "the daemon answers")
    daemon.unpeer(url)
    wait_until(lambda: ours.key not in daemon.peer_keys() and not ours.peer_keys(), "the link is down")
