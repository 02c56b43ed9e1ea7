"""ygg.node.handshake_io: the handshake over a transport, from both sides at once."""

import asyncio

import pytest

from tests.aio import on_loops, until
from ygg import LoopbackNetwork, NativeNetwork
from ygg.errors import RemoteClosed, WrongPasswordError
from ygg.node import handshake
from ygg.node.handshake_io import shake_hands
from ygg.stream.held import HoldingProtocol
from ygg.testing import private_key, public_key
from ygg.url import LinkOptions


async def connected() -> tuple[asyncio.Transport, asyncio.Transport]:
    network = LoopbackNetwork()
    listener = await network.listen_stream("127.0.0.1", 0)
    near = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
    far, _ = await listener.accept()
    listener.close()
    return near, far


@on_loops
async def test_both_sides_learn_key_and_priority_and_hold_still() -> None:
    near, far = await connected()
    (here, rest, size), (there, _, _) = await asyncio.gather(
        shake_hands(near, private_key(1), LinkOptions(priority=1), None),
        shake_hands(far, private_key(2), LinkOptions(priority=2), None),
    )
    assert (here.key, here.priority) == (public_key(2), 2)
    assert (there.key, there.priority) == (public_key(1), 1)
    assert (rest, size) == (b"", 123)
    assert not near.is_reading()
    near.abort()
    far.abort()


@on_loops
async def test_a_password_must_be_known_to_both() -> None:
    near, far = await connected()
    results = await asyncio.gather(
        shake_hands(near, private_key(1), LinkOptions(password=b"a"), None),
        shake_hands(far, private_key(2), LinkOptions(), None),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [WrongPasswordError, WrongPasswordError]
    near.abort()
    far.abort()


@pytest.mark.parametrize("held", [b"", handshake.encode(private_key(2), 0)], ids=["nothing held", "a message held"])
@on_loops
async def test_a_connection_lost_while_it_was_held_is_an_error(held: bytes) -> None:
    async with NativeNetwork() as network:
        listener = await network.listen_stream("127.0.0.1", 0)
        near = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
        far, _ = await listener.accept()
        holding = near.get_protocol()
        assert isinstance(holding, HoldingProtocol)
        holding.held += held
        near.abort()
        far.abort()
        await until(lambda: holding.lost)
        with pytest.raises(RemoteClosed):
            await shake_hands(near, private_key(1), LinkOptions(), None)
        listener.close()


@on_loops
async def test_a_connection_that_ends_first_is_an_error() -> None:
    near, far = await connected()
    far.write_eof()
    with pytest.raises(RemoteClosed):
        await shake_hands(near, private_key(1), LinkOptions(), None)
    near.abort()
    far.abort()
