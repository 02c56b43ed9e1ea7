"""ygg.transport.tls: TLS that encrypts and verifies nothing."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.aio import on_loops, settle, until
from ygg.errors import ConnectTimeout, ListenerClosed, TLSError, URLError
from ygg.identity.certificate import Certificate
from ygg.network import HoldingProtocol, LoopbackNetwork, NativeNetwork, Network
from ygg.network.streams import serving, streams
from ygg.stream.tls.contexts import client_context, listening_context, server_context
from ygg.transport import DialOptions, Listener, ListenOptions, TLSTransport, upgrade
from ygg.transport.tls import server_name
from ygg.url import PeerURL

NETWORKS = pytest.mark.parametrize("network_type", [NativeNetwork, LoopbackNetwork])
CERTIFICATE = Certificate.generate()


@asynccontextmanager
async def listening(network: Network) -> AsyncIterator[tuple[TLSTransport, Listener, PeerURL]]:
    tls = TLSTransport(CERTIFICATE)
    listener = await tls.listen(network, PeerURL.parse("tls://127.0.0.1:0"), ListenOptions())
    try:
        yield tls, listener, PeerURL.parse(f"tls://{listener.address}")
    finally:
        listener.close()
        await listener.wait_closed()


@NETWORKS
@on_loops
async def test_bytes_cross_both_ways_and_the_end_is_clean(network_type: type[Network]) -> None:
    async with network_type() as network, listening(network) as (tls, listener, url):
        client = await tls.dial(network, url, DialOptions())
        server, remote = await listener.accept()
        assert remote.startswith("127.0.0.1:")
        assert client.get_extra_info("ssl_object").version() == "TLSv1.3"
        (reader, writer), (other_reader, other) = streams(client), streams(server)
        sent = os.urandom(3_000_000)
        writer.write(sent)
        other.write(b"early answer\n")
        assert await reader.readline() == b"early answer\n"
        assert await other_reader.readexactly(len(sent)) == sent
        writer.close()
        assert await other_reader.read() == b""
        other.close()
        await writer.wait_closed()
        await other.wait_closed()


@NETWORKS
@on_loops
async def test_a_held_connection_reads_nothing(network_type: type[Network]) -> None:
    async with network_type() as network, listening(network) as (tls, listener, url):
        client = await tls.dial(network, url, DialOptions())
        server, _ = await listener.accept()
        client.write(b"x" * 10_000)
        await asyncio.sleep(0.01)
        assert not server.is_reading()
        reader, _ = streams(server)
        assert await reader.readexactly(10_000) == b"x" * 10_000


@on_loops
async def test_the_certificate_is_the_nodes_and_clients_show_none() -> None:
    async with NativeNetwork() as network, listening(network) as (tls, listener, url):
        client = await tls.dial(network, url, DialOptions())
        server, _ = await listener.accept()
        shown = client.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert shown == ssl.PEM_cert_to_DER_cert(CERTIFICATE.certificate_pem.decode())
        assert server.get_extra_info("ssl_object").getpeercert(binary_form=True) is None
        assert client.get_extra_info("ssl_object").selected_alpn_protocol() is None


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("tls://a.example:1", "a.example"),
        ("tls://127.0.0.1:1", None),
        ("tls://[fe80::1%25eth0]:1", None),
        ("tls://a.example:1?sni=b.example", "b.example"),
        ("tls://127.0.0.1:1?sni=b.example", "b.example"),
        ("tls://a.example:1?sni=127.0.0.1", "a.example"),
        ("tls://127.0.0.1:1?sni=::1", None),
        ("tls://a.example.:1", "a.example"),
        ("tls://a.example:1?sni=b.example.", "b.example"),
        ("tls://a.example:1?sni=b.example..", "b.example"),
        ("tls://a.example:1?sni=.", "a.example"),
        ("tls://127.0.0.1.:1", None),
        ("tls://127.1:1", None),
        ("tls://2130706433:1", None),
        ("tls://0x7f.1:1", None),
        ("tls://127.0.0.0x1:1", None),
        ("tls://a.example:1?sni=[::1]", "a.example"),
        ("tls://a.example:1?sni=fe80::1%25eth0", "a.example"),
        ("tls://1.example:1", "1.example"),
        ("tls://a.0xample:1", "a.0xample"),
    ],
)
def test_which_name_is_asked_for(url: str, name: str | None) -> None:
    assert server_name(PeerURL.parse(url)) == name


@on_loops
async def test_the_name_asked_for_reaches_the_server() -> None:
    context = server_context(CERTIFICATE)
    asked: list[str | None] = []
    context.sni_callback = lambda _, name, __: asked.append(name)
    async with LoopbackNetwork() as network:
        tls = TLSTransport(CERTIFICATE)
        tls.__dict__["_server"] = context
        listener = await tls.listen(network, PeerURL.parse("tls://127.0.0.1:0"), ListenOptions())
        for query in ("", "?sni=b.example"):
            client = await tls.dial(network, PeerURL.parse(f"tls://{listener.address}{query}"), DialOptions())
            server, _ = await listener.accept()
            client.abort()
            server.abort()
        listener.close()
        await listener.wait_closed()
    assert asked == [None, "b.example"]


def test_pem_text_with_more_in_it() -> None:
    class Verbose:
        certificate_pem = b"Certificate:\n  Data: ...\n" + CERTIFICATE.certificate_pem
        private_key_pem = (
            b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
            + CERTIFICATE.private_key_pem
        )

    assert not isinstance(listening_context(Verbose()), ssl.SSLContext)
    Verbose.certificate_pem *= 2
    Verbose.private_key_pem = CERTIFICATE.private_key_pem
    assert isinstance(listening_context(Verbose()), ssl.SSLContext)  # a chain
    Verbose.certificate_pem = CERTIFICATE.certificate_pem
    Verbose.private_key_pem = Certificate.generate().private_key_pem
    with pytest.raises(TLSError, match="mismatch"):
        listening_context(Verbose())
    Verbose.private_key_pem = b"nothing"
    with pytest.raises(TLSError, match="no private key in the PEM text"):
        listening_context(Verbose())


def test_versions() -> None:
    assert client_context().minimum_version == ssl.TLSVersion.TLSv1_2
    assert server_context(CERTIFICATE).minimum_version == ssl.TLSVersion.TLSv1_3


@pytest.mark.parametrize("without_memfd", [False, True])
def test_the_key_does_not_stay_on_disk(without_memfd: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    if without_memfd:
        monkeypatch.delattr(os, "memfd_create")
    modes = []
    unlink = os.unlink
    monkeypatch.setattr(os, "unlink", lambda path: (modes.append(os.stat(path).st_mode & 0o777), unlink(path)))
    server_context(CERTIFICATE)
    assert os.listdir(str(tmp_path)) == []
    assert modes == ([0o600] if without_memfd else [])


@on_loops
async def test_a_server_that_speaks_no_tls() -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await reader.read()

    async with NativeNetwork() as network, serving(network, nonsense, "127.0.0.1") as listener:
        with pytest.raises(TLSError):
            await TLSTransport(CERTIFICATE).dial(network, PeerURL.parse(f"tls://{listener.address}"), DialOptions())


@on_loops
async def test_a_server_that_hangs_up() -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with NativeNetwork() as network, serving(network, rude, "127.0.0.1") as listener:
        with pytest.raises(ConnectionError):
            await TLSTransport(CERTIFICATE).dial(network, PeerURL.parse(f"tls://{listener.address}"), DialOptions())


@NETWORKS
@on_loops
async def test_a_silent_server_times_out(network_type: type[Network]) -> None:
    async with network_type() as network:
        listener = await network.listen_stream("127.0.0.1", 0)
        url = PeerURL.parse(f"tls://{listener.address}")
        with pytest.raises(ConnectTimeout):
            await TLSTransport(CERTIFICATE).dial(network, url, DialOptions(timeout=0.02))
        dial = asyncio.ensure_future(TLSTransport(CERTIFICATE).dial(network, url, DialOptions()))
        await asyncio.sleep(0.01)
        dial.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dial


@on_loops
async def test_urls_that_cannot_be_dialed() -> None:
    tls = TLSTransport(CERTIFICATE)
    async with LoopbackNetwork() as network, listening(network) as (_, _, url):
        with pytest.raises(URLError):
            await tls.dial(network, PeerURL.parse("tls://h"), DialOptions())
        bad = url.with_query([("sni", "a" * 70 + ".example")])
        with pytest.raises(TLSError):
            await tls.dial(network, bad, DialOptions())


@NETWORKS
@on_loops
async def test_clients_that_stall_or_babble_keep_nobody_out(network_type: type[Network]) -> None:
    async with network_type() as network, listening(network) as (tls, listener, url):
        port = url.require_port()
        stalled = [await network.connect_stream("127.0.0.1", port) for _ in range(upgrade.CONCURRENT // 2)]
        for _ in range(upgrade.CONCURRENT):
            babbler = await network.connect_stream("127.0.0.1", port)
            babbler.write(b"GET / HTTP/1.0\r\n\r\n")
            stalled.append(babbler)
        client = await tls.dial(network, url, DialOptions())
        server, _ = await listener.accept()
        assert not server.is_closing()
        assert not client.is_closing()


def ended(held: asyncio.BaseProtocol) -> bool:
    assert isinstance(held, HoldingProtocol)
    return held.eof or held.lost


@on_loops
async def test_stalled_handshakes_are_bounded_in_number_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade, "CONCURRENT", 4)
    monkeypatch.setattr("ygg.transport.tls.DIAL_TIMEOUT", 0.05)
    async with LoopbackNetwork() as network, listening(network) as (tls, listener, url):
        port = url.require_port()
        stalled = [await network.connect_stream("127.0.0.1", port) for _ in range(20)]
        await settle()
        assert len(asyncio.all_tasks()) <= 4 + 3
        client = await tls.dial(network, url, DialOptions())
        server, _ = await listener.accept()
        assert not server.is_closing()
        for transport in stalled:
            transport.resume_reading()
        await until(lambda: all(ended(transport.get_protocol()) for transport in stalled))
        client.abort()


@NETWORKS
@on_loops
async def test_closing_in_the_middle_of_handshakes(network_type: type[Network]) -> None:
    async with network_type() as network:
        tls = TLSTransport(CERTIFICATE)
        listener = await tls.listen(network, PeerURL.parse("tls://127.0.0.1:0"), ListenOptions())
        stalled = await network.connect_stream("127.0.0.1", int(listener.address.rpartition(":")[2]))
        accept = asyncio.ensure_future(listener.accept())
        await asyncio.sleep(0.01)
        listener.close()
        await listener.wait_closed()
        with pytest.raises(ListenerClosed):
            await accept
        stalled.abort()


@on_loops
async def test_a_network_that_goes_down_ends_the_listener() -> None:
    async with LoopbackNetwork() as network:
        tls = TLSTransport(CERTIFICATE)
        listener = await tls.listen(network, PeerURL.parse("tls://127.0.0.1:0"), ListenOptions())
        accept = asyncio.ensure_future(listener.accept())
        await settle()
        network.down()
        with pytest.raises(ListenerClosed):
            await accept
        await listener.wait_closed()


@on_loops
async def test_closing_after_any_number_of_turns_leaves_nothing() -> None:
    """Connections that came in just before the listener closes are closed too, however far they have got."""
    for turns in range(8):
        async with LoopbackNetwork() as network:
            tls = TLSTransport(CERTIFICATE)
            listener = await tls.listen(network, PeerURL.parse("tls://127.0.0.1:0"), ListenOptions())
            port = int(listener.address.rpartition(":")[2])
            await settle()
            clients = [await network.connect_stream("127.0.0.1", port) for _ in range(3)]
            for client in clients:
                client.resume_reading()
            await settle(turns)
            listener.close()
            await listener.wait_closed()
            await until(lambda clients=clients: all(ended(client.get_protocol()) for client in clients))
