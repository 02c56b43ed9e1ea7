"""ygg.integrations.httpcore: httpcore's clients over any network."""

import asyncio
import socket
import ssl

import pytest

pytest.importorskip("httpcore")

import httpcore

from tests.aio import on_loops
from tests.autopeer.server import ok, serving
from ygg.identity.certificate import Certificate
from ygg.integrations.httpcore import HTTPBackend
from ygg.network import LoopbackNetwork, RejectNetwork
from ygg.network.streams import serving as serving_streams
from ygg.stream.tls.contexts import client_context, server_context
from ygg.stream.tls.handshake import start_tls

NAME = "site.example"


def network_with_site() -> LoopbackNetwork:
    return LoopbackNetwork(hosts={NAME: ["192.0.2.1"]})


@on_loops
async def test_a_pool_keeps_its_connection_and_reads_large_answers() -> None:
    async with network_with_site() as network, serving(network, "192.0.2.1", 80) as server:
        server.answers["/"] = ok(bytes(3_000_000))
        async with httpcore.AsyncConnectionPool(network_backend=HTTPBackend(network)) as pool:
            for _ in range(2):
                answer = await pool.request("GET", f"http://{NAME}/")
                assert (answer.status, len(answer.content)) == (200, 3_000_000)


@on_loops
async def test_tls_asks_for_the_name_without_its_final_dot() -> None:
    asked: list[str] = []
    context = server_context(Certificate.generate())
    context.sni_callback = lambda _, name, __: asked.append(name)
    async with network_with_site() as network:
        listener = await network.listen_stream("192.0.2.1", 443)
        stream = await HTTPBackend(network).connect_tcp(NAME, 443)
        accepted, _ = await listener.accept()
        secure, far = await asyncio.gather(
            stream.start_tls(client_context(), f"{NAME}."),
            start_tls(accepted, asyncio.Protocol(), context, server_side=True),
        )
        assert asked == [NAME]
        assert secure.get_extra_info("ssl_object").version() == "TLSv1.3"
        far.write(b"answer")
        assert await secure.read(3) + await secure.read(100) == b"answer"
        far.close()
        assert await secure.read(100) == b""
        await secure.aclose()
        listener.close()


@on_loops
async def test_errors_are_httpcores() -> None:
    async with RejectNetwork() as closed:
        with pytest.raises(httpcore.ConnectError):
            await HTTPBackend(closed).connect_tcp(NAME, 80)
    async with network_with_site() as network:
        backend = HTTPBackend(network)
        with pytest.raises(httpcore.ConnectError):
            await backend.connect_tcp(NAME, 80)
        with pytest.raises(httpcore.ConnectError):
            await backend.connect_tcp(NAME, 80, local_address="192.0.2.1")
        with pytest.raises(httpcore.ConnectError):
            await backend.connect_unix_socket("/run/x")

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()

        async with serving_streams(network, silent, "192.0.2.1", 80):
            options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
            stream = await backend.connect_tcp(NAME, 80, socket_options=options)
            with pytest.raises(httpcore.ReadTimeout):
                await stream.read(1, timeout=0.01)
            with pytest.raises(httpcore.ConnectTimeout):
                await stream.start_tls(ssl.create_default_context(), NAME, timeout=0.01)
