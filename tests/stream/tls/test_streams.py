"""ygg.stream.tls.streams: `StreamWriter.start_tls()` on any loop."""

import asyncio

from tests.aio import on_loops
from ygg.identity.certificate import Certificate
from ygg.network import LoopbackNetwork, take_over
from ygg.stream.tls.contexts import client_context, server_context
from ygg.stream.tls.streams import loop_for_streams

SERVER = server_context(Certificate.generate())


def streams(transport: asyncio.Transport, serves: bool = False) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return streams on a connection; of a server they are those that its callback is given."""
    loop = loop_for_streams()
    reader = asyncio.StreamReader(loop=loop)
    given: list[asyncio.StreamWriter] = []
    accepted = (lambda _, writer: given.append(writer)) if serves else None
    protocol = asyncio.StreamReaderProtocol(reader, accepted, loop=loop)
    take_over(transport, protocol)
    return reader, given[0] if serves else asyncio.StreamWriter(transport, protocol, reader, loop)


@on_loops
async def test_both_ends_upgrade() -> None:
    async with LoopbackNetwork() as network:
        listener = await network.listen_stream("127.0.0.1", 0)
        near = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
        far, _ = await listener.accept()
        listener.close()
        (reader, writer), (far_reader, far_writer) = streams(near), streams(far, serves=True)
        await asyncio.gather(writer.start_tls(client_context(), server_hostname=""), far_writer.start_tls(SERVER))
        writer.write(b"secret")
        assert await far_reader.readexactly(6) == b"secret"
        far_writer.close()
        assert await reader.read() == b""
        writer.close()


@on_loops
async def test_it_does_what_the_loop_does() -> None:
    loop = loop_for_streams()
    future = loop.create_future()
    loop.call_soon(future.set_result, 1)
    assert await future == 1
    assert loop.get_debug()
