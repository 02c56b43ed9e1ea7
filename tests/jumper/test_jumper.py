"""ygg.jumper: who is sought, what is dialed, and which links stay. The node and the time here are what a test says."""

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.aio import on_loops, run, settle, until
from ygg.errors import ConfigError, ConnectionRefused, PeerUnknownError, QueryTimeout
from ygg.jumper import Jumper, JumperConfig
from ygg.jumper.jumper import JUDGE_AGAIN
from ygg.url import PeerURL

OWN = b"\x05" * 32
FAR = b"\x09" * 32


@dataclass
class Session:
    """A session of the node."""

    key: bytes
    bytes_sent: int = 0
    bytes_received: int = 0


@dataclass
class Peer:
    """A link of the node."""

    url: str
    key: bytes | None
    up: bool = True
    inbound: bool = False
    persistent: bool = False


@dataclass
class FakeNode:
    """The part of a node that a jumper uses. What others publish and where they answer is up to the test."""

    public_key: bytes = OWN
    listening: list[str] = field(default_factory=list)
    traffic: dict[bytes, Session] = field(default_factory=dict)
    links: list[Peer] = field(default_factory=list)
    published: dict[str, Any] = field(default_factory=dict)
    infos: dict[bytes, Any] = field(default_factory=dict)
    answering: set[str] = field(default_factory=set)
    asked: list[bytes] = field(default_factory=list)
    dialed: list[str] = field(default_factory=list)
    gate: asyncio.Event | None = None
    now: float = 0.0
    far: float = 0.050
    near: float = 0.010

    @property
    def listeners(self) -> list[Any]:
        return [Peer(PeerURL.parse(url), None) for url in self.listening]  # type: ignore[arg-type]

    def sessions(self) -> list[Session]:
        return list(self.traffic.values())

    def peers(self) -> list[Peer]:
        return list(self.links)

    def publish(self, member: str, value: Any) -> None:
        if value == ["tls://8.8.8.8:1"]:
            raise ConfigError("too long")
        self.published[member] = value

    async def node_info(self, key: bytes) -> dict[str, Any]:
        self.asked.append(key)
        if self.gate:
            await self.gate.wait()
        if key not in self.infos:
            raise QueryTimeout
        return self.infos[key]

    async def remote_self(self, key: bytes) -> object:
        self.now += self.near if any(peer.key == key and peer.up for peer in self.links) else self.far
        return {}

    async def call_peer(self, url: str) -> bytes:
        self.dialed.append(url)
        parsed = PeerURL.parse(url)
        if parsed.identity not in self.answering:
            raise ConnectionRefused
        (key,) = parsed.options.keys
        self.links.append(Peer(parsed.identity, key))
        return key

    def remove_peer(self, url: str) -> None:
        left = [peer for peer in self.links if peer.url != url]
        if left == self.links:
            raise PeerUnknownError
        self.links = left

    def exchange(self, key: bytes = FAR, size: int = 1 << 20) -> None:
        session = self.traffic.setdefault(key, Session(key))
        session.bytes_sent += size // 2
        session.bytes_received += size // 2

    def offer(self, key: bytes, *urls: str, answers: bool = True) -> None:
        self.infos[key] = {"direct": list(urls)}
        if answers:
            self.answering.update(urls)


class Lab:
    """A node and its jumper, at a time that checks move on."""

    def __init__(self, **config: Any) -> None:
        self.node = FakeNode()
        self.jumper = Jumper(
            self.node, JumperConfig(**config), clock=lambda: self.node.now, rng=random.Random(1),
            local_addresses=lambda: (),
        )  # fmt: skip

    async def check(self, *busy: bytes, after: float = 5.0) -> None:
        self.node.now += after
        for key in busy:
            self.node.exchange(key)
        self.jumper.check()
        await settle()

    async def connect(self, key: bytes = FAR, url: str = "tls://9.9.9.9:1") -> None:
        """Get a direct link to `key`, found to be better."""
        self.node.offer(key, url)
        await self.check()
        await self.check(key)
        assert [link.url for link in self.jumper.links] == [url]
        await self.check(key)
        assert self.jumper.links[0].faults == 0


def test_destination_in_use_gets_a_pinned_link() -> None:
    async def main() -> None:
        lab = Lab()
        lab.node.offer(FAR, "tls://10.0.0.1:1", "tls://9.9.9.9:1")
        await lab.check()
        await lab.check(FAR)
        assert lab.node.asked == [FAR]
        assert lab.node.dialed == [f"tls://9.9.9.9:1?key={FAR.hex()}"]
        (link,) = lab.jumper.links
        assert (link.key, link.url, link.before) == (FAR, "tls://9.9.9.9:1", pytest.approx(0.050))
        await lab.check(FAR)
        await lab.check(FAR)
        assert (len(lab.node.asked), len(lab.node.dialed), len(lab.node.links)) == (1, 1, 1)

    run(main())


def test_traffic_of_before_does_not_count() -> None:
    async def main() -> None:
        lab = Lab()
        lab.node.exchange()
        await lab.check()
        await lab.check()
        assert lab.node.asked == []

    run(main())


@pytest.mark.parametrize(
    ("sent", "received", "sought"),
    [(10_000, 10_480, True), (10_000, 10_479, False), (0, 1 << 30, False), (1, 1 << 30, True), (20_480, 0, True)],
)
def test_what_makes_a_destination_in_use(sent: int, received: int, sought: bool) -> None:
    """4 KiB/s over 5 s, both ways together, and something sent by us."""

    async def main() -> None:
        lab = Lab()
        await lab.check()
        lab.node.traffic[FAR] = Session(FAR, sent, received)
        await lab.check()
        assert bool(lab.node.asked) == sought

    run(main())


def test_session_made_anew_counts_from_nought() -> None:
    async def main() -> None:
        lab = Lab()
        lab.node.traffic[FAR] = Session(FAR, 1 << 30, 1 << 30)
        await lab.check()
        lab.node.traffic[FAR] = Session(FAR, 1 << 20, 1)
        await lab.check()
        assert lab.node.asked == [FAR]

    run(main())


def test_neighbours_ourselves_and_unwanted_keys_are_left_alone() -> None:
    async def main() -> None:
        wanted, unwanted = b"\x01" * 32, b"\x02" * 32
        lab = Lab(keys=[wanted, OWN, FAR], per_minute=100, concurrency=10)
        lab.node.links.append(Peer("tcp://somewhere:1", FAR))
        await lab.check()
        await lab.check(wanted, unwanted, FAR, OWN)
        assert lab.node.asked == [wanted]

    run(main())


def test_next_uri_is_tried_when_one_fails() -> None:
    async def main() -> None:
        lab = Lab()
        lab.node.offer(FAR, "tcp://9.9.9.9:1", "tls://9.9.9.9:2", "tcp://9.9.9.9:3", answers=False)
        lab.node.answering = {"tls://9.9.9.9:2"}
        await lab.check()
        await lab.check(FAR)
        assert [url.partition("?")[0] for url in lab.node.dialed] == ["tcp://9.9.9.9:1", "tls://9.9.9.9:2"]
        assert [link.url for link in lab.jumper.links] == ["tls://9.9.9.9:2"]

    run(main())


@pytest.mark.parametrize("info", [None, {}, {"direct": ["tls://9.9.9.9:1"]}, {"direct": "tls://9.9.9.9:1"}])
def test_failure_rests_longer_each_time(info: dict[str, Any] | None) -> None:
    async def main() -> None:
        lab = Lab(rest=100)
        if info is not None:
            lab.node.infos[FAR] = info
        await lab.check()
        searches = []
        while lab.node.now < 2000:
            before = len(lab.node.asked)
            await lab.check(FAR)
            if len(lab.node.asked) > before:
                searches.append(lab.node.now)
        gaps = [round(b - a) for a, b in itertools.pairwise(searches)]
        assert len(gaps) == 4
        for gap, rest in zip(gaps, (100, 200, 400, 800), strict=True):
            assert rest <= gap <= rest * 1.1 + 5.2
        assert lab.jumper.links == []

    run(main())


def test_searches_are_bounded_at_once_and_in_a_minute_the_busiest_first() -> None:
    async def main() -> None:
        lab = Lab(concurrency=2, per_minute=3)
        lab.node.gate = asyncio.Event()
        keys = [bytes([number]) * 32 for number in range(10, 20)]
        await lab.check()
        for number, key in enumerate(keys):
            lab.node.exchange(key, 100_000 * (number + 1))
        await lab.check()
        assert lab.node.asked == [keys[9], keys[8]]
        await lab.check(*keys)
        assert len(lab.node.asked) == 2
        lab.node.gate.set()
        await settle()
        await lab.check(*keys)
        await lab.check(*keys)
        assert len(lab.node.asked) == 3
        await lab.check(*keys, after=60)
        assert len(lab.node.asked) == 5

    run(main())


def test_links_are_bounded() -> None:
    async def main() -> None:
        lab = Lab(maximum_links=2, per_minute=100, concurrency=10)
        keys = [bytes([number]) * 32 for number in range(10, 20)]
        for key in keys:
            lab.node.offer(key, f"tls://9.9.9.9:{key[0]}")
        await lab.check()
        for _ in range(5):
            await lab.check(*keys)
        assert len(lab.jumper.links) == len(lab.node.links) == len(lab.node.dialed) == 2

    run(main())


def test_a_search_that_hangs_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        monkeypatch.setattr("ygg.jumper.jumper.PATIENCE", 0.01)
        lab = Lab()
        lab.node.gate = asyncio.Event()
        await lab.check()
        await lab.check(FAR)
        await until(lambda: not lab.jumper.busy)
        await lab.check(FAR)
        assert lab.node.asked == [FAR]

    run(main())


def test_link_goes_when_its_destination_is_out_of_use_and_may_come_again_at_once() -> None:
    async def main() -> None:
        lab = Lab(idle=60)
        await lab.connect()
        await lab.check(after=59)
        assert lab.jumper.links
        await lab.check(after=1)
        assert lab.jumper.links == lab.node.links == []
        await lab.check(FAR)
        assert len(lab.jumper.links) == 1

    run(main())


def test_use_keeps_it() -> None:
    async def main() -> None:
        lab = Lab(idle=60)
        await lab.connect()
        for _ in range(100):
            await lab.check(FAR, after=30)
        assert len(lab.jumper.links) == len(lab.node.dialed) == 1

    run(main())


@pytest.mark.parametrize(("near", "stays"), [(0.010, True), (0.059, True), (0.061, False), (10.0, False)])
def test_link_that_is_no_better_goes_after_two_judgements(near: float, stays: bool) -> None:
    async def main() -> None:
        lab = Lab(rest=1000)
        lab.node.near = near
        lab.node.offer(FAR, "tls://9.9.9.9:1")
        await lab.check()
        await lab.check(FAR)
        await lab.check(FAR)
        assert len(lab.jumper.links) == 1
        await lab.check(FAR)
        await lab.check(FAR)
        assert bool(lab.jumper.links) is bool(lab.node.links) is stays
        await lab.check(FAR)
        assert len(lab.node.dialed) == 1

    run(main())


def test_one_bad_judgement_is_forgiven_and_links_are_judged_again() -> None:
    async def main() -> None:
        lab = Lab(rate=1)
        await lab.connect()
        lab.node.near = 1.0
        await lab.check(FAR, after=60)
        assert lab.jumper.links[0].faults == 0
        await lab.check(FAR, after=JUDGE_AGAIN)
        assert lab.jumper.links[0].faults == 1
        lab.node.near = 0.01
        await lab.check(FAR)
        assert lab.jumper.links[0].faults == 0

    run(main())


def test_lost_link_rests_before_it_is_made_again() -> None:
    async def main() -> None:
        lab = Lab(rest=100)
        await lab.connect()
        lab.node.links.clear()
        await lab.check(FAR)
        assert lab.jumper.links == []
        await lab.check(FAR)
        assert len(lab.node.dialed) == 1
        await lab.check(FAR, after=111)
        assert len(lab.node.dialed) == 2

    run(main())


@pytest.mark.parametrize(
    ("other", "own", "kept"),
    [
        (Peer("tls://1.1.1.1:1", FAR, persistent=True), OWN, False),
        (Peer("tls://1.1.1.1:1", FAR, inbound=True), b"\xff" * 32, False),
        (Peer("tls://1.1.1.1:1", FAR, inbound=True), OWN, True),
        (Peer("tls://1.1.1.1:1", FAR, up=False), OWN, True),
        (Peer("tls://1.1.1.1:1", b"\x01" * 32), OWN, True),
    ],
)
def test_another_link_to_the_node_makes_it_needless(other: Peer, own: bytes, kept: bool) -> None:
    """Of two that dialed each other, the lower key's link stays."""

    async def main() -> None:
        lab = Lab()
        lab.node.public_key = own
        await lab.connect()
        lab.node.links.append(other)
        await lab.check(FAR)
        assert bool(lab.jumper.links) is kept
        assert other in lab.node.links
        assert len(lab.node.links) == 1 + kept

    run(main())


def test_a_peer_that_someone_has_added_with_that_url_is_not_removed() -> None:
    async def main() -> None:
        lab = Lab()
        await lab.connect()
        lab.node.links = [Peer("tls://9.9.9.9:1", FAR, persistent=True)]
        await lab.check()
        assert lab.jumper.links == []
        await lab.jumper.close()
        assert len(lab.node.links) == 1

    run(main())


def test_publishes_listeners_and_follows_them() -> None:
    async def main() -> None:
        lab = Lab(addresses=["tls://9.9.9.9:9"])
        lab.node.listening = ["tls://8.8.8.8:8", "tls://127.0.0.1:1"]
        await lab.check()
        assert lab.node.published == {"direct": ["tls://9.9.9.9:9", "tls://8.8.8.8:8"]}
        lab.node.listening = []
        await lab.check()
        assert lab.node.published == {"direct": ["tls://9.9.9.9:9"]}
        assert lab.jumper.published == ["tls://9.9.9.9:9"]
        await lab.jumper.close()
        assert lab.node.published == {"direct": None}

    run(main())


def test_publishes_nothing_when_told_so() -> None:
    async def main() -> None:
        lab = Lab(publish=False)
        lab.node.listening = ["tls://8.8.8.8:8"]
        await lab.check()
        assert lab.node.published == {}

    run(main())


def test_full_nodeinfo_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        lab = Lab()
        lab.node.listening = ["tls://8.8.8.8:1"]
        await lab.check()
        await lab.check()
        assert lab.jumper.published == []

    run(main())
    assert caplog.messages == ["the addresses of this node are not published: too long"]


@on_loops
async def test_runs_by_itself_and_leaves_nothing() -> None:
    lab = Lab(interval=0.001)
    tick: Callable[[], None] = lab.jumper.check

    def check() -> None:
        lab.node.now += 5
        lab.node.exchange()
        tick()

    lab.jumper.check = check  # type: ignore[method-assign]
    lab.node.offer(FAR, "tls://9.9.9.9:1")
    lab.node.listening = ["tls://8.8.8.8:8"]
    async with lab.jumper:
        await until(lambda: lab.jumper.links)
        assert lab.node.published["direct"] == ["tls://8.8.8.8:8"]
    assert lab.node.links == []
    assert lab.node.published["direct"] is None


@on_loops
async def test_closing_ends_what_is_under_way() -> None:
    lab = Lab()
    lab.node.gate = asyncio.Event()
    await lab.check()
    await lab.check(FAR)
    await lab.jumper.close()
    await lab.jumper.close()
    lab.node.gate.set()
    await settle()
    assert lab.node.dialed == []


def test_failing_check_is_logged_and_others_follow(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        lab = Lab(interval=0.001)
        good = lab.node.peers
        lab.node.peers = lambda: [][0]  # type: ignore[method-assign]
        async with lab.jumper:
            await until(lambda: caplog.records)
            lab.node.peers = good  # type: ignore[method-assign]
            lab.node.listening = ["tls://8.8.8.8:8"]
            await until(lambda: lab.node.published)

    run(main())
    assert caplog.messages[0] == "a check for direct links failed"


@pytest.mark.parametrize(
    "config",
    [
        {"interval": 0}, {"rate": 0}, {"idle": -1}, {"margin": 0}, {"maximum_links": -1}, {"concurrency": 0},
        {"per_minute": 0}, {"rest": 0}, {"keys": [b"short"]}, {"networks": ["10.0.0.1/8"]}, {"networks": "10.0.0.0/8"},
        {"schemes": "tcp"}, {"addresses": "tls://9.9.9.9:9"}, {"addresses": ["tls://10.0.0.1:9"]},
        {"addresses": ["tls://[200::1]:9"]},
    ],
)  # fmt: skip
def test_refused_config(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        JumperConfig(**config)
