"""The lab itself: two daemons, seen through nothing of ours. When these fail, the other interop tests say nothing."""

import pytest

from tests.interop import kernel, payload
from tests.interop.daemon import Daemon, wait_until
from tests.interop.identity import identities
from tests.interop.net import Net


@pytest.fixture(scope="module")
def pair(shared_net: Net) -> tuple[Daemon, Daemon]:
    """Two daemons that are peers."""
    first, second = identities(2)
    one, other = shared_net.daemon(first, listen=("tcp://{}:9001",)), shared_net.daemon(second, mtu=1280)
    other.peer(f"tcp://{one.host.address}:9001?key={first.key}")
    wait_until(lambda: second.key in one.peer_keys(), "the daemons are peers")
    return one, other


def test_kernels_reach_each_other(pair: tuple[Daemon, Daemon]) -> None:
    """Ping, UDP, TCP and HTTP cross two daemons."""
    one, other = pair
    assert wait_until(lambda: kernel.ping(one.host, other.address, 56), "ping")
    with kernel.udp_echo(other.host) as port:
        assert kernel.udp_exchange(one.host, other.address, port, 1000)
    with kernel.source(other.host, 3_000_000) as port:
        assert kernel.fetch(one.host, other.address, port) == payload.digest(3_000_000)
    with kernel.sink(one.host) as port:
        assert kernel.push(other.host, one.address, port, 3_000_000) == payload.digest(3_000_000)
    with kernel.web(one.host) as port:
        assert kernel.get(other.host, one.address, port, "/page") == "you asked for /page"


def test_a_shifted_payload_has_another_digest() -> None:
    """The digest tells apart what a lossy stack would deliver."""
    assert payload.digest(1_000_000) != payload.digest(999_999)
    assert sum(map(len, payload.blocks(3_000_001))) == 3_000_001
