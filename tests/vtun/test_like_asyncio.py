"""What programs for asyncio count on, down to the details: each was missed by a library."""

import asyncio
import contextlib
import gc
import socket
import ssl
import weakref

import pytest

from tests.aio import settle, until
from ygg.identity.certificate import Certificate
from ygg.stream.tls.contexts import client_context, server_context

CERTIFICATE = Certificate.generate()


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


class Keeps(asyncio.Protocol):
    """Keeps what is told."""

    def __init__(self):
        self.transport, self.data, self.ended, self.lost = None, b"", False, []

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.data += data

    def eof_received(self):
        self.ended = True

    def connection_lost(self, exc):
        self.lost.append(exc)


async def joined(pair):
    """Return the protocols of both ends of a connection."""
    far, near = Keeps(), Keeps()
    server = await pair.b.create_server(lambda: far, port=80)
    await pair.a.create_connection(lambda: near, pair.address_b, 80)
    await until(lambda: far.transport)
    server.close()
    return near, far


def test_a_server_that_is_cancelled_ends_though_a_client_is_idle(with_pair):
    async def main(pair):
        server = await pair.b.start_server(echo, port=80)
        serving = asyncio.create_task(server.serve_forever())
        reader, writer = await pair.a.open_connection(pair.address_b, 80)
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        assert server.sockets == ()
        assert await reader.read() == b""
        writer.close()

    with_pair(main)


def test_abort_with_nothing_unread_ends_the_stream(with_pair):
    async def main(pair):
        near, far = await joined(pair)
        near.transport.write(b"last words")
        near.transport.abort()
        await until(lambda: far.lost and near.lost)
        assert (far.data, far.ended, far.lost, near.lost) == (b"last words", True, [None], [None])

    with_pair(main)


@pytest.mark.parametrize("why", ["unread", "unsent", "linger"])
def test_abort_resets_where_a_kernel_would(with_pair, why):
    async def main(pair):
        near, far = await joined(pair)
        if why == "unread":
            near.transport.pause_reading()
            far.transport.write(b"never read")
            await until(lambda: not far.transport.get_write_buffer_size())
            await settle(20)
        elif why == "unsent":
            far.transport.pause_reading()
            near.transport.write(bytes(30_000_000))
            await settle(20)
        else:
            near.transport.get_extra_info("options").linger = 0
        near.transport.abort()
        far.transport.resume_reading()
        await until(lambda: far.lost)
        assert isinstance(far.lost[0], ConnectionResetError)

    with_pair(main)


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="not on this system")
def test_reuse_port_reads_back(with_pair):
    async def main(pair):
        for asked in (True, None):
            server = await pair.b.start_server(echo, port=80, reuse_port=asked)
            assert server.sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == bool(asked)
            server.close()

    with_pair(main)


def test_datagram_transports_are_transports(with_pair):
    async def main(pair):
        transport, _ = await pair.a.create_datagram_endpoint(asyncio.DatagramProtocol, (pair.address_a, 53))
        assert isinstance(transport, asyncio.Transport)
        assert isinstance(transport, asyncio.DatagramTransport)
        transport.close()

    with_pair(main)


def test_streams_upgrade_at_both_ends(with_pair):
    async def main(pair):
        async def upgrading(reader, writer):
            await reader.readline()
            writer.write(b"go\n")
            await writer.start_tls(server_context(CERTIFICATE))
            await echo(reader, writer)

        async with await pair.b.start_server(upgrading, port=80):
            reader, writer = await pair.a.open_connection(pair.address_b, 80)
            writer.write(b"STARTTLS\n")
            await reader.readline()
            await writer.start_tls(client_context(), server_hostname="")
            writer.write(b"word")
            assert await reader.readexactly(4) == b"word"
            writer.close()

    with_pair(main)


def test_an_empty_name_is_none(with_pair):
    async def main(pair):
        asked = []
        server = server_context(CERTIFICATE)
        server.sni_callback = lambda _, name, __: asked.append(name)
        async with await pair.b.start_server(echo, port=443, ssl=server):
            _, writer = await pair.a.open_connection(pair.address_b, 443, ssl=client_context(), server_hostname="")
            assert asked == [None]
            writer.close()

    with_pair(main)


def test_the_loop_puts_tls_into_tls(with_pair):
    async def main(pair):
        async def twice(reader, writer):
            writer.write(b"go")
            await writer.start_tls(server_context(CERTIFICATE))
            await echo(reader, writer)

        loop = asyncio.get_running_loop()
        if not isinstance(loop, asyncio.BaseEventLoop):
            return  # uvloop upgrades its own transports alone: `routed()` does it there
        async with await pair.b.start_server(twice, port=443, ssl=server_context(CERTIFICATE)):
            near = Keeps()
            outer, _ = await pair.a.create_connection(lambda: near, pair.address_b, 443, ssl=client_context())
            await until(lambda: near.data == b"go")
            inner = await loop.start_tls(outer, near, client_context())
            inner.write(b"word")
            await until(lambda: near.data == b"goword")
            inner.close()
            await until(lambda: near.lost)

    with_pair(main)


def test_errors_of_tls_are_asyncios(with_pair):
    async def main(pair):
        async def silent(reader, writer):
            await reader.read()
            writer.close()

        async def corrupting(reader, writer):
            raw = writer.transport
            held = Keeps()
            await writer.start_tls(server_context(CERTIFICATE))
            raw.write(b"\x17\x03\x03\x00\x20" + bytes(32))
            assert held

        async with (
            await pair.b.start_server(silent, port=80),
            await pair.b.start_server(corrupting, port=443),
        ):
            with pytest.raises(ConnectionAbortedError):
                await pair.a.open_connection(pair.address_b, 80, ssl=client_context(), ssl_handshake_timeout=0.02)
            reader, _ = await pair.a.open_connection(pair.address_b, 443, ssl=client_context())
            with pytest.raises(ssl.SSLError):
                await reader.read()

    with_pair(main)


def test_contexts_are_let_go_when_a_stream_ends(with_pair):
    async def main(pair):
        async with await pair.b.start_server(echo, port=443, ssl=server_context(CERTIFICATE)):
            context = client_context()
            reader, writer = await pair.a.open_connection(pair.address_b, 443, ssl=context)
            left = weakref.ref(context)
            gc.collect()
            gc.disable()
            try:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
                del context, reader, writer
                await settle()
                assert left() is None
            finally:
                gc.enable()

    with_pair(main)
