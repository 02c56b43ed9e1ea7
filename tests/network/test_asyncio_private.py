"""ygg.network.asyncio_private: the private names of asyncio are still there and still mean what they did."""

import asyncio

from tests.aio import run
from ygg.certificate import Certificate
from ygg.network import LoopbackNetwork
from ygg.transport.tls import client_context, server_context


def test_asyncios_own_start_tls_accepts_our_transports() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        certificate = Certificate.generate()
        async with LoopbackNetwork() as network:
            listener = await network.listen_stream("127.0.0.1", 0)
            client = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
            server, _ = await listener.accept()
            near, far = await asyncio.gather(
                loop.start_tls(client, asyncio.Protocol(), client_context()),
                loop.start_tls(server, asyncio.Protocol(), server_context(certificate), server_side=True),
            )
            assert near is not None
            assert far is not None
            near.close()
            far.close()

    run(main())
