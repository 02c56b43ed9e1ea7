"""ygg.network.asyncio_private: the private names of asyncio are still there and still mean what they did."""

import asyncio
import inspect
from asyncio import sslproto

from tests.aio import on_loops, run
from ygg.certificate import Certificate
from ygg.network import HoldingProtocol, LoopbackNetwork
from ygg.network.asyncio_private import start_tls
from ygg.network.streams import streams
from ygg.transport.tls import client_context, server_context


def test_the_tls_protocol_takes_what_we_give_it() -> None:
    names = list(inspect.signature(sslproto.SSLProtocol.__init__).parameters)
    assert names[1:7] == ["loop", "app_protocol", "sslcontext", "waiter", "server_side", "server_hostname"]
    assert {"call_connection_made", "ssl_handshake_timeout", "ssl_shutdown_timeout"} <= set(names)


async def _pair(network: LoopbackNetwork) -> tuple[asyncio.Transport, asyncio.Transport]:
    listener = await network.listen_stream("127.0.0.1", 0)
    client = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
    server, _ = await listener.accept()
    return client, server


@on_loops
async def test_tls_over_memory_on_any_loop() -> None:
    certificate = Certificate.generate()
    async with LoopbackNetwork() as network:
        client, server = await _pair(network)
        near, far = await asyncio.gather(
            start_tls(client, client_context(), handshake_timeout=1),
            start_tls(server, server_context(certificate), server_side=True, handshake_timeout=1),
        )
        assert isinstance(near.get_protocol(), HoldingProtocol)
        near.write(b"secret\n")
        reader, _ = streams(far)
        assert await reader.readline() == b"secret\n"


def test_asyncios_own_start_tls_accepts_our_transports() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        certificate = Certificate.generate()
        async with LoopbackNetwork() as network:
            client, server = await _pair(network)
            near, far = await asyncio.gather(
                loop.start_tls(client, asyncio.Protocol(), client_context()),
                loop.start_tls(server, asyncio.Protocol(), server_context(certificate), server_side=True),
            )
            assert near is not None
            assert far is not None
            near.close()
            far.close()

    run(main())
