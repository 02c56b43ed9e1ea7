"""Frames no honest neighbour sends: they end the link they came over, with a reason, and no other."""

import asyncio
import logging

import pytest

from tests.aio import LOOPS, run, until
from tests.faults.hostile import (
    ANNOUNCE,
    BLOOM,
    BROKEN,
    DUMMY,
    KEEPALIVE,
    LOOKUP,
    NOTIFY,
    SIG_REQ,
    SIG_RES,
    TRAFFIC,
    Impostor,
)
from tests.nodes import node
from ygg import Core, LoopbackNetwork, NativeNetwork, Network
from ygg.testing import private_key
from ygg_c.link import wire

OURS, THEIRS = private_key(99), private_key(98)


def announcement(psigner: int = 99, signer: int = 99, port: int = 0) -> bytes:
    """Return the body of an Announce of key 99 as root, signed by these."""
    signed = wire.encode_tree_bytes(OURS.public_key, OURS.public_key, 1, 5, port)
    return signed + private_key(psigner).sign(signed) + private_key(signer).sign(signed)


ANY = OURS.public_key + THEIRS.public_key
BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"\0", "ErrEmptyMessage"),
    "oversized": (wire.encode_uv(131071) + b"\x09", "ErrOversizedMessage"),
    "huge": (wire.encode_uv(2**64 - 1), "ErrOversizedMessage"),
    "endless length": (b"\xff" * 10, "ErrDecode"),
    "length of 65 bits": (b"\xff" * 9 + b"\x02", "ErrDecode"),
    "unknown type": (wire.encode_frame(10, b""), "ErrUnrecognizedMessage"),
    "last type": (wire.encode_frame(255, b"x"), "ErrUnrecognizedMessage"),
    "empty request": (wire.encode_frame(SIG_REQ, b""), "ErrDecode"),
    "request with more": (wire.encode_frame(SIG_REQ, b"\1\1\1"), "ErrDecode"),
    "short answer": (wire.encode_frame(SIG_RES, b"\1\1\1" + bytes(63)), "ErrDecode"),
    "short announcement": (wire.encode_frame(ANNOUNCE, announcement()[:-1]), "ErrDecode"),
    "announcement with more": (wire.encode_frame(ANNOUNCE, announcement() + b"\0"), "ErrDecode"),
    "announcement of another's": (wire.encode_frame(ANNOUNCE, announcement(signer=98)), "ErrBadMessage"),
    "announcement by no parent": (wire.encode_frame(ANNOUNCE, announcement(psigner=98)), "ErrBadMessage"),
    "short filter": (wire.encode_frame(BLOOM, bytes(31)), "ErrDecode"),
    "contradicting filter": (wire.encode_frame(BLOOM, b"\xff" * 32), "ErrDecode"),
    "filter with more": (wire.encode_frame(BLOOM, b"\xff" * 16 + bytes(17)), "ErrDecode"),
    "short lookup": (wire.encode_frame(LOOKUP, ANY), "ErrDecode"),
    "lookup with more": (wire.encode_frame(LOOKUP, ANY + b"\0\0"), "ErrDecode"),
    "lookup without end": (wire.encode_frame(LOOKUP, ANY + b"\1\2\3"), "ErrDecode"),
    "lookup from too deep": (wire.encode_frame(LOOKUP, ANY + b"\1" * 5000 + b"\0"), "ErrDecode"),
    "notify cut off": (wire.encode_frame(NOTIFY, b"\0\1" + ANY + b"\1\0" + bytes(63)), "ErrDecode"),
    "broken with more": (wire.encode_frame(BROKEN, b"\0\1" + ANY + b"x"), "ErrDecode"),
    "traffic cut off": (wire.encode_frame(TRAFFIC, b"\0\0" + ANY), "ErrDecode"),
    "traffic without end": (wire.encode_frame(TRAFFIC, b"\1" * 100), "ErrDecode"),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("scheme", ["tcp", "tls"])
@pytest.mark.parametrize("network_type", [LoopbackNetwork, NativeNetwork])
def test_bad_frames_end_their_link_alone(
    loop: str, network_type: type[Network], scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One neighbour after the other misbehaves; an honest one's link goes on."""
    caplog.set_level(logging.DEBUG, "ygg")

    async def main() -> None:
        async with network_type() as network, node(1, network) as one, node(2, network) as two:
            listener = await one.listen(f"{scheme}://127.0.0.1:0")
            await two.call_peer(f"{scheme}://{listener.address}")
            for frame, reason in BAD.values():
                impostor = await Impostor.linked(network, f"{scheme}://{listener.address}")
                await impostor.proven()
                impostor.transport.write(wire.encode_frame(DUMMY, b"before") + frame)
                await impostor.lost
                await until(lambda: len(one.peers()) == 1)
                lines = [record for record in caplog.records if "Link down" in record.message]
                assert lines.pop().message.endswith(": " + reason), frame[:20]
            assert one.peers()[0].key == two.public_key
            assert two.peers()[0].up

    run(main(), loop)
    lines = [record for record in caplog.records if "Link down: incoming" in record.message]
    assert {record.levelno for record in lines} == {logging.INFO}
    assert not [record for record in caplog.records if record.levelno > logging.INFO and "took" not in record.message]


@pytest.mark.parametrize("loop", LOOPS)
def test_dummies_and_keepalives_of_any_size_are_fine(loop: str) -> None:
    """What is to be ignored is ignored, up to the largest frame."""

    async def main() -> None:
        async with NativeNetwork() as network, node(1, network) as one:
            listener = await one.listen("tcp://127.0.0.1:0")
            impostor = await Impostor.linked(network, f"tcp://{listener.address}")
            await impostor.proven()
            for size in (0, 1, 5000, 131069):
                impostor.frame(DUMMY, bytes(size))
                impostor.frame(KEEPALIVE, bytes(size))
            await impostor.roundtrip()
            impostor.transport.abort()
            await until(lambda: not one.peers())

    run(main(), loop)


async def vanishes(one: Core, impostor: Impostor, data: bytes, reset: bool) -> None:
    impostor.transport.write(data)
    if reset:
        await asyncio.sleep(0)
        impostor.transport.abort()
    else:
        impostor.transport.close()
    await until(lambda: not one.peers())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("scheme", ["tcp", "tls"])
@pytest.mark.parametrize("network_type", [LoopbackNetwork, NativeNetwork])
def test_neighbours_that_vanish_within_a_frame(network_type: type[Network], scheme: str, loop: str) -> None:
    """A frame that never comes to its end leaves nothing, whether the stream ends or is reset."""

    async def main() -> None:
        async with network_type() as network, node(1, network) as one:
            listener = await one.listen(f"{scheme}://127.0.0.1:0")
            frame = wire.encode_frame(TRAFFIC, b"\0\0" + ANY + b"\1" + bytes(60000))
            for count in (1, 2, 3, 40, 4095, 4097, 60000):
                for reset in (False, True):
                    impostor = await Impostor.linked(network, f"{scheme}://{listener.address}")
                    await impostor.proven()
                    await vanishes(one, impostor, frame[:count], reset)

    run(main(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_frame_that_trickles_is_taken_and_does_not_grow(loop: str) -> None:
    """Byte by byte a frame is as good as in one piece."""

    async def main() -> None:
        async with LoopbackNetwork() as network, node(1, network) as one:
            listener = await one.listen("tcp://127.0.0.1:0")
            impostor = await Impostor.linked(network, f"tcp://{listener.address}")
            await impostor.proven()
            impostor.answering = False  # it would speak in the middle of a frame
            before = impostor.heard[SIG_RES]
            for byte in wire.encode_frame(DUMMY, bytes(300)) + wire.encode_frame(SIG_REQ, b"\7\7"):
                impostor.transport.write(bytes([byte]))
                await asyncio.sleep(0)
            await until(lambda: impostor.heard[SIG_RES] > before)
            impostor.transport.close()
            await until(lambda: not one.peers())

    run(main(), loop)
