"""ygg.transport.socks: socks:// and sockstls://."""

import pytest

from tests.aio import on_loops
from tests.network.socks_proxy import Proxy
from ygg.errors import OperationNotSupported, URLError
from ygg.identity.certificate import Certificate
from ygg.network import LoopbackNetwork
from ygg.network.streams import streams
from ygg.transport import SocksTransport, TCPTransport, TLSTransport, TransportManager


@pytest.mark.parametrize(("scheme", "inner"), [("socks", "tcp"), ("sockstls", "tls")])
@on_loops
async def test_a_connection_through_a_proxy(scheme: str, inner: str) -> None:
    async with LoopbackNetwork() as network:
        manager = TransportManager(network)
        for transport in (SocksTransport(), TCPTransport(), TLSTransport(Certificate.generate())):
            manager.register(transport)
        proxy = Proxy(network, {"target.example": "127.0.0.1"}, {"me": "secret"})
        async with proxy.running() as door:
            listener = await manager.listen(f"{inner}://127.0.0.1:0")
            port = listener.url.require_port()
            client = await manager.dial(f"{scheme}://me:secret@{door.address}/target.example:{port}?priority=1")
            server, _ = await listener.accept()
            assert proxy.asked == ["target.example"]
            (reader, writer), (_, other) = streams(client), streams(server)
            other.write(b"hello\n")
            assert await reader.readline() == b"hello\n"
            other.transport.abort()
            writer.transport.abort()
            listener.close()
            await listener.wait_closed()


@pytest.mark.parametrize("path", ["", "/", "/host", "/host:x", "/:1:2"])
@on_loops
async def test_a_target_is_needed(path: str) -> None:
    manager = TransportManager(LoopbackNetwork())
    manager.register(SocksTransport())
    with pytest.raises(URLError, match="socks URL is written"):
        await manager.dial(f"socks://127.0.0.1:1080{path}")
    with pytest.raises(OperationNotSupported):
        await manager.listen("socks://127.0.0.1:1080/h:1")
