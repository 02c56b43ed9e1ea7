"""TLS inside an overlay connection."""

import asyncio
import ssl
from contextlib import suppress
from ipaddress import IPv6Address

import pytest

from ygg.identity.certificate import Certificate
from ygg.stream.tls.contexts import client_context, server_context
from ygg.vtun import start_tls


@pytest.fixture(scope="module")
def server_side():
    certificate = Certificate.generate()
    return server_context(certificate)


async def _shout(reader, writer):
    writer.write((await reader.readline()).upper())
    writer.close()


def test_https_like_server_and_client(with_pair, server_side):
    async def main(pair):
        async with await pair.b.start_server(_shout, port=443, ssl=server_side):
            reader, writer = await pair.a.open_connection(pair.address_b, 443, ssl=client_context())
            assert writer.get_extra_info("ssl_object").version() == "TLSv1.3"
            assert writer.get_extra_info("peername")[0] == pair.address_b
            writer.write(b"secret\n")
            assert await reader.read() == b"SECRET\n"
            writer.close()
            await writer.wait_closed()

    with_pair(main)


def test_a_client_that_checks_certificates_refuses_ours(with_pair, server_side):
    async def main(pair):
        async with await pair.b.start_server(_shout, port=443, ssl=server_side):
            with pytest.raises(ssl.SSLCertVerificationError):
                await pair.a.open_connection(pair.address_b, 443, ssl=True)

    with_pair(main)


@pytest.mark.parametrize("host", [str, "[{}]".format, IPv6Address, lambda text: IPv6Address(text).packed])
def test_the_name_to_check_is_the_address_however_it_is_given(with_pair, server_side, host):
    async def main(pair):
        async with await pair.b.start_server(_shout, port=443, ssl=server_side):
            _, writer = await pair.a.open_connection(host(pair.address_b), 443, ssl=client_context())
            assert writer.get_extra_info("ssl_object").server_hostname == pair.address_b
            writer.close()

    with_pair(main)


def test_a_cancelled_handshake_frees_the_connection(with_pair):
    async def main(pair):
        async def silent(reader, writer):
            with suppress(ConnectionResetError):
                await reader.read()
            writer.close()

        async with await pair.b.start_server(silent, port=443):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await pair.a.open_connection(pair.address_b, 443, ssl=client_context())

    with_pair(main)


def test_upgrading_a_connection_in_use(with_pair, server_side):
    async def main(pair):
        async def handle(reader, writer):
            writer.write(b"ready\n")
            await writer.drain()
            await reader.readexactly(4)
            writer.write(b"go on\n")
            inner = asyncio.StreamReader()
            protocol = asyncio.StreamReaderProtocol(inner)
            transport = await start_tls(writer.transport, protocol, server_side, server_side=True)
            inner.set_transport(transport)
            transport.write((await inner.readline()).upper())
            transport.close()
            assert await inner.read() == b""
            writer.close()

        async with await pair.b.start_server(handle, port=25):
            reader, writer = await pair.a.open_connection(pair.address_b, 25)
            assert await reader.readline() == b"ready\n"
            writer.write(b"TLS!")
            assert await reader.readline() == b"go on\n"
            inner = asyncio.StreamReader()
            protocol = asyncio.StreamReaderProtocol(inner)
            transport = await start_tls(writer.transport, protocol, client_context())
            transport.write(b"inside\n")
            assert await inner.read() == b"INSIDE\n"
            transport.close()
            writer.close()

    with_pair(main)


def test_asyncio_itself_accepts_the_transport(with_pair, server_side):
    async def main(pair):
        loop = asyncio.get_running_loop()
        if type(loop).__module__.startswith("uvloop"):
            return      # takes no foreign transport: start_tls above is for it
        async with await pair.b.start_server(_shout, port=443, ssl=server_side):
            reader, writer = await pair.a.open_connection(pair.address_b, 443)
            await writer.start_tls(client_context())
            writer.write(b"secret\n")
            assert await reader.read() == b"SECRET\n"
            writer.close()

    with_pair(main)
