"""ygg.node.links.acceptor: who comes in, and what listeners are told of."""

import logging

import pytest

from tests.aio import LOOPS, on_loops, run, settle, until
from tests.nodes import Stranger, manager, node, ups
from ygg import Certificate, Core, IncomingLimits, LoopbackNetwork
from ygg.errors import (
    HandshakeTimeout,
)
from ygg.node import handshake
from ygg.testing import private_key, public_key


@pytest.mark.parametrize("loop", LOOPS)
def test_only_allowed_keys_come_in_except_where_all_are_admitted(loop: str) -> None:
    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one, node(2, network, allowed_public_keys=[public_key(3)]) as two:
            strict = await two.listen("tcp://127.0.0.1:0")
            await one.call_peer(f"tcp://{strict.address}")      # the dialer cannot know yet
            await until(lambda: not one.peers())
            assert two.peers() == []
            lenient = await two.listen("tcp://127.0.0.1:0", admit_all=True)
            await one.call_peer(f"tcp://{lenient.address}")
            await until(lambda: ups(two))
            await two.call_peer(f"tcp://{(await one.listen('tcp://127.0.0.1:0')).address}")

    run(main(), loop)


@on_loops
async def test_strangers_are_shown_the_door() -> None:
    network = LoopbackNetwork()
    async with node(1, network) as one:
        listener = await one.listen("tcp://127.0.0.1:0")
        hello = handshake.encode(private_key(2), 0)
        for opening in (b"GET / HTTP/1.1\r\n", bytes([*hello[:-1], hello[-1] ^ 1]), hello[:60] + bytes(63)):
            stranger = await Stranger.at(network, listener.address)
            stranger.transport.write(opening)
            await stranger.lost
        assert one.peers() == []
        stranger = await Stranger.at(network, listener.address)
        stranger.transport.write(hello)
        await until(lambda: ups(one))
        stranger.transport.write(b"\x02\x63\x00")       # an unknown frame type
        await stranger.lost
        await until(lambda: not one.peers())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_silent_stranger_is_dropped_in_time(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "TIMEOUT", 0.01)

    async def main() -> None:
        network = LoopbackNetwork()
        async with node(1, network) as one:
            listener = await one.listen("tcp://127.0.0.1:0")
            stranger = await Stranger.at(network, listener.address)
            await stranger.lost
            assert one.peers() == []
            silent = await network.listen_stream("127.0.0.1", 0)
            with pytest.raises(HandshakeTimeout):
                await one.call_peer(f"tcp://{silent.address}")
            silent.close()

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_many_silent_strangers_do_not_keep_an_honest_one_out(loop: str) -> None:
    async def main() -> None:
        network = LoopbackNetwork()
        limits = IncomingLimits(newcomers=4)
        async with node(1, network, incoming_limits=limits) as one, node(2, network) as two:
            listener = await one.listen("tcp://127.0.0.1:0")
            strangers = [await Stranger.at(network, listener.address) for _ in range(6)]
            await settle()
            assert [stranger.lost.done() for stranger in strangers] == [True, True, False, False, False, False]
            await two.call_peer(f"tcp://{listener.address}")
            await until(lambda: ups(one))

    run(main(), loop)


@on_loops
async def test_a_listener_that_ends_by_itself_is_logged_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ygg.links")
    network = LoopbackNetwork()
    table = manager(network)
    async with Core(Certificate(private_key(1)), table) as one:
        closed = await one.listen("tcp://127.0.0.1:0")
        closed.close()
        await until(lambda: not one.listeners)
        for level, change in (
            (logging.ERROR, network.down),
            (logging.INFO, lambda: table.map_network("127.0.0.1", None)),
        ):
            listener = await one.listen("tcp://127.0.0.1:0?password=hidden")
            caplog.clear()
            change()
            await until(lambda: not one.listeners)
            network.up()
            (record,) = caplog.records
            assert record.levelno == level
            assert record.getMessage().startswith(f"Listening at tcp://{listener.address} failed: ")
        caplog.clear()
        table.unmap_network("127.0.0.1")
        await one.listen("tcp://127.0.0.1:0")
    assert [record.getMessage().split()[:2] for record in caplog.records] == [["Listening", "at"]]
    assert "failed" not in caplog.text
