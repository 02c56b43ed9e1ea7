"""ygg.node.links.places: which of the links that came in stay."""

import logging

import pytest

from tests.aio import LOOPS, on_loops, run, until
from tests.nodes import Stranger, node, ups
from ygg import IncomingLimits, LoopbackNetwork
from ygg.node import handshake
from ygg.testing import private_key


@pytest.mark.parametrize("loop", LOOPS)
def test_only_so_many_links_come_in(loop: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "ygg.links")

    async def main() -> None:
        network = LoopbackNetwork()
        full = IncomingLimits(links=2, per_key=1)
        async with node(1, network, incoming_limits=full) as one, node(2, network) as two, node(3, network) as three:
            at = (await one.listen("tcp://127.0.0.1:0")).address
            out = (await two.listen("tcp://127.0.0.1:0")).address
            await one.call_peer(f"tcp://{out}")             # what one dials does not count
            await two.call_peer(f"tcp://{at}")
            await three.call_peer(f"tcp://{at}")
            await until(lambda: len(ups(one)) == 3)
            async with node(4, network) as four:
                await four.call_peer(f"tcp://{at}")
                await until(lambda: not ups(three))         # the youngest goes
                assert {*ups(one)} == {two.public_key, four.public_key}
                assert one.counters()["incoming_evicted"] == 1
                two.remove_peer(f"tcp://{at}")
                await until(lambda: len(ups(one)) == 2)
                await three.call_peer(f"tcp://{at}")
                await until(lambda: len(ups(one)) == 3)

    run(main(), loop)
    (warning,) = [record.message for record in caplog.records]
    assert warning.startswith("Too many incoming links: 2 there, 2 of them where tcp://127.0.0.1:")


@on_loops
async def test_one_key_has_so_many_links_and_no_more() -> None:
    network = LoopbackNetwork()
    limits = IncomingLimits(per_key=2)
    async with node(1, network, incoming_limits=limits) as one, node(2, network) as two, node(3, network) as three:
        at = [(await one.listen("tcp://127.0.0.1:0")).address for _ in range(3)]
        for address in at[:2]:
            await two.call_peer(f"tcp://{address}")
        await until(lambda: len(ups(one)) == 2)
        await two.call_peer(f"tcp://{at[2]}")
        await until(lambda: one.counters()["incoming_refused"] == 1)
        await until(lambda: len(ups(two)) == 2)
        await three.call_peer(f"tcp://{at[2]}")
        await until(lambda: len(ups(one)) == 3)


@on_loops
async def test_places_are_for_those_who_have_shown_their_keys() -> None:
    """A recorded handshake takes no place, however often it is said again."""
    network = LoopbackNetwork()
    limits = IncomingLimits(links=1, newcomers=4)
    async with node(1, network, incoming_limits=limits) as one, node(2, network) as two:
        listener = await one.listen("tcp://127.0.0.1:0")
        await two.call_peer(f"tcp://{listener.address}")
        await until(lambda: one.engine.counters() and ups(one))
        recorded = handshake.encode(private_key(9), 0)
        strangers = [await Stranger.at(network, listener.address) for _ in range(8)]
        for stranger in strangers:
            stranger.transport.write(recorded)
        await until(lambda: [stranger.lost.done() for stranger in strangers] == [True] * 4 + [False] * 4)
        assert one.counters()["newcomers_dropped"] == 4
        assert two.public_key in ups(one)
        assert not one.counters()["incoming_evicted"]


@on_loops
async def test_a_link_that_is_proven_and_closed_in_one_turn_takes_no_place() -> None:
    network = LoopbackNetwork()
    async with node(1, network) as one, node(2, network) as two:
        await two.call_peer(f"tcp://{(await one.listen('tcp://127.0.0.1:0')).address}")
        await until(lambda: ups(one))
        (record,) = one.links
        assert record.link is not None
        record.link.close("at once")
        tell = one.engine.on_link_proven
        assert tell is not None
        tell(record.link)
        await until(lambda: not ups(one))
