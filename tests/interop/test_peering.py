"""Links between a node of ours and the packaged daemon: who dials, over what, with which password and pinned key."""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.interop.daemon import Daemon, wait_until
from tests.interop.identity import identities
from tests.interop.net import Net
from tests.interop.ours import Ours

LISTENED = ("tcp", "tls", "ws", "quic")
SCHEMES = (*LISTENED, "unix", "socks", "sockstls")  # the last two are a proxy in front of tcp and tls
OURS = (*LISTENED, "wss")  # the daemon leaves that to a reverse proxy
PROXY = 9100
PASSWORD = "correct horse & battery|^`<>"
QUOTED = "correct+horse+%26+battery%7C%5E%60%3C%3E"
BARE = "correct horse %26 battery|^`<>"
STRANGER, ANOTHER = (identity.key for identity in identities(2))
# What a peer's URI asks for, whether the listener wants the password, and whether that makes a link.
GOOD = {"plain": ("", False), "password": (f"?password={QUOTED}", True),
        "password with few escapes": (f"?password={BARE}", True),
        "malformed option": ("?sni=100%&maxbackoff=a;b", False), "pinned": ("?key={key}", False),
        "password and pinned": (f"?password={QUOTED}&key={{key}}", True),
        "pinned among others": (f"?key={STRANGER}&key={{key}}", False)}
BAD = {"wrong password": ("?password=wrong", True), "no password": ("", True),
       "needless password": ("?password=x", False), "wrong key": (f"?key={STRANGER}", False),
       "wrong keys": (f"?key={STRANGER}&key={ANOTHER}", False),
       "right password, wrong key": (f"?password={QUOTED}&key={STRANGER}", True)}


class Pair(NamedTuple):
    """A node of ours and a daemon; each listens at all it can, with and without a password, and we have a proxy."""

    ours: Ours
    daemon: Daemon
    folder: Path

    def url(self, listener: Ours | Daemon, scheme: str, query: str, secret: bool) -> str:
        """Return the URL by which the other side dials a listener."""
        if scheme == "unix":
            place = sockets(self.folder, "ours" if listener is self.ours else "daemon", secret)
        elif scheme in ("socks", "sockstls"):
            behind = "tcp" if scheme == "socks" else "tls"
            proxy = f"{self.ours.host.address}:{PROXY}"
            place = f"{scheme}://{proxy}/{listener.host.address}:{port(behind, secret)}"
        else:
            place = f"{scheme}://{listener.host.address}:{port(scheme, secret)}"
        return place + query.format(key=listener.key)


@pytest.fixture(scope="module")
def pair(shared_net: Net, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """One of each for all tests: a link that fails costs little, a daemon a second."""
    first, second = identities(2)
    folder = tmp_path_factory.mktemp("peering")
    ours = shared_net.ours(first)
    for url in listeners(folder, "ours"):
        ours.ask("listen", url=url.format(ours.host.address))
    ours.ask("proxy", host=ours.host.address, port=PROXY, users={})
    return Pair(ours, shared_net.daemon(second, listen=listeners(folder, "daemon")), folder)


def listeners(folder: Path, name: str) -> tuple[str, ...]:
    """Return where a side listens."""
    found = []
    for secret in (False, True):
        query = f"?password={QUOTED}" if secret else ""
        found += [f"{scheme}://{{}}:{port(scheme, secret)}{query}" for scheme in (OURS if name == "ours" else LISTENED)]
        found.append(sockets(folder, name, secret) + query)
    return tuple(found)


def sockets(folder: Path, name: str, secret: bool) -> str:
    """Return the URL of a listener on a path."""
    return f"unix://{folder}/{name}{'-secret' if secret else ''}.sock"


def port(scheme: str, secret: bool) -> int:
    """Return the port of a listener: every host is its own network, so that they cannot clash."""
    return 9000 + 10 * OURS.index(scheme) + secret


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("case", GOOD)
def test_we_dial(pair: Pair, scheme: str, case: str) -> None:
    """The link comes up on both sides, and goes down when we give it up."""
    ours, daemon, _ = pair
    url = pair.url(daemon, scheme, *GOOD[case])
    ours.ask("peer", url=url)
    wait_until(lambda: ours.key in daemon.peer_keys() and daemon.key in ours.peer_keys(), "the link is up")
    ours.ask("unpeer", url=url)
    wait_until(lambda: ours.key not in daemon.peer_keys() and not ours.peer_keys(), "the link is down")


# Over WebSocket the daemon copies its URI into the request, where a space may not be.
@pytest.mark.parametrize(("case", "scheme"), [(case, scheme) for case in GOOD for scheme in (*SCHEMES, "wss")
                                              if case != "password with few escapes" or scheme not in ("ws", "wss")])
def test_the_daemon_dials(pair: Pair, scheme: str, case: str) -> None:
    """The link comes up on both sides, and goes down when the daemon gives it up."""
    ours, daemon, _ = pair
    url = pair.url(ours, scheme, *GOOD[case])
    daemon.peer(url)
    wait_until(lambda: ours.key in daemon.peer_keys() and daemon.key in ours.peer_keys(), "the link is up")
    daemon.unpeer(url)
    wait_until(lambda: ours.key not in daemon.peer_keys() and not ours.peer_keys(), "the link is down")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("case", BAD)
def test_we_dial_in_vain(pair: Pair, scheme: str, case: str) -> None:
    """The attempt raises; neither side keeps a link."""
    ours, daemon, _ = pair
    with pytest.raises(RuntimeError, match=r"Handshake|Password|Key|Rejected"):
        ours.ask("call", url=pair.url(daemon, scheme, *BAD[case]))
    assert not ours.peer_keys()
    wait_until(lambda: ours.key not in daemon.peer_keys(), "the daemon has no link")


@pytest.mark.parametrize("scheme", [*SCHEMES, "wss"])
@pytest.mark.parametrize("case", BAD)
def test_the_daemon_dials_in_vain(pair: Pair, scheme: str, case: str) -> None:
    """The daemon notes an error; neither side keeps a link."""
    ours, daemon, _ = pair
    url = pair.url(ours, scheme, *BAD[case])
    daemon.peer(url)
    try:
        wait_until(lambda: any(peer.get("last_error") for peer in daemon.peers()), "the daemon has noted an error")
        # A daemon that dials with another key in mind finds out after we let it in: here the end has yet to arrive.
        wait_until(lambda: not ours.peer_keys(), "we have no link")
        assert ours.key not in daemon.peer_keys()
    finally:
        daemon.unpeer(url)


def test_the_daemon_allows_only_some(net: Net) -> None:
    """A daemon's AllowedPublicKeys, and ours, admit who is listed and nobody else."""
    friend, stranger, first, second = identities(4)
    daemon = net.daemon(first, listen=("tcp://{}:9000",), allowed=(friend.key,))
    welcome, unwelcome = net.ours(friend), net.ours(stranger)
    welcome.ask("call", url=f"tcp://{daemon.host.address}:9000")
    wait_until(lambda: friend.key in daemon.peer_keys(), "who is listed is admitted")
    unwelcome.ask("peer", url=f"tcp://{daemon.host.address}:9000")
    choosy = net.ours(second, allowed=(friend.key,))
    choosy.ask("listen", url=f"tcp://{choosy.host.address}:9000")
    url = f"tcp://{choosy.host.address}:9000"
    daemon.peer(url)
    wait_until(lambda: any(peer.get("last_error") for peer in daemon.peers()), "we turn the daemon away")
    # It had a link while our answer was under way, and has one again each time it tries.
    wait_until(lambda: daemon.peer_keys() == {friend.key}, "the daemon has no other link")
    assert choosy.peer_keys() == set()
