"""Neighbours that flood a node with messages: what they may make it keep and do is bounded, and others are served."""

import hashlib
import os
import time
from collections.abc import Callable

import pytest

from tests.aio import LOOPS, run, until
from tests.faults.hostile import (
    ANNOUNCE,
    BLOOM,
    BROKEN,
    DUMMY,
    EVERYTHING,
    FARTHEST,
    LOOKUP,
    NOTIFY,
    SIG_REQ,
    SIG_RES,
    TRAFFIC,
    Impostor,
)
from tests.nodes import node
from ygg import Core, LoopbackNetwork, NativeNetwork, Network, PrivateKey
from ygg_c.link import wire

COUNT = 1500
MOST_RECORDS = 4096
"""That one neighbour may be the first to bring."""


def invented(number: int) -> PrivateKey:
    """Return one of as many keys as an attacker likes."""
    return PrivateKey.from_seed(hashlib.sha256(number.to_bytes(4)).digest())


def dummies(core: Core, number: int) -> tuple[int, bytes]:
    return DUMMY, bytes(1000)


def requests(core: Core, number: int) -> tuple[int, bytes]:
    return SIG_REQ, wire.encode(SIG_REQ, seq=number, nonce=number)


def answers(core: Core, number: int) -> tuple[int, bytes]:
    """Unasked for, and rightly signed."""
    signed = wire.encode_tree_bytes(core.public_key, Impostor.KEY.public_key, number, number, 1)
    return SIG_RES, wire.encode(SIG_RES, seq=number, nonce=number, port=1, psig=Impostor.KEY.sign(signed))


def records(core: Core, number: int) -> tuple[int, bytes]:
    """Of invented nodes, each a root."""
    key = invented(number)
    signed = wire.encode_tree_bytes(key.public_key, key.public_key, 1, 1, 0)
    return ANNOUNCE, signed + key.sign(signed) * 2


def sequences(core: Core, number: int) -> tuple[int, bytes]:
    """Of the neighbour itself, ever newer."""
    signed = wire.encode_tree_bytes(Impostor.KEY.public_key, Impostor.KEY.public_key, number + 1, 1, 0)
    return ANNOUNCE, signed + Impostor.KEY.sign(signed) * 2


def filters(core: Core, number: int) -> tuple[int, bytes]:
    return BLOOM, EVERYTHING if number % 2 else b"\xff" * 16 + bytes(16)


def lookups(core: Core, number: int) -> tuple[int, bytes]:
    """For the node itself, in invented names."""
    return LOOKUP, wire.encode(LOOKUP, source=os.urandom(32), dest=core.public_key, **{"from": [1, 2, 3]})


def notifies(core: Core, number: int) -> tuple[int, bytes]:
    """Of paths nobody asked for, with signatures that are none."""
    return NOTIFY, wire.encode(
        NOTIFY,
        path=[],
        watermark=FARTHEST,
        source=os.urandom(32),
        dest=core.public_key,
        seq=1,
        info_path=[1],
        sig=bytes(64),
    )


def broken(core: Core, number: int) -> tuple[int, bytes]:
    return BROKEN, wire.encode(BROKEN, path=[], watermark=FARTHEST, source=core.public_key, dest=os.urandom(32))


def astray(core: Core, number: int) -> tuple[int, bytes]:
    """Traffic for nobody: each could be answered with a PathBroken."""
    return TRAFFIC, wire.encode(
        TRAFFIC,
        path=[9, 9],
        watermark=FARTHEST,
        source=os.urandom(32),
        dest=os.urandom(32),
        payload=b"",
        **{"from": [1]},
    )


def circles(core: Core, number: int) -> tuple[int, bytes]:
    """Traffic with the longest paths, to be searched for a next hop."""
    ports = [1 + (number + index) % 100 for index in range(1000)]
    return TRAFFIC, wire.encode(
        TRAFFIC, path=ports, watermark=FARTHEST, source=bytes(32), dest=os.urandom(32), payload=b"", **{"from": ports}
    )


FLOODS = [dummies, requests, answers, records, sequences, filters, lookups, notifies, broken, astray, circles]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("flood", FLOODS, ids=lambda flood: flood.__name__)
def test_a_flood_is_taken_calmly(loop: str, flood: Callable[[Core, int], tuple[int, bytes]]) -> None:
    """Its link may stay or end, but the node answers another neighbour, and keeps little of it."""

    async def main() -> None:
        network: Network = NativeNetwork() if flood is dummies else LoopbackNetwork()
        async with network, node(1, network) as one:
            listener = await one.listen("tcp://127.0.0.1:0")
            honest = await Impostor.linked(network, f"tcp://{listener.address}", number=2)
            await honest.proven()
            attacker = await Impostor.linked(network, f"tcp://{listener.address}")
            await attacker.proven()
            messages = b"".join(
                wire.encode_frame(*flood(one, number))
                for number in range(COUNT if flood is not records else MOST_RECORDS + 200)
            )
            heard = sum(attacker.heard.values())
            began = time.process_time()
            attacker.transport.write(messages)
            await honest.roundtrip()
            if attacker.transport.get_write_buffer_size():
                await until(lambda: not attacker.transport.get_write_buffer_size() or attacker.lost.done())
            await honest.roundtrip()
            assert time.process_time() - began < 2
            assert not honest.lost.done()
            assert sum(attacker.heard.values()) - heard <= 600
            assert one.self_info().routing_entries <= MOST_RECORDS + 1
            assert len(one.paths()) == 0
            assert len(one.sessions()) == 0
            for impostor in (attacker, honest):
                impostor.transport.abort()
            await until(lambda: not one.peers())

    run(main(), loop)
