"""Traffic between our VTun and the kernel behind a daemon's TUN device, in both directions, at both ends of the MTU."""

from collections.abc import Iterator

import pytest

from tests.interop import kernel, payload
from tests.interop.daemon import Daemon, wait_until
from tests.interop.identity import identities
from tests.interop.net import Net
from tests.interop.ours import Ours

AMOUNT = 100 * 1024 * 1024


@pytest.fixture(scope="module", params=[1280, 65535])
def pair(request: pytest.FixtureRequest, shared_net: Net) -> Iterator[tuple[Ours, Daemon]]:
    """A node of ours and a daemon of the same MTU, peers over tcp."""
    first, second = identities(2)
    daemon = shared_net.daemon(first, mtu=request.param, listen=("tcp://{}:9000",))
    ours = shared_net.ours(second, mtu=request.param)
    ours.ask("peer", url=f"tcp://{daemon.host.address}:9000")
    wait_until(lambda: daemon.key in ours.peer_keys(), "the link is up")
    yield ours, daemon
    ours.ask("unpeer", url=f"tcp://{daemon.host.address}:9000")


@pytest.mark.parametrize("size", [0, 56, 1232])
def test_ping(pair: tuple[Ours, Daemon], size: int) -> None:
    """Echo requests are answered both ways, up to the smallest MTU."""
    ours, daemon = pair
    assert kernel.ping(daemon.host, ours.address, size)
    assert 0 < ours.ask("ping", address=daemon.address, size=size) < 30


def test_ping_as_long_as_the_mtu(pair: tuple[Ours, Daemon]) -> None:
    """The longest packet that fits goes through in one piece."""
    ours, daemon = pair
    size = ours.mtu - 48
    assert kernel.ping(daemon.host, ours.address, size)
    assert 0 < ours.ask("ping", address=daemon.address, size=size) < 30


@pytest.mark.parametrize("size", [1233, 20_000, 65_487, 65_488, 65_507])
def test_echoes_and_datagrams_in_fragments(pair: tuple[Ours, Daemon], size: int) -> None:
    """What is larger than a packet goes in fragments both ways, between our stack and the kernel's."""
    ours, daemon = pair
    assert kernel.ping(daemon.host, ours.address, size)
    assert 0 < ours.ask("ping", address=daemon.address, size=size) < 30
    assert kernel.udp_exchange(daemon.host, ours.address, ours.ask("udp_echo"), size)
    with kernel.udp_echo(daemon.host) as port:
        assert ours.ask("udp_exchange", address=daemon.address, port=port, size=size)


@pytest.mark.parametrize("size", [0, 1, 512, 1232])
def test_udp(pair: tuple[Ours, Daemon], size: int) -> None:
    """Datagrams are echoed both ways."""
    ours, daemon = pair
    assert kernel.udp_exchange(daemon.host, ours.address, ours.ask("udp_echo"), size)
    with kernel.udp_echo(daemon.host) as port:
        assert ours.ask("udp_exchange", address=daemon.address, port=port, size=size)


def test_udp_as_long_as_the_mtu(pair: tuple[Ours, Daemon]) -> None:
    """Long datagrams are echoed both ways, up to the longest that fits into a packet."""
    ours, daemon = pair
    longest = ours.mtu - 48
    with kernel.udp_echo(daemon.host) as port:
        for size in sorted({min(20_000, longest), longest}):
            assert kernel.udp_exchange(daemon.host, ours.address, ours.ask("udp_echo"), size)
            assert ours.ask("udp_exchange", address=daemon.address, port=port, size=size)


def test_we_download(pair: tuple[Ours, Daemon]) -> None:
    """100 MB come whole from the kernel's server to our client."""
    ours, daemon = pair
    with kernel.source(daemon.host, AMOUNT) as port:
        assert ours.ask("fetch", address=daemon.address, port=port) == payload.digest(AMOUNT)


def test_we_upload(pair: tuple[Ours, Daemon]) -> None:
    """100 MB go whole from our client to the kernel's server, which answers after our half-close."""
    ours, daemon = pair
    with kernel.sink(daemon.host) as port:
        assert ours.ask("push", address=daemon.address, port=port, count=AMOUNT) == payload.digest(AMOUNT)


def test_the_kernel_downloads(pair: tuple[Ours, Daemon]) -> None:
    """100 MB go whole from our server to the kernel's client."""
    ours, daemon = pair
    assert kernel.fetch(daemon.host, ours.address, ours.ask("source", count=AMOUNT)) == payload.digest(AMOUNT)


def test_the_kernel_uploads(pair: tuple[Ours, Daemon]) -> None:
    """100 MB come whole from the kernel's client to our server, which answers after its half-close."""
    ours, daemon = pair
    assert kernel.push(daemon.host, ours.address, ours.ask("sink"), AMOUNT) == payload.digest(AMOUNT)


@pytest.mark.parametrize("dialer", ["ours", "daemon"])
def test_bulk_over_tls(net: Net, dialer: str) -> None:
    """100 MB go whole each way over a tls link, whichever end is its client."""
    first, second = identities(2)
    daemon, ours = net.daemon(first, listen=("tls://{}:9000",)), net.ours(second)
    if dialer == "ours":
        ours.ask("peer", url=f"tls://{daemon.host.address}:9000")
    else:
        ours.ask("listen", url=f"tls://{ours.host.address}:9000")
        daemon.peer(f"tls://{ours.host.address}:9000")
    wait_until(lambda: daemon.key in ours.peer_keys(), "the link is up")
    with kernel.source(daemon.host, AMOUNT) as port:
        assert ours.ask("fetch", address=daemon.address, port=port) == payload.digest(AMOUNT)
    assert kernel.fetch(daemon.host, ours.address, ours.ask("source", count=AMOUNT)) == payload.digest(AMOUNT)


def test_http(pair: tuple[Ours, Daemon]) -> None:
    """httpx over our VTun reads the kernel's page, and the kernel's client reads our ASGI application's."""
    ours, daemon = pair
    with kernel.web(daemon.host) as port:
        assert ours.ask("get", address=daemon.address, port=port, path="/theirs") == "you asked for /theirs"
    assert kernel.get(daemon.host, ours.address, ours.ask("web"), "/ours") == "you asked for /ours"


def test_refused(pair: tuple[Ours, Daemon]) -> None:
    """Where nobody listens a connection is refused, in both directions."""
    ours, daemon = pair
    with pytest.raises(ConnectionRefusedError):
        kernel.fetch(daemon.host, ours.address, 9)
    with pytest.raises(RuntimeError, match="ConnectionRefused"):
        ours.ask("fetch", address=daemon.address, port=9)
