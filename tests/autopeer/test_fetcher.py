"""ygg.autopeer.fetcher and sources: several lists made one, kept current, and none harmed by another's failure."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.aio import on_loops, run, settle, until
from tests.autopeer.server import Server, ok, response, serving
from ygg.autopeer import BUILTIN, PeerFetcher, PublicPeer
from ygg.network import LoopbackNetwork

NOW = 1_700_000_000.0
FIRST, SECOND = "http://first.example/publicnodes.json", "HTTP://second.example/germany.md"


def nodes(*hosts: str, **measurement: Any) -> bytes:
    return json.dumps({"france.md": {f"tcp://{host}:1": measurement for host in hosts}}).encode()


def hosts(peers: tuple[PublicPeer, ...]) -> list[str]:
    return [peer.host for peer in peers]


@asynccontextmanager
async def sites() -> AsyncIterator[tuple[Server, LoopbackNetwork]]:
    network = LoopbackNetwork(hosts={"first.example": ["192.0.2.1"], "second.example": ["192.0.2.1"]})
    async with network, serving(network, "192.0.2.1", 80) as server:
        server.answers["/publicnodes.json"] = ok(nodes("a", "b"))
        server.answers["/germany.md"] = ok(b"* `tcp://b:1`\n* `tcp://c:1`")
        yield server, network


def test_builtin_list_needs_no_network() -> None:
    fetcher = PeerFetcher()
    run(fetcher.refresh())
    assert len(fetcher.peers) > 300
    (status,) = fetcher.status()
    assert (status.source, status.form, status.peers, status.error) == ("builtin", "ygg", len(fetcher.peers), "")
    assert status.date


@on_loops
async def test_lists_are_merged_in_order() -> None:
    async with sites() as (_, network):
        fetcher = PeerFetcher([FIRST, SECOND], network=network)
        assert fetcher.peers == ()
        peers = await fetcher.refresh()
        assert peers == fetcher.peers
        assert hosts(peers) == ["a", "b", "c"]
        assert [peer.country for peer in peers] == ["france", "france", "germany"]
        fetcher.sources = (SECOND, FIRST)
        assert [(peer.host, peer.country) for peer in fetcher.peers] == [
            ("b", "germany"),
            ("c", "germany"),
            ("a", "france"),
        ]


def test_fault_of_one_source_is_no_fault_of_the_fetcher(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(LoopbackNetwork):
        async def connect_stream(self, *_: Any, **__: Any) -> Any:
            raise RuntimeError("broken")

    async def main() -> None:
        async with sites() as (_, network):
            fetcher = PeerFetcher([FIRST, SECOND], network=network, networks={FIRST: Broken()})
            assert hosts(await fetcher.refresh()) == ["b", "c"]
            assert "broken" in fetcher.status()[0].error

    run(main())


def test_measurements_grow_stale_without_a_new_document() -> None:
    async def main() -> None:
        async with sites() as (server, network):
            times = [NOW]
            server.answers["/publicnodes.json"] = ok(nodes("a", up=True, response_ms=5, updated=NOW))
            fetcher = PeerFetcher([FIRST], network=network, clock=lambda: times[0])
            assert (await fetcher.refresh())[0].up is True
            server.answers["/publicnodes.json"] = response(503)
            times[0] += 2 * 86_400
            assert (await fetcher.refresh())[0].up is None

    run(main())


@on_loops
async def test_silent_source_holds_no_other_back() -> None:
    async with sites() as (server, network):
        server.answers["/publicnodes.json"] = None
        fetcher = PeerFetcher([FIRST, SECOND, BUILTIN], network=network)
        refresh = asyncio.create_task(fetcher.refresh())
        await settle()
        assert len(fetcher.peers) > 300  # what is compiled in is there at once
        await until(lambda: hosts(fetcher.peers)[:2] == ["b", "c"])
        assert not refresh.done()
        refresh.cancel()
        await asyncio.wait([refresh])


def test_none_skips_a_source_and_drops_what_it_gave() -> None:
    async def main() -> None:
        async with sites() as (server, network):
            fetcher = PeerFetcher([FIRST, SECOND, BUILTIN], network=network, networks={BUILTIN: None})
            assert hosts(await fetcher.refresh()) == ["a", "b", "c"]
            fetcher.map_network(FIRST, None)
            assert hosts(fetcher.peers) == ["b", "c"]
            assert hosts(await fetcher.refresh()) == ["b", "c"]
            assert len(server.asked) == 3
            fetcher.unmap_network(FIRST)
            assert hosts(await fetcher.refresh()) == ["a", "b", "c"]
            fetcher.unmap_network(BUILTIN)
            assert len(await fetcher.refresh()) > 300

    run(main())


def test_without_a_network_only_local_sources_are_read() -> None:
    async def main() -> None:
        async with sites() as (server, network):
            fetcher = PeerFetcher([FIRST, BUILTIN])
            assert len(await fetcher.refresh()) > 300
            assert server.asked == []
            fetcher.network = network
            assert "a" in hosts(await fetcher.refresh())
            fetcher.network = None
            assert "a" not in hosts(fetcher.peers)

    run(main())


def test_source_has_a_network_of_its_own() -> None:
    async def main() -> None:
        async with sites() as (_, network), LoopbackNetwork() as elsewhere:
            fetcher = PeerFetcher([FIRST, SECOND], network=elsewhere, networks={SECOND: network})
            assert hosts(await fetcher.refresh()) == ["b", "c"]
            assert "no such host" in fetcher.status()[0].error

    run(main())


def test_source_blocked_while_it_answers_gives_nothing() -> None:
    async def main() -> None:
        async with sites() as (server, network):

            def answer(headers: dict[str, str]) -> bytes:
                fetcher.map_network(FIRST, None)
                return ok(nodes("a"))

            server.answers["/publicnodes.json"] = answer
            fetcher = PeerFetcher([FIRST], network=network)
            assert await fetcher.refresh() == ()

    run(main())


@on_loops
async def test_refreshes_by_itself_and_when_asked() -> None:
    async with sites() as (server, network):
        async with PeerFetcher([FIRST], network=network, interval=3600) as fetcher:
            await until(lambda: fetcher.peers)
            server.answers["/publicnodes.json"] = ok(nodes("z"))
            threading.Thread(target=fetcher.refresh_soon).start()
            await until(lambda: hosts(fetcher.peers) == ["z"])
            assert len(server.asked) == 2
        assert not fetcher.running
        assert hosts(fetcher.peers) == ["z"]
        fetcher.interval = 0.001
        async with fetcher:
            await until(lambda: len(server.asked) >= 5)


def test_close_while_a_source_keeps_silent() -> None:
    async def main() -> None:
        async with sites() as (server, network):
            server.answers["/publicnodes.json"] = None
            async with PeerFetcher([FIRST], network=network):
                await until(lambda: server.asked)

    run(main())


def test_subscribers_hear_of_changes_only(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with sites() as (server, network):
            fetcher = PeerFetcher([FIRST], network=network)
            heard: list[list[str]] = []

            def fail(peers: object) -> None:
                raise ValueError("in the subscriber")

            fetcher.subscribe(fail)
            unsubscribe = fetcher.subscribe(lambda peers: heard.append(hosts(peers)))
            await fetcher.refresh()
            await fetcher.refresh()
            assert heard == [["a", "b"]]
            server.answers["/publicnodes.json"] = ok(nodes("z"))
            await fetcher.refresh()
            unsubscribe()
            unsubscribe()
            fetcher.map_network(FIRST, None)
            assert heard == [["a", "b"], ["z"]]
            assert "a subscriber to public peers failed" in caplog.messages

    run(main())


def test_two_refreshes_at_once_do_not_mix() -> None:
    async def main() -> None:
        async with sites() as (server, network):
            fetcher = PeerFetcher([FIRST], network=network)
            both = asyncio.gather(fetcher.refresh(), fetcher.refresh())
            await settle()
            assert [hosts(peers) for peers in await both] == [["a", "b"], ["a", "b"]]
            assert len(server.asked) == 2

    run(main())


@pytest.mark.parametrize("options", [{"interval": 0}, {"timeout": 0}])
def test_times_must_be_positive(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        PeerFetcher(**options)


def test_any_thread_reads_a_whole_snapshot() -> None:
    async def main() -> set[tuple[str, ...]]:
        seen: set[tuple[str, ...]] = set()
        done = threading.Event()

        def read() -> None:
            while not done.wait(0.0005):    # leaves the interpreter to the loop in between
                seen.add(tuple(hosts(fetcher.peers)))

        async with sites() as (_, network):
            fetcher = PeerFetcher([FIRST, SECOND], network=network)
            reader = threading.Thread(target=read)
            reader.start()
            try:
                for turn in range(40):
                    fetcher.map_network(FIRST, None if turn % 2 else network)
                    await fetcher.refresh()
            finally:
                done.set()
                reader.join()
        return seen

    # The last two are what one list says before the other has answered.
    assert run(main()) <= {(), ("a", "b", "c"), ("b", "c"), ("a", "b")}
