"""Links between a node of ours and the packaged daemon: who dials, over what, with which password and pinned key."""

import pytest

from interop.daemon import Daemon, wait_until
from interop.identity import identities
from interop.net import Net
from interop.ours import Ours

SCHEMES = ("tcp", "tls")
PASSWORD = "correct horse & battery|^`<>"
QUOTED = "correct+horse+%26+battery%7C%5E%60%3C%3E"
BARE = "correct horse %26 battery|^`<>"
STRANGER = identities(1)[0].key
# What a peer's URI asks for, whether the listener wants the password, and whether that makes a link.
GOOD = {"plain": ("", False), "password": (f"?password={QUOTED}", True),
        "password with few escapes": (f"?password={BARE}", True),
        "malformed option": ("?sni=100%&maxbackoff=a;b", False), "pinned": ("?key={key}", False),
        "password and pinned": (f"?password={QUOTED}&key={{key}}", True),
        "pinned among others": (f"?key={STRANGER}&key={{key}}", False)}
BAD = {"wrong password": ("?password=wrong", True), "no password": ("", True),
       "needless password": ("?password=x", False), "wrong key": (f"?key={STRANGER}", False)}


@pytest.fixture(scope="module")
def pair(shared_net: Net) -> tuple[Ours, Daemon]:
    """A node of ours and a daemon; each listens on tcp and tls, with and without a password."""
    first, second = identities(2)
    listen = tuple(f"{scheme}://{{}}:{port(scheme, secret)}{'?password=' + QUOTED if secret else ''}"
                   for scheme in SCHEMES for secret in (False, True))
    ours = shared_net.ours(first)
    daemon = shared_net.daemon(second, listen=listen)
    for url in listen:
        ours.ask("listen", url=url.format(ours.host.address))
    return ours, daemon


def port(scheme: str, secret: bool) -> int:
    """Return the port of a listener: every host is its own network, so that they cannot clash."""
    return 9000 + 10 * SCHEMES.index(scheme) + secret


def peer_url(listener: Ours | Daemon, scheme: str, query: str, secret: bool) -> str:
    """Return the URL by which the other side dials a listener."""
    return f"{scheme}://{listener.host.address}:{port(scheme, secret)}{query.format(key=listener.key)}"


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("case", GOOD)
def test_we_dial(pair: tuple[Ours, Daemon], scheme: str, case: str) -> None:
    """The link comes up on both sides, and goes down when we give it up."""
    ours, daemon = pair
    url = peer_url(daemon, scheme, *GOOD[case])
    ours.ask("peer", url=url)
    wait_until(lambda: ours.key in daemon.peer_keys() and daemon.key in ours.peer_keys(), "the link is up")
    ours.ask("unpeer", url=url)
    wait_until(lambda: ours.key not in daemon.peer_keys() and not ours.peer_keys(), "the link is down")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("case", GOOD)
def test_the_daemon_dials(pair: tuple[Ours, Daemon], scheme: str, case: str) -> None:
    """The link comes up on both sides, and goes down when the daemon gives it up."""
    ours, daemon = pair
    url = peer_url(ours, scheme, *GOOD[case])
    daemon.peer(url)
    wait_until(lambda: ours.key in daemon.peer_keys() and daemon.key in ours.peer_keys(), "the link is up")
    daemon.unpeer(url)
    wait_until(lambda: ours.key not in daemon.peer_keys() and not ours.peer_keys(), "the link is down")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("case", BAD)
def test_we_dial_in_vain(pair: tuple[Ours, Daemon], scheme: str, case: str) -> None:
    """The attempt raises; neither side has a link."""
    ours, daemon = pair
    with pytest.raises(RuntimeError, match=r"Handshake|Password|Key|Rejected"):
        ours.ask("call", url=peer_url(daemon, scheme, *BAD[case]))
    assert not ours.peer_keys()
    assert ours.key not in daemon.peer_keys()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("case", BAD)
def test_the_daemon_dials_in_vain(pair: tuple[Ours, Daemon], scheme: str, case: str) -> None:
    """The daemon notes an error; neither side has a link."""
    ours, daemon = pair
    url = peer_url(ours, scheme, *BAD[case])
    daemon.peer(url)
    try:
        wait_until(lambda: any(peer.get("last_error") for peer in daemon.peers()), "the daemon has noted an error")
        assert not ours.peer_keys()
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
    assert daemon.peer_keys() == {friend.key}
    assert choosy.peer_keys() == set()
