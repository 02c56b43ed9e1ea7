"""Neighbours that stop reading: what waits for them is bounded, their links end, and others are served."""

import asyncio

import pytest

from tests.aio import LOOPS, run, until
from tests.faults.hostile import DUMMY, FARTHEST, SIG_REQ, TRAFFIC, Clock, Impostor
from tests.nodes import node
from ygg import Core, LoopbackNetwork, NativeNetwork, Network
from ygg_c.link import wire

QUEUE = 4 << 20
"""Bytes of transit packets that may wait for a link, as ygg_c.link.fairqueue has it."""
CONTROL = 1 << 20
"""Bytes of control messages."""
SLACK = 1 << 20
"""What is in flight besides: one write, and what the transport holds."""


def queued(core: Core, key: bytes) -> int:
    """Return the bytes that wait for the neighbour of a key."""
    return sum(record.link.queued for record in core.links if record.link and record.link.key == key)


async def stall(clock: Clock, network: Network, scheme: str) -> tuple[float, float]:
    """A neighbour floods its way through us to another that reads nothing, until that is dropped.

    Return for how many seconds the clock ran ahead, and the same with those that really passed.
    """
    async with network, node(1, network) as one:
        listener = await one.listen(f"{scheme}://127.0.0.1:0")
        url = f"{scheme}://{listener.address}"
        deaf, talker, honest = [await Impostor.linked(network, url, number) for number in (2, 3, 4)]
        for impostor in (deaf, talker, honest):
            await impostor.proven()
        port = await deaf.become_child()
        await deaf.roundtrip()
        deaf.transport.pause_reading()
        began, begun = clock.ahead, asyncio.get_running_loop().time()
        fields = {"path": [port], "from": [1], "source": talker.key, "dest": deaf.key, "watermark": FARTHEST}
        packet = wire.encode_frame(TRAFFIC, wire.encode(TRAFFIC, **fields, payload=bytes(60000)))
        most = 0
        await honest.roundtrip()
        while any(peer.key == deaf.key for peer in one.peers()):
            if not talker.transport.get_write_buffer_size():
                talker.transport.write(packet * 20)
            most = max(most, queued(one, deaf.key))
            assert most < QUEUE + SLACK
            await clock.passes(one)
        await honest.roundtrip()
        passed = (clock.ahead - began) / 1e9
        whole = passed + asyncio.get_running_loop().time() - begun
        assert most > QUEUE // 2
        assert one.counters()["queue_dropped"] > 0
        for impostor in (deaf, talker, honest):
            impostor.transport.abort()
        await until(lambda: not one.peers())
        return passed, whole


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("scheme", ["tcp", "tls"])
@pytest.mark.parametrize("network_type", [LoopbackNetwork, NativeNetwork])
def test_a_deaf_neighbour_is_dropped_and_others_are_served(
    loop: str, network_type: type[Network], scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three seconds after it should have said something, over every kind of carrier; queues stay bounded till then."""
    ahead, whole = run(stall(Clock(monkeypatch), network_type(), scheme), loop)
    assert ahead < 6
    assert whole > 1.5


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("network_type", [LoopbackNetwork, NativeNetwork])
def test_who_talks_without_listening_is_dropped_when_too_much_waits(loop: str, network_type: type[Network]) -> None:
    """Answers to a neighbour that asks and never reads: bounded by their rate, and their link lives while it talks."""

    async def main() -> None:
        async with network_type() as network, node(1, network) as one:
            listener = await one.listen("tcp://127.0.0.1:0")
            deaf = await Impostor.linked(network, f"tcp://{listener.address}", 2)
            await deaf.proven()
            deaf.transport.pause_reading()
            for number in range(20000):
                deaf.say(SIG_REQ, seq=number, nonce=number)
            deaf.frame(DUMMY)
            await until(lambda: not deaf.transport.get_write_buffer_size())
            await until(lambda: one.counters()["requests_limited"] > 10000)
            assert queued(one, deaf.key) <= CONTROL
            deaf.transport.abort()
            await until(lambda: not one.peers())

    run(main(), loop)
