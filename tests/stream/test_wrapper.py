"""ygg.stream.wrapper: a byte stream in front of another: seen, changed and slowed down."""

import asyncio
import itertools
from typing import Any

import pytest

from tests.aio import on_loops, run, settle, until
from tests.network.test_wrapper import Meter, MeteredNetwork, connected
from tests.nodes import node
from ygg.network import LoopbackNetwork, NativeNetwork, WrapperNetwork, WrapperTransport, take_over
from ygg.network.streams import streams


@on_loops
async def test_bytes_can_be_changed_on_their_way() -> None:
    class Masked(WrapperTransport):
        def incoming(self, data: bytes) -> bytes:
            return bytes(byte ^ 0x55 for byte in data)

        outgoing = incoming  # type: ignore[assignment]

    class MaskedNetwork(WrapperNetwork):
        def passing(self, transport: asyncio.Transport, remote: str) -> Masked:
            return Masked(transport)

    async with MaskedNetwork(LoopbackNetwork()) as network, node(1, network) as one, node(2, network) as two:
        listener = await two.listen("tcp://127.0.0.1:0")
        await one.call_peer(f"tcp://{listener.address}")
        await until(lambda: two.peers())


@pytest.mark.parametrize("base", [NativeNetwork, LoopbackNetwork])
@on_loops
async def test_what_comes_can_be_slowed_down(base: type[NativeNetwork] | type[LoopbackNetwork]) -> None:
    times: list[float] = []

    class Slow(Meter):
        def incoming(self, data: bytes) -> bytes:
            times.append(asyncio.get_running_loop().time())
            self.hold(0.02)
            self.hold(0.02)
            return super().incoming(data)

    class SlowNetwork(WrapperNetwork):
        def passing(self, transport: asyncio.Transport, remote: str) -> Slow:
            return Slow(transport)

    async with base() as below, SlowNetwork(below) as network:
        client, server = await connected(network, below)
        reader, _writer = streams(client)
        for letter in b"abcd":
            server.write(bytes((letter,)))
            assert await reader.readexactly(1) == bytes((letter,))
            assert not client.is_reading()
        # From one delivery to the next, whenever the test gets to see them; event loops' times are in whole ms.
        assert all(after - before > 0.018 for before, after in itertools.pairwise(times))
        client.resume_reading()
        client.close()
        client.resume_reading()
        server.abort()


@on_loops
async def test_pausing_in_the_middle_of_what_came() -> None:
    class Sipping(asyncio.BufferedProtocol):
        def __init__(self) -> None:
            self.space, self.got = bytearray(1000), 0

        def get_buffer(self, sizehint: int) -> bytearray:
            return self.space

        def buffer_updated(self, nbytes: int) -> None:
            self.got += nbytes
            client.pause_reading()

    async with MeteredNetwork(LoopbackNetwork()) as network:
        client, server = await connected(network)
        protocol = Sipping()
        take_over(client, protocol)
        server.write(bytes(5000))
        await settle()
        for expected in (1000, 2000, 3000):
            assert protocol.got == expected
            client.resume_reading()
            await settle()
        client.abort()


def test_a_protocol_without_room_ends_its_connection() -> None:
    class Full(asyncio.BufferedProtocol):
        error: Exception | None = None

        def get_buffer(self, sizehint: int) -> bytearray:
            return bytearray()

        def connection_lost(self, exc: Exception | None) -> None:
            self.error = exc

    async def main() -> None:
        told: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        async with MeteredNetwork(LoopbackNetwork()) as network:
            client, server = await connected(network)
            protocol = Full()
            take_over(client, protocol)
            server.write(b"x")
            await until(lambda: protocol.error)
        assert [type(error) for error in told] == [RuntimeError]

    run(main())
