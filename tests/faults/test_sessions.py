"""Sessions under a man in the middle, and packets in another's name."""

import hashlib
import os
import random
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import pytest

from tests.aio import LOOPS, run, until
from tests.faults.hostile import FARTHEST, TRAFFIC, Clock, Impostor, Middle, asks, ipv6, parts, tunnels, udp
from tests.nodes import node
from ygg import Core, LoopbackNetwork, PrivateKey, VTun, address_of
from ygg.testing import public_key
from ygg_c.base.clock import VirtualClock
from ygg_c.link import wire
from ygg_c.node.gateway import Gateway
from ygg_c.testing.payloads import send_payload

BULK = os.urandom(300_000)


@asynccontextmanager
async def watched(network: LoopbackNetwork) -> AsyncIterator[tuple[Core, Core, Middle]]:
    """Two nodes whose only link leads through a man in the middle."""
    async with node(1, network) as one, node(2, network) as two:
        middle = Middle()
        await middle.join(network, one, f"tcp://{(await two.listen('tcp://127.0.0.1:0')).address}")
        yield one, two, middle


def session_part(frame: bytes) -> tuple[dict[str, object], bytes] | None:
    """Return header and session message of a Traffic frame."""
    kind, body = parts(frame)
    if kind != TRAFFIC:
        return None
    fields = wire.decode(TRAFFIC, body)
    return fields, fields["payload"]


def rebuilt(fields: dict[str, object], payload: bytes) -> bytes:
    """Return a Traffic frame with another payload."""
    return wire.encode_frame(TRAFFIC, wire.encode(TRAFFIC, **(fields | {"payload": payload})))


def twice(side: int, frame: bytes) -> Iterable[bytes]:
    return (frame, frame) if session_part(frame) else (frame,)


def replayer() -> Callable[[int, bytes], Iterable[bytes]]:
    """Now and then everything of the last 50 frames comes once more."""
    last: list[bytes] = []

    def meddle(side: int, frame: bytes) -> Iterable[bytes]:
        if not session_part(frame):
            return (frame,)
        last.append(frame)
        return (frame, *last[-50:]) if len(last) % 20 == 0 else (frame,)

    return meddle


def forger(change: Callable[[random.Random, bytes], bytes]) -> Callable[[int, bytes], Iterable[bytes]]:
    """Ahead of every fifth session message comes a changed copy of it."""
    chance = random.Random(5)
    count = 0

    def meddle(side: int, frame: bytes) -> Iterable[bytes]:
        nonlocal count
        found = session_part(frame)
        count += 1
        if not found or count % 5:
            return (frame,)
        return (rebuilt(found[0], change(chance, found[1])), frame)

    return meddle


def flipped(chance: random.Random, payload: bytes) -> bytes:
    place = chance.randrange(len(payload))
    return payload[:place] + bytes([payload[place] ^ (1 << chance.randrange(8))]) + payload[place + 1 :]


def cut(chance: random.Random, payload: bytes) -> bytes:
    return payload[: chance.randrange(len(payload))]


def longer(chance: random.Random, payload: bytes) -> bytes:
    return payload + chance.randbytes(1 + chance.randrange(100))


def noise(chance: random.Random, payload: bytes) -> bytes:
    return payload[:1] + chance.randbytes(len(payload) - 1)


MEDDLERS: dict[str, Callable[[int, bytes], Iterable[bytes]]] = {
    "twice": twice,
    "replayed": replayer(),
    "flipped": forger(flipped),
    "cut": forger(cut),
    "longer": forger(longer),
    "noise": forger(noise),
}
REFUSED = ("replayed", "forged", "unknown_keys", "malformed", "unknown_type", "handshake_old", "handshake_forged")


def refused(*cores: Core) -> int:
    """Return how many session messages the nodes have refused."""
    return sum(core.counters()[f"session_{name}"] for core in cores for name in REFUSED)


@pytest.mark.parametrize("loop", LOOPS)
def test_transfers_survive_replays_and_forgeries(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is replayed or forged is counted and dropped; what was sent arrives once, unchanged, over the same link."""

    async def main() -> None:
        async with watched(LoopbackNetwork()) as (one, two, middle), tunnels(one, two) as (vtun, other):
            await Clock(monkeypatch).reaches(vtun, one, two)
            receiver, sender = await other.open_datagram(local_port=9), await vtun.open_datagram()
            for name, meddle in MEDDLERS.items():
                before = refused(one, two)
                middle.meddle = meddle
                answer = await asks(vtun, two.address, 7, BULK)
                assert hashlib.sha256(answer).digest() == hashlib.sha256(BULK).digest(), name
                for number in range(20):
                    await sender.sendto(bytes([number]), (str(two.address), 9))
                assert [(await receiver.recvfrom())[0][0] for _ in range(20)] == list(range(20)), name
                assert refused(one, two) > before + 5, name
            assert len(one.peers()) == len(two.peers()) == 1
            assert len(one.sessions()) == len(two.sessions()) == 1
            receiver.close()
            sender.close()

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_recorded_sessions_open_nothing(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything recorded and played back later changes no session, and brings no payload to a node that restarted."""

    async def main() -> None:
        network = LoopbackNetwork()
        recorded: list[tuple[int, bytes]] = []

        def record(side: int, frame: bytes) -> Iterable[bytes]:
            if session_part(frame):
                recorded.append((side, frame))
            return (frame,)

        async with watched(network) as (one, two, middle), tunnels(one, two) as (vtun, _):
            middle.meddle = record
            await Clock(monkeypatch).reaches(vtun, one, two)
            assert await asks(vtun, two.address, 7) == b"ping"
            sent = [core.counters()["session_ack_sent"] for core in (one, two)]
            for side, frame in recorded * 20:
                middle.inject(side, frame)
            assert await asks(vtun, two.address, 7) == b"ping"
            assert [core.counters()["session_ack_sent"] for core in (one, two)] == sent
            assert refused(one, two) >= 100
        async with node(2, network) as two, tunnels(two) as (fresh,):
            impostor = await Impostor.linked(network, f"tcp://{(await two.listen('tcp://127.0.0.1:0')).address}")
            await impostor.proven()
            for side, frame in recorded:
                if side == 0 and (found := session_part(frame)) and found[1][0] == 3:
                    impostor.say(TRAFFIC, **(found[0] | {"path": [], "watermark": FARTHEST}))
            await impostor.roundtrip()
            assert two.counters()["session_no_session"] > 0
            assert two.counters()["session_init_sent"] == 1
            assert two.sessions() == []
            assert fresh.stack.counters()["packets_in"] == 0
            impostor.transport.abort()

    run(main(), loop)


async def packets_in_anothers_name(one: Core, two: Core, victim: VTun) -> None:
    """Send from `one` what its gateway would never let out."""
    third = address_of(public_key(3)).packed
    ours, theirs = one.address.packed, two.address.packed
    outside = bytes.fromhex("20010db8" + "00" * 11 + "01")
    forged = [
        udp(third, theirs, (9, 9), b"forged"),
        udp(theirs, theirs, (9, 9), b"forged"),
        udp(ours, third, (9, 9), b"forged"),
        udp(ours, ours, (9, 9), b"forged"),
        udp(outside, theirs, (9, 9), b"forged"),
        udp(ours, outside, (9, 9), b"forged"),
        udp(bytes(16), theirs, (9, 9), b"forged"),
        udp(b"\xff\2" + bytes(14), theirs, (9, 9), b"forged"),
        udp(ours, b"\xff\2" + bytes(13) + b"\1", (9, 9), b"forged"),
        ipv6(ours, theirs, 17, b"")[:39],
        b"\x45" + bytes(60),
        b"",
    ]
    before, dropped = victim.stack.counters(), gateway_drops(victim)
    for packet in forged:
        send_payload(one.engine, two.public_key, b"\1" + packet)
    send_payload(one.engine, two.public_key, b"")
    send_payload(one.engine, two.public_key, b"\x07unknown")
    await until(lambda: gateway_drops(victim) == dropped + len(forged))
    after = victim.stack.counters()
    assert [after[name] for name in ("udp_in", "not_ours", "martian", "malformed")] == [
        before[name] for name in ("udp_in", "not_ours", "martian", "malformed")
    ]


async def session_messages_in_many_names(network: LoopbackNetwork, two: Core) -> None:
    """A neighbour passes on what invented keys seem to say; answers are bounded, and nothing of them is kept."""
    impostor = await Impostor.linked(network, f"tcp://{two.listeners[0].address}")
    await impostor.proven()
    before = two.counters()
    for number in range(3000):
        source = PrivateKey.from_seed(hashlib.sha256(number.to_bytes(2)).digest()).public_key
        fields = {"path": [], "from": [1], "source": source, "dest": two.public_key, "watermark": FARTHEST}
        impostor.say(TRAFFIC, **fields, payload=bytes([1 + number % 3]) * 193)
    await impostor.roundtrip()
    grown = {name: count - before[name] for name, count in two.counters().items()}
    assert grown["session_no_session"] == 1000
    assert grown["session_handshake_forged"] + grown["session_handshake_limited"] == 2000
    assert grown["session_init_sent"] + grown["session_init_limited"] + grown["session_stranger_limited"] == 1000
    assert grown["session_stranger_limited"] > 0
    assert len(two.sessions()) == 1
    impostor.transport.abort()
    await impostor.lost


@pytest.mark.parametrize("loop", LOOPS)
def test_who_has_no_key_has_no_voice(loop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packets whose addresses do not match their keys, and floods in invented names; the honest session goes on.

    The flood takes no time by the nodes' clocks, for what it may cost is bounded by the second.
    """

    async def main() -> None:
        network = LoopbackNetwork()
        async with (
            node(1, network, clock=VirtualClock()) as one,
            node(2, network, clock=VirtualClock()) as two,
        ):
            await one.call_peer(f"tcp://{(await two.listen('tcp://127.0.0.1:0')).address}")
            async with tunnels(one, two) as (vtun, victim):
                clock = Clock(monkeypatch)
                await clock.reaches(vtun, one, two)
                await packets_in_anothers_name(one, two, victim)
                assert await clock.during(asks(vtun, two.address, 7), one, two) == b"ping"
                await session_messages_in_many_names(network, two)
                assert await clock.during(asks(vtun, two.address, 7), one, two) == b"ping"

    run(main(), loop)


def gateway_drops(vtun: VTun) -> int:
    gateway = vtun.upper.lower
    assert isinstance(gateway, Gateway)
    return gateway.counters()["dropped_incoming"]
