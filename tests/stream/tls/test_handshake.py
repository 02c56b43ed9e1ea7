"""ygg.stream.tls.handshake: one way to TLS, for connections held still and for those in use."""

import asyncio
from typing import Any

import pytest

from tests.aio import on_loops, until
from ygg.errors import ConnectionReset, ConnectTimeout
from ygg.identity.certificate import Certificate
from ygg.network import LoopbackNetwork, NativeNetwork, Network, take_over
from ygg.stream.tls.contexts import client_context, dialing_context, listening_context, server_context
from ygg.stream.tls.handshake import start_tls
from ygg.stream.tls.stream import TLSStream

CERTIFICATE = Certificate.generate()
NETWORKS = pytest.mark.parametrize("network_type", [NativeNetwork, LoopbackNetwork])


class Log(asyncio.Protocol):
    """Writes down what it is given."""

    def __init__(self) -> None:
        self.data = b""
        self.lost: list[BaseException | None] = []

    def data_received(self, data: bytes) -> None:
        self.data += data

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.append(exc)


class Counting(asyncio.StreamReaderProtocol):
    """Tells how many bytes have come."""

    came = 0

    def data_received(self, data: bytes) -> None:
        self.came += len(data)
        super().data_received(data)


async def connected(network: Network) -> list[Any]:
    listener = await network.listen_stream("127.0.0.1", 0)
    near = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
    far, _ = await listener.accept()
    listener.close()
    return [near, far]


@pytest.mark.parametrize("engine", [False, True])
@NETWORKS
@on_loops
async def test_a_connection_in_use_goes_on_with_tls(network_type: type[Network], engine: bool) -> None:
    client = dialing_context() if engine else client_context()
    server = listening_context(CERTIFICATE) if engine else server_context(CERTIFICATE)
    async with network_type() as network:
        ends, logs = await connected(network), [Log(), Log()]
        for end, log in zip(ends, logs, strict=True):
            take_over(end, log)
        ends[0].write(b"STARTTLS\n")
        await until(lambda: logs[1].data == b"STARTTLS\n")
        near, far = await asyncio.gather(
            start_tls(ends[0], logs[0], client), start_tls(ends[1], logs[1], server, server_side=True)
        )
        assert near.get_protocol() is logs[0]
        assert near.get_extra_info("ssl_object").version() == "TLSv1.3"
        near.write(b"secret")
        far.write(b"answer")
        await until(lambda: logs[0].data == b"answer" and logs[1].data == b"STARTTLS\nsecret")
        near.close()
        far.close()


@on_loops
async def test_what_is_no_context_leaves_the_connection_as_it_is() -> None:
    async with LoopbackNetwork() as network:
        ends, log = await connected(network), Log()
        take_over(ends[0], log)
        with pytest.raises(TypeError, match="SSLContext"):
            await start_tls(ends[0], Log(), True)  # type: ignore[arg-type]
        assert ends[0].get_protocol() is log
        ends[1].write(b"still here")
        await until(lambda: log.data == b"still here")


@NETWORKS
@on_loops
async def test_a_handshake_without_answer_ends_at_its_time(network_type: type[Network]) -> None:
    async with network_type() as network:
        near, far = await connected(network)
        take_over(near, Log())
        with pytest.raises(ConnectTimeout):
            await start_tls(near, Log(), client_context(), ssl_handshake_timeout=0.02)
        assert near.is_closing()
        far.abort()


@on_loops
async def test_a_connection_lost_with_the_last_of_the_handshake_is_told() -> None:
    async with LoopbackNetwork() as network:
        ends, log = await connected(network), Log()
        near, far = ends
        handshake = TLSStream._open

        def broken(stream: TLSStream) -> None:
            if stream.get_extra_info("sockname") == near.get_extra_info("sockname"):
                near._force_close(ConnectionReset())  # as where the last flight finds the other side gone
            handshake(stream)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(TLSStream, "_open", broken)
            other = asyncio.ensure_future(start_tls(far, Log(), server_context(CERTIFICATE), server_side=True))
            stream = await start_tls(near, log, client_context())
            assert stream.is_closing()
            await until(lambda: log.lost)
        assert [type(error) for error in log.lost] == [ConnectionReset]
        await asyncio.wait([other])
        if other.exception() is None:
            other.result().abort()


@NETWORKS
@on_loops
async def test_what_a_stream_reader_has_of_the_handshake_is_the_handshakes(network_type: type[Network]) -> None:
    """A client begins when it likes, and the server's `StreamReader` takes what comes until it is told of TLS."""
    async with network_type() as network:
        near, far = await connected(network)
        reader = asyncio.StreamReader()
        protocol = Counting(reader)
        take_over(far, protocol)
        writer = asyncio.StreamWriter(far, protocol, reader, asyncio.get_running_loop())
        dialing = asyncio.create_task(start_tls(near, Log(), client_context()))
        await until(lambda: protocol.came)
        server = await start_tls(far, protocol, server_context(CERTIFICATE), server_side=True)
        client = await dialing
        client.write(b"word")
        assert await asyncio.wait_for(reader.readexactly(4), 30) == b"word"
        for end in (client, server, writer):
            end.close()
