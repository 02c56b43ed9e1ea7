"""Events are told to callbacks and iterators, in their order, and none holds up another."""

import asyncio
import gc
import logging
from typing import cast

import pytest

from tests.aio import in_virtual_time, on_loops, settle, until
from tests.nodes import node
from ygg import LoopbackNetwork, address_of
from ygg.errors import ConnectionAborted, ConnectTimeout
from ygg.node.events import (
    Event,
    Events,
    EventsLost,
    EventStream,
    PathFound,
    PeerDown,
    PeerUp,
    PlaceChanged,
    SameIdentity,
    SessionClosed,
    SessionOpened,
)
from ygg.simulation import VirtualLoop
from ygg.testing import public_key


def opened(number: int) -> SessionOpened:
    return SessionOpened(public_key(number))


def test_a_key_has_its_address() -> None:
    assert opened(1).address == address_of(public_key(1))


def test_urls_are_not_shown_with_their_secrets() -> None:
    event = PeerUp(public_key(1), "socks://user:secret@proxy:1/host:2", "socks://user:xxxxx@proxy:1/host:2", False)
    assert "secret" not in repr(event)


def test_callbacks_hear_what_they_asked_for_until_they_end_it(caplog: pytest.LogCaptureFixture) -> None:
    source, heard, all_heard = Events(), [], []
    end = source.subscribe(heard.append, (SessionOpened,))
    source.subscribe(lambda event: 1 / 0)
    source.subscribe(all_heard.append)
    with caplog.at_level(logging.ERROR, "ygg.events"):
        source.tell(opened(1))
    source.tell(SessionClosed(public_key(1)))
    assert heard == [opened(1)]
    assert all_heard == [opened(1), SessionClosed(public_key(1))]
    assert "ZeroDivisionError" in caplog.text
    end()
    end()
    source.tell(opened(2))
    assert heard == [opened(1)]


@on_loops
async def test_callbacks_hear_nothing_of_the_end() -> None:
    source, heard = Events(), []
    source.subscribe(heard.append)
    stream = source.stream()
    source.tell(opened(1))
    source.close()
    source.close()
    assert heard == [opened(1)]
    assert [event async for event in stream] == [opened(1)]
    assert [event async for event in source.stream()] == []


@on_loops
async def test_an_iterator_gives_events_in_order_and_ends_with_the_source() -> None:
    source = Events()
    stream = source.stream((SessionOpened,))
    reading = asyncio.create_task(collect(stream))
    source.tell(opened(1))
    source.tell(SessionClosed(public_key(1)))
    await settle()
    source.tell(opened(2))
    source.close()
    assert await reading == [opened(1), opened(2)]
    assert await collect(source.stream()) == []


async def collect(stream: EventStream) -> list[Event]:
    return [event async for event in stream]


@on_loops
async def test_a_slow_reader_loses_the_oldest_and_is_told_how_many() -> None:
    source = Events()
    stream = source.stream((SessionOpened,), limit=3)
    for number in range(1, 6):
        source.tell(opened(number))
    assert await anext(stream) == EventsLost(2)
    source.close()
    assert await collect(stream) == [opened(3), opened(4), opened(5)]
    with pytest.raises(ValueError, match="room for one"):
        source.stream(limit=0)


@on_loops
async def test_a_cancelled_reader_loses_nothing() -> None:
    source = Events()
    with source.stream() as stream:
        waiting = asyncio.create_task(anext(stream))
        await settle()
        waiting.cancel()
        await asyncio.wait({waiting})
        source.tell(opened(1))
        assert await anext(stream) == opened(1)
    assert await collect(stream) == []


@on_loops
async def test_a_reader_that_is_gone_leaves_nothing_behind() -> None:
    source = Events()
    async for _ in _told(source):
        break
    gc.collect()
    assert len(source) == 0


def _told(source: Events) -> EventStream:
    stream = source.stream()
    source.tell(opened(1))
    return stream


@on_loops
async def test_a_node_tells_of_peers_and_its_place() -> None:
    async with LoopbackNetwork() as network, node(1, network) as one:
        heard: list[Event] = []
        one.on_event(heard.append)
        async with node(2, network) as two:
            listener = await two.listen("tcp://127.0.0.1:0")
            url = f"tcp://{listener.address}"
            one.add_peer(url)
            peer = await one.connected(10)
            assert (peer.key, peer.up) == (two.public_key, True)
            assert PeerUp(two.public_key, url, url, inbound=False) in heard
            inbound = await two.connected(10)
            assert inbound.inbound
            await until(lambda: PlaceChanged(two.public_key, (1,)) in heard)
            one.remove_peer(url)
            await until(lambda: any(isinstance(event, PeerDown) for event in heard))
            (down,) = (event for event in heard if isinstance(event, PeerDown))
            assert (down.key, down.url, down.reason) == (two.public_key, url, "ErrClosed")
        await until(lambda: PlaceChanged(one.public_key, ()) in heard)


@on_loops
async def test_a_node_tells_of_paths_and_sessions() -> None:
    async with LoopbackNetwork() as network, node(1, network) as one, node(2, network) as two:
        events = one.events(SessionOpened, PathFound)
        listener = await two.listen("tcp://127.0.0.1:0")
        await one.call_peer(f"tcp://{listener.address}")
        await one.node_info(two.public_key)
        assert {type(await anext(events)), type(await anext(events))} == {SessionOpened, PathFound}


@on_loops
async def test_waiting_for_a_peer_says_why_there_is_none() -> None:
    async with LoopbackNetwork() as network, node(1, network) as one:
        with pytest.raises(ConnectTimeout, match="none is configured"):
            await one.connected(0.01)
        one.add_peer("tcp://127.0.0.1:9")
        await until(lambda: one.peers()[0].last_error)
        with pytest.raises(ConnectTimeout, match=r"tcp://127.0.0.1:9 \(connection refused"):
            await one.connected(0.01)
        waiting = asyncio.create_task(one.connected())
        await settle()
        await one.stop()
        with pytest.raises(ConnectionAborted):
            await waiting


@on_loops
async def test_another_program_with_the_same_key_is_told_of_at_both(caplog: pytest.LogCaptureFixture) -> None:
    """Each dials the other's listener: neither has the other end of what it sees fail."""
    async with LoopbackNetwork() as network, node(1, network) as one, node(1, network) as two:
        first, second = one.events(SameIdentity), two.events(SameIdentity)
        listener = await one.listen("tcp://127.0.0.1:0")
        two.add_peer(f"tcp://{listener.address}")
        for stream, side in ((first, "that came from"), (second, "at tcp://127.0.0.1")):
            event = await anext(stream)
            assert isinstance(event, SameIdentity)
            assert side in event.evidence
    assert caplog.text.count("Another program uses the identity") == 2


@in_virtual_time
async def test_another_program_with_the_same_key_and_the_same_peer_is_told_of_at_both() -> None:
    clock = cast(VirtualLoop, asyncio.get_running_loop()).clock
    async with (
        LoopbackNetwork() as network,
        node(2, network, clock=clock) as peer,
        node(1, network, clock=clock) as one,
        node(1, network, clock=clock) as two,
    ):
        first, second = one.events(SameIdentity), two.events(SameIdentity)
        listener = await peer.listen("tcp://127.0.0.1:0")
        one.add_peer(f"tcp://{listener.address}")
        await asyncio.sleep(30)
        two.add_peer(f"tcp://{listener.address}")
        for stream in (first, second):
            event = await asyncio.wait_for(anext(stream), 20 * 60)
            assert isinstance(event, SameIdentity)
            assert "records of its key" in event.evidence


@on_loops
async def test_a_node_that_dials_itself_is_no_other_program() -> None:
    async with LoopbackNetwork() as network, node(1, network) as one:
        heard: list[Event] = []
        one.on_event(heard.append, SameIdentity)
        listener = await one.listen("tcp://127.0.0.1:0")
        one.add_peer(f"tcp://{listener.address}")
        await until(lambda: one.peers()[0].last_error)
        await asyncio.sleep(2.2)  # past the moment at which it is judged
        assert heard == []
