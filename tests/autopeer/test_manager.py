"""ygg.autopeer.manager and probe: who is chosen, when, and who is replaced. The node here does what a test tells it."""

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.aio import on_loops, run, settle, until
from ygg.autopeer import AutoPeerConfig, AutoPeerManager, PeerFetcher, PublicPeer
from ygg.errors import PeerExistsError, PeerUnknownError, UnknownSchemeError, URLError
from ygg.network import LoopbackNetwork
from ygg.transport import TransportManager
from ygg.url import PeerURL

OWN = bytes(32)
KEY = b"\1" * 32


@dataclass
class Peer:
    """A link of the node."""

    url: str
    up: bool = False
    inbound: bool = False
    key: bytes | None = None


@dataclass
class FakeNode:
    """The part of a node that the manager uses: links go up and down at a test's word."""

    links: list[Peer] = field(default_factory=list)
    schemes: tuple[str, ...] = ("tcp", "tls", "quic")
    public_key: bytes = OWN
    asked: list[str] = field(default_factory=list)
    """Hosts of the peers it was to add."""
    refused: set[str] = field(default_factory=set)
    """Hosts it does not take."""
    manager: TransportManager = field(default_factory=TransportManager)

    def add_peer(self, url: str) -> None:
        parsed = PeerURL.parse(url)
        assert parsed.scheme in self.schemes
        self.asked.append(parsed.host)
        if parsed.host in self.refused:
            raise URLError("not this one")
        if parsed.identity in self.urls():
            raise PeerExistsError
        self.links.append(Peer(parsed.identity))

    def remove_peer(self, url: str) -> None:
        identity = PeerURL.parse(url).identity
        if identity not in self.urls():
            raise PeerUnknownError
        self.links = [link for link in self.links if link.url != identity]

    def peers(self) -> Sequence[Peer]:
        return self.links

    def urls(self) -> list[str]:
        return [link.url for link in self.links]

    def connect(self, url: str) -> None:
        link = next(link for link in self.links if link.url == url)
        link.up, link.key = True, url.encode().ljust(32)


@dataclass
class Lab:
    """A node, a list of peers in a file, and the manager between them, at a time that a test sets."""

    path: Path
    node: FakeNode = field(default_factory=FakeNode)
    now: float = 0.0

    def write(self, peers: dict[str, dict[str, Any]], country: str = "germany") -> None:
        self.path.write_text(json.dumps({f"{country}.md": peers}))

    def manager(self, seed: int = 1, **config: Any) -> AutoPeerManager:
        config = {"countries": ["Germany"], "schemes": ["TCP", "tls", "quic"], "minimum_connected": 1, **config}
        probe = config.pop("probe", None)
        return AutoPeerManager(
            PeerFetcher([self.path], clock=lambda: 0.0), self.node, AutoPeerConfig(**config),
            rng=random.Random(seed), clock=lambda: self.now, probe=probe,
        )  # fmt: skip

    def checks(self, manager: AutoPeerManager, count: int = 1) -> list[str | None]:
        async def main() -> list[str | None]:
            await manager.fetcher.refresh()
            return [await manager.check() for _ in range(count)]

        return run(main())


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    lab = Lab(tmp_path / "list.json")
    lab.write({f"tcp://{name}:1": {} for name in "abcdef"})
    return lab


def measured(**fields: Any) -> dict[str, Any]:
    return {"up": True, "updated": 0, **fields}


@pytest.mark.parametrize("config", [{"countries": []}, {"schemes": []}, {"countries": [], "schemes": []}])
def test_idle_until_both_filters_are_set(lab: Lab, config: dict[str, Any]) -> None:
    manager = lab.manager(**config)
    assert manager.idle
    assert lab.checks(manager, 3) == [None, None, None]
    manager.config = AutoPeerConfig(countries=["germany"], schemes=["tcp"])
    assert not manager.idle
    assert lab.checks(manager) != [None]


def test_it_is_logged_once_that_filters_are_missing(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    manager = lab.manager(countries=[])
    lab.checks(manager, 3)
    assert caplog.text.count("autopeering waits: AutoPeerConfig names no countries to choose") == 1
    lab.checks(lab.manager(countries=[], schemes=[]))
    assert "names no countries and no schemes" in caplog.text


@pytest.mark.parametrize(("config", "found"), [
    ({}, ["tcp://a:1", "tls://b:1"]), ({"schemes": ["tls"]}, ["tls://b:1"]), ({"countries": ["france"]}, []),
])
def test_a_list_of_ones_own_needs_no_filters(lab: Lab, config: dict[str, Any], found: list[str]) -> None:
    lab.path.write_text("# mine\ntcp://a:1\ntls://b:1\n")
    filters: dict[str, Any] = {"countries": [], "schemes": [], "minimum_connected": 9, **config}
    added = lab.checks(lab.manager(**filters), 3)
    assert sorted(url for url in added if url) == found


def test_public_lists_beside_ones_own_wait_for_filters(lab: Lab, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text('["tls://mine:1"]')
    manager = lab.manager(countries=[], schemes=[], minimum_connected=9)
    manager.fetcher.sources = [lab.path, own]
    assert lab.checks(manager, 3) == ["tls://mine:1", None, None]


def test_a_scheme_that_no_public_peer_has_is_an_error() -> None:
    with pytest.raises(UnknownSchemeError, match="'tsl': there are quic, tcp, tls, ws, wss"):
        AutoPeerConfig(countries=["germany"], schemes=["tsl"])


def test_filters_ignore_case_and_dashes(lab: Lab) -> None:
    lab.write({"tls://a:1": {}, "ws://b:1": {}}, "united-states")
    manager = lab.manager(countries=["UNITED states"], schemes=["TLS"])
    assert lab.checks(manager, 3) == ["tls://a:1", None, None]


def test_lone_names_are_no_lists_of_letters() -> None:
    config = AutoPeerConfig(countries="Germany", schemes="TLS")
    assert (config.countries, config.schemes) == ({"germany"}, {"tls"})


def test_nothing_of_another_country(lab: Lab) -> None:
    assert lab.checks(lab.manager(countries=["france"])) == [None]


def test_at_most_one_peer_a_check_and_no_more_than_needed(lab: Lab) -> None:
    manager = lab.manager(minimum_connected=3)
    added = lab.checks(manager, 5)
    assert [url is not None for url in added] == [True, True, True, False, False]
    assert lab.node.urls() == added[:3]
    assert list(manager.chosen) == added[:3]


def test_nodes_found_otherwise_count(lab: Lab) -> None:
    lab.node.links = [Peer("tls://x:1", up=True, inbound=True, key=KEY), Peer("tls://y:1", up=True, key=b"\2" * 32)]
    assert lab.checks(lab.manager(minimum_connected=2)) == [None]


def test_two_links_to_one_node_count_once(lab: Lab) -> None:
    lab.node.links = [Peer("tls://x:1", up=True, inbound=True, key=KEY), Peer("tls://y:1", up=True, key=KEY)]
    assert lab.checks(lab.manager(minimum_connected=2)) != [None]


def test_minimum_from_fetch_counts_only_dialed_peers_of_the_lists(lab: Lab) -> None:
    lab.node.links = [
        Peer("tls://x:1", up=True, key=b"\2" * 32),
        Peer("tcp://a:1", up=True, inbound=True, key=b"\3" * 32),
    ]
    manager = lab.manager(minimum_connected=0, minimum_connected_from_fetch=1)
    (added,) = lab.checks(manager)
    assert added is not None
    lab.node.connect(added)
    assert lab.checks(manager) == [None]


def test_configured_peer_of_the_lists_counts_as_fetched(lab: Lab) -> None:
    lab.node.links = [Peer("tcp://a:1", up=True, key=KEY)]
    assert lab.checks(lab.manager(minimum_connected=0, minimum_connected_from_fetch=1)) == [None]


def test_known_links_are_not_added_again(lab: Lab) -> None:
    lab.write({"tcp://A:1/?key=" + "01" * 32: {}, "tcp://b:1": {}})
    lab.node.links = [Peer("tcp://a:1")]
    assert lab.checks(lab.manager(minimum_connected=3), 3) == ["tcp://b:1", None, None]


def test_connected_nodes_and_oneself_are_not_dialed(lab: Lab) -> None:
    lab.write({
        f"tcp://a:1?key={KEY.hex()}": {},
        "tcp://b:1": {"key": KEY.hex()},
        f"tcp://c:1?key={OWN.hex()}": {},
        "tcp://d:1": {},
    })  # fmt: skip
    lab.node.links = [Peer("tls://x:1", up=True, inbound=True, key=KEY)]
    assert lab.checks(lab.manager(minimum_connected=4), 2) == ["tcp://d:1", None]


def test_better_peers_come_first(lab: Lab) -> None:
    lab.write({
        "tcp://down:1": measured(up=False),
        "tcp://slow:1": measured(response_ms=300),
        "tcp://unmeasured:1": {},
        "tcp://fast:1": measured(response_ms=3),
        "tcp://up:1": measured(),
    })  # fmt: skip
    added = lab.checks(lab.manager(minimum_connected=5), 5)
    assert added == [f"tcp://{name}:1" for name in ("fast", "slow", "up", "unmeasured", "down")]


def test_uptime_comes_before_response_time(lab: Lab) -> None:
    peers = [
        PublicPeer("tcp://a:1", "tcp", "a", 1, "germany", uptime=90.0, response_ms=1.0, up=True),
        PublicPeer("tcp://b:1", "tcp", "b", 1, "germany", uptime=99.9, response_ms=200.0, up=True),
        PublicPeer("tcp://c:1", "tcp", "c", 1, "germany", up=True),
    ]
    endpoints = [
        {"url": peer.url, "protocol": "tcp", "host": peer.host, "port": 1, "source_url": "", "normalized": True,
         "annotations": [], "uptime": {"status": "up", "uptime_7d_percent": peer.uptime}} for peer in peers
    ]  # fmt: skip
    entry = {"continent": "europe", "country": "germany", "source_file": "", "endpoints": endpoints}
    sources = {"public_peers_repo": "", "public_peers_branch": "", "uptime_page": ""}
    document = {"schema_version": "1", "generated_at": "1970-01-01T00:00:00Z", "sources": sources, "peers": [entry]}
    lab.path.write_text(json.dumps(document))
    assert lab.checks(lab.manager(minimum_connected=3), 3) == ["tcp://b:1", "tcp://a:1", "tcp://c:1"]


@pytest.mark.parametrize(
    ("known", "listed"),
    [
        ("tcp://[2001:db8:0:0::1]:1", "tcp://[2001:DB8::1]:1"),
        ("tcp://Host.:1", "tcp://host:1"),
        ("tcp://192.0.2.1:1", "tcp://[::ffff:192.0.2.1]:1"),
        ("tcp://[::ffff:192.0.2.1]:1", "tcp://192.0.2.1:1"),
    ],
)
def test_link_the_node_knows_in_another_spelling(known: str, listed: str, lab: Lab) -> None:
    lab.node.links = [Peer(PeerURL.parse(known).identity)]
    lab.write({listed: {}})
    assert lab.checks(lab.manager()) == [None]


def test_equals_are_chosen_at_random(lab: Lab) -> None:
    firsts = set()
    for seed in range(40):
        manager = lab.manager(seed)
        lab.node.links.clear()
        firsts.update(lab.checks(manager))
    assert firsts == {f"tcp://{name}:1" for name in "abcdef"}


def test_candidate_that_stays_down_is_replaced(lab: Lab) -> None:
    manager = lab.manager(patience=100)
    (first,) = lab.checks(manager)
    lab.now = 100
    assert lab.checks(manager) == [None]
    lab.now = 101
    (second,) = lab.checks(manager)
    assert second not in (None, first)
    assert lab.node.urls() == [second]
    lab.node.connect(str(second))
    lab.now = 1000
    assert lab.checks(manager) == [None]


def test_patience_starts_anew_when_a_link_is_lost(lab: Lab) -> None:
    manager = lab.manager(patience=100)
    (first,) = lab.checks(manager)
    lab.node.connect(str(first))
    lab.now = 1000
    assert lab.checks(manager) == [None]
    lab.node.links[0].up = False
    assert lab.checks(manager) == [None]
    lab.now = 1100
    assert lab.checks(manager) == [None]
    lab.now = 1101
    assert lab.checks(manager) != [None]


def test_last_candidate_is_kept_for_want_of_a_better(lab: Lab) -> None:
    lab.write({"tcp://only:1": {}})
    manager = lab.manager(patience=100)
    lab.checks(manager)
    lab.now = 1000
    assert lab.checks(manager) == [None]
    assert lab.node.urls() == ["tcp://only:1"]


def test_dead_candidate_is_dropped_when_others_suffice(lab: Lab) -> None:
    manager = lab.manager(patience=100)
    lab.checks(manager)
    lab.node.links.append(Peer("tls://x:1", up=True, key=KEY))
    lab.now = 1000
    assert lab.checks(manager) == [None]
    assert lab.node.urls() == ["tls://x:1"]


def test_replaced_peer_rests(lab: Lab) -> None:
    lab.write({"tcp://a:1": measured(response_ms=1), "tcp://b:1": {}, "tcp://c:1": measured(up=False)})
    manager = lab.manager(patience=100, rest=1000)
    chosen = []
    for lab.now in range(0, 606, 101):
        chosen += lab.checks(manager)
    names = [str(url)[6] for url in chosen]
    assert names == ["a", "b", "c", "a", "b", "c"]  # never the same twice running, the rested only when all have


def test_peer_removed_by_someone_else_is_forgotten(lab: Lab) -> None:
    manager = lab.manager()
    (first,) = lab.checks(manager)
    lab.node.remove_peer(str(first))
    (second,) = lab.checks(manager)
    assert second is not None
    assert manager.chosen == (second,)


def test_peers_the_node_refuses_starve_no_others(lab: Lab) -> None:
    better = {f"tcp://{letter}{letter}:1": measured(response_ms=1) for letter in "abcdefghijkl"}
    lab.write(better | {"tcp://z:1": {}})
    lab.node.refused = {url[6:8] for url in better}
    manager = lab.manager(rest=1000)
    assert lab.checks(manager, 2) == [None, "tcp://z:1"]
    lab.node.links.clear()
    lab.node.asked.clear()
    lab.now = 999
    assert lab.checks(manager) == ["tcp://z:1"]
    assert lab.node.asked == ["z"]
    lab.node.links.clear()
    lab.now = 1001
    lab.checks(manager)
    assert set(lab.node.asked) > {"z"}  # they may have another chance


def test_two_links_to_a_node_are_one_node(lab: Lab) -> None:
    lab.write({"tcp://a:1": {}, "tls://a:2": {}, "tcp://b:1": {}})
    lab.node.links = [Peer("tcp://a:1", up=True, key=KEY), Peer("tls://a:2", up=True, key=KEY)]
    assert lab.checks(lab.manager(minimum_connected=0, minimum_connected_from_fetch=2)) == ["tcp://b:1"]
    lab.node.links = [*lab.node.links[:2], Peer("tcp://b:1", up=True, key=b"\2" * 32)]
    assert lab.checks(lab.manager(minimum_connected=0, minimum_connected_from_fetch=2)) == [None]


def test_scheme_the_node_cannot_speak_is_no_candidate(lab: Lab) -> None:
    better = {f"quic://{name}:1": measured(response_ms=1) for name in "abcdefghijkl"}
    lab.write(better | {"tcp://b:1": {}})
    lab.node.schemes = ("tcp",)
    assert lab.checks(lab.manager(minimum_connected=2), 2) == ["tcp://b:1", None]


def test_probing_prefers_near_candidates(lab: Lab) -> None:
    times: dict[str, float | OSError | None] = {"a": 0.3, "b": None, "c": 0.1, "d": OSError(), "e": 0.2}

    async def probe(peer: PublicPeer) -> float | None:
        found = times[peer.host]
        if isinstance(found, OSError):
            raise found
        return found

    lab.write({f"tcp://{name}:1": {} for name in times})
    manager = lab.manager(probe_candidates=5, probe=probe, minimum_connected=5)
    assert lab.checks(manager, 5) == [f"tcp://{name}:1" for name in "ceabd"]


def test_replaced_peer_rests_though_it_is_near(lab: Lab) -> None:
    async def probe(peer: PublicPeer) -> float | None:
        return "abc".index(peer.host) / 10

    lab.write({f"tcp://{name}:1": {} for name in "abc"})
    manager = lab.manager(patience=100, rest=1000, probe_candidates=8, probe=probe)
    chosen = []
    for lab.now in range(0, 404, 101):
        chosen += lab.checks(manager)
    assert [str(url)[6] for url in chosen] == ["a", "b", "c", "a"]


def test_no_probes_unless_asked_for(lab: Lab) -> None:
    async def probe(peer: PublicPeer) -> float | None:
        raise AssertionError

    assert lab.checks(lab.manager(probe=probe)) != [None]


def test_probe_dials_as_the_node_would(lab: Lab) -> None:
    async def main() -> str | None:
        async with LoopbackNetwork(hosts={"near": ["192.0.2.1"]}) as network, Untouched() as elsewhere:
            listener = await network.listen_stream("192.0.2.1", 1)
            better = {"tcp://far:1": measured(response_ms=1), "tcp://blocked:1": measured(response_ms=1)}
            lab.write(better | {"quic://unknown:1": {}, "tcp://near:1": {}})
            lab.node.manager.default_network = network
            lab.node.manager.map_network("blocked", None)
            manager = lab.manager(probe_candidates=4)
            manager.fetcher.network = elsewhere
            await manager.fetcher.refresh()
            added = await manager.check()
            listener.close()
            await listener.wait_closed()
            return added

    assert run(main()) == "tcp://near:1"


class Untouched(LoopbackNetwork):
    """A network that nobody is to use."""

    async def resolve(self, host: str) -> list[str]:
        raise AssertionError(host)

    async def connect_stream(self, host: str, port: int, **_: Any) -> asyncio.Transport:
        raise AssertionError(host)


def test_probing_without_any_network_measures_nothing(lab: Lab) -> None:
    lab.write({"tcp://a:1": measured(), "tcp://b:1": {}})
    assert lab.checks(lab.manager(probe_candidates=2)) == ["tcp://a:1"]


@on_loops
async def test_runs_by_itself(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "list.json")
    lab.write({"tcp://a:1": {}})
    manager = lab.manager(minimum_connected=2, check_interval=3600)
    async with manager:
        assert manager.fetcher.running
        await until(lambda: lab.node.urls() == ["tcp://a:1"])  # the fetcher's news, long before the interval
        lab.write({"tcp://a:1": {}, "tcp://bb:1": {}})
        manager.fetcher.refresh_soon()
        await until(lambda: lab.node.urls() == ["tcp://a:1", "tcp://bb:1"])
    assert not manager.fetcher.running
    assert lab.node.urls() == ["tcp://a:1", "tcp://bb:1"]


def test_checks_at_the_interval_and_when_asked(lab: Lab) -> None:
    async def main() -> None:
        manager = lab.manager(minimum_connected=6, check_interval=0.001)
        async with manager:
            await until(lambda: len(lab.node.links) == 6)
        lab.node.links.clear()
        manager = lab.manager(minimum_connected=3, check_interval=3600)
        async with manager:
            for count in (1, 2, 3):
                await until(lambda: manager.fetcher.peers)
                await until(lambda count=count: len(lab.node.links) >= count)
                manager.check_soon()

    run(main())


def test_fetcher_that_runs_already_is_left_running(lab: Lab) -> None:
    async def main() -> None:
        manager = lab.manager()
        async with manager.fetcher:
            async with manager:
                await until(lambda: lab.node.links)
            assert manager.fetcher.running
            await settle()

    run(main())


def test_fault_of_the_node_does_not_end_the_checks(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        manager = lab.manager(check_interval=0.001)
        good: Callable[[], Sequence[Peer]] = lab.node.peers
        lab.node.peers = lambda: [][0]  # type: ignore[method-assign]
        async with manager:
            await until(lambda: "a check for public peers failed" in caplog.messages)
            lab.node.peers = good  # type: ignore[method-assign]
            await until(lambda: lab.node.links)

    run(main())


def test_two_checks_at_once_add_one_peer(lab: Lab) -> None:
    async def main() -> list[str | None]:
        async def probe(peer: PublicPeer) -> float | None:
            await settle()
            return 0.0

        manager = lab.manager(probe_candidates=2, probe=probe)
        await manager.fetcher.refresh()
        return [*await asyncio.gather(manager.check(), manager.check())]

    assert [url is not None for url in run(main())] == [True, False]


@pytest.mark.parametrize("config", [{"check_interval": 0}, {"minimum_connected": -1}, {"probe_candidates": -1}])
def test_refused_config(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        AutoPeerConfig(**config)
