"""ygg.autopeer.http: one GET over a network, its limits, and what a server can do wrong."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.aio import on_loops, run
from tests.autopeer.server import Server, ok, response, serving
from tests.certificates import self_signed
from ygg.autopeer.http import FetchError, Reply, Validators, get
from ygg.network import LoopbackNetwork, NativeNetwork, RejectNetwork, WrapperNetwork

URL = "http://lists.example/peers.json"


@asynccontextmanager
async def site() -> AsyncIterator[tuple[Server, LoopbackNetwork]]:
    network = LoopbackNetwork(hosts={"lists.example": ["192.0.2.1"]})
    async with network, serving(network, "192.0.2.1", 80) as server:
        yield server, network


async def fetch(network: LoopbackNetwork, url: str = URL, *, timeout: float = 10, **options: Any) -> Reply:
    return await get(url, network, limit=1000, timeout=timeout, **options)


def refused(answer: bytes | None, reason: str, timeout: float = 10) -> None:
    async def main() -> None:
        async with site() as (server, network):
            server.answers["/peers.json"] = answer
            with pytest.raises(FetchError, match=reason):
                await fetch(network, timeout=timeout)

    run(main())


@on_loops
async def test_document_and_its_validators() -> None:
    async with site() as (server, network):
        server.answers["/peers.json"] = ok(b"list", 'ETag: "1"', "Last-Modified: Tue, 09 Jun 2026 00:00:00 GMT")
        reply = await fetch(network)
        assert reply == Reply(b"list", Validators(b'"1"', b"Tue, 09 Jun 2026 00:00:00 GMT"))
        ((path, headers),) = server.asked
        assert (path, headers["host"], headers["accept-encoding"]) == ("/peers.json", "lists.example", "identity")
        assert "if-none-match" not in headers


def test_conditional_request() -> None:
    async def main() -> None:
        async with site() as (server, network):
            server.answers["/peers.json"] = response(304)
            validators = Validators(b'"1"', b"Tue, 09 Jun 2026 00:00:00 GMT")
            assert await fetch(network, validators=validators) == Reply(None, validators)
            headers = server.asked[0][1]
            assert headers["if-none-match"].encode() == validators.etag
            assert headers["if-modified-since"].encode() == validators.last_modified

    run(main())


@pytest.mark.parametrize("tag", [b'"\xe9"', '"\u00e9"'.encode(), b'"a\tb"'])
def test_validators_go_back_byte_for_byte(tag: bytes) -> None:
    async def main() -> None:
        async with site() as (server, network):
            fields = b"ETag: " + tag + b"\r\nLast-Modified: d\xe9c"
            server.answers["/peers.json"] = ok(b"list", "X: y").replace(b"X: y", fields)
            validators = (await fetch(network)).validators
            assert validators == Validators(tag, b"d\xe9c")
            await fetch(network, validators=validators)
            headers = server.asked[1][1]
            assert headers["if-none-match"].encode("latin-1") == tag
            assert headers["if-modified-since"].encode("latin-1") == b"d\xe9c"

    run(main())


def test_not_modified_is_no_answer_to_an_unconditional_request() -> None:
    refused(response(304), "HTTP status 304")


def test_chunked_document() -> None:
    async def main() -> None:
        async with site() as (server, network):
            chunks = b"4\r\nlist\r\n1\r\ns\r\n0\r\n\r\n"
            server.answers["/peers.json"] = response(200, "Transfer-Encoding: chunked") + chunks
            assert (await fetch(network)).body == b"lists"

    run(main())


def test_redirects_are_followed() -> None:
    async def main() -> None:
        async with site() as (server, network):
            server.answers["/peers.json"] = response(301, "Location: new/list")
            server.answers["/new/list"] = response(307, "Location: http://LISTS.example:80/last")
            server.answers["/last"] = ok(b"list")
            assert (await fetch(network)).body == b"list"

    run(main())


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("http://b\u00fccher.example/\u00e9.md?\u00e9 #x", "xn--bcher-kva.example", "/%C3%A9.md?%C3%A9%20"),
        ("HTTP://me:hidden@Lists.example/a b%20c", "lists.example", "/a%20b%20c"),
        ("http://lists.example?a=b&c", "lists.example", "/?a=b&c"),
        ("http://[2001:db8::1]/", "[2001:db8::1]", "/"),
    ],
)
def test_url_is_encoded_for_the_wire(url: str, host: str, path: str) -> None:
    async def main() -> None:
        hosts = {"lists.example": ["192.0.2.1"], "xn--bcher-kva.example": ["192.0.2.1"]}
        async with LoopbackNetwork(hosts=hosts, addresses=["2001:db8::/32"]) as network:
            address = "2001:db8::1" if ":" in host else "192.0.2.1"
            async with serving(network, address, 80) as server:
                server.answers[path] = ok(b"list")
                assert (await fetch(network, url)).body == b"list"
                assert [(asked, headers["host"]) for asked, headers in server.asked] == [(path, host)]

    run(main())


@pytest.mark.parametrize(("location", "path"), [(b"/\xe9 x", "/%E9%20x"), ("/\u00e9".encode(), "/%C3%A9")])
def test_redirect_is_encoded_for_the_wire(location: bytes, path: str) -> None:
    async def main() -> None:
        async with site() as (server, network):
            server.answers["/peers.json"] = response(302, "Location: X").replace(b": X", b": " + location)
            server.answers[path] = ok(b"list")
            assert (await fetch(network)).body == b"list"

    run(main())


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://\u00e9..example/", "label empty"),
        ("http://lists.example:80:80/", "Port could not be cast"),
        ("/peers.json", "more than 5 redirects"),
        ("", "without a location"),
        ("file:///etc/passwd", "redirect to scheme 'file'"),
        ("http://[::1", "Invalid IPv6"),
        ("http://lists.example:99999/", "Port out of range"),
        ("http://nowhere.example/", "nowhere.example"),
    ],
)
def test_redirect_refused(location: str, reason: str) -> None:
    refused(response(302, f"Location: {location}"), reason)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (response(404), "HTTP status 404"),
        (response(500), "HTTP status 500"),
        (ok(b"x" * 1001), "larger than 1000 bytes"),
        (response(200, "Content-Length: " + "9" * 20), "larger than 1000 bytes"),
        (response(200, "Content-Length: " + "9" * 30), "bad Content-Length"),
        (response(200, "Transfer-Encoding: chunked") + b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n", "larger than 1000"),
        (response(200) + b"x" * 1001, "larger than 1000 bytes"),
        (ok(b"x", "Content-Encoding: gzip"), "content encoding 'gzip'"),
        (b"SSH-2.0-server\r\n\r\n", "illegal status line"),
        (b"", "without sending a response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "without sending complete"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000, "Receive buffer too long"),
    ],
)
def test_answer_refused(answer: bytes, reason: str) -> None:
    refused(answer, reason)


def test_server_that_says_nothing() -> None:
    refused(None, "no answer within 0.01 s", timeout=0.01)


@pytest.mark.parametrize("url", ["gopher://lists.example/", "lists.example", "http:///x", "http://"])
def test_url_that_cannot_be_fetched(url: str) -> None:
    async def main() -> None:
        async with site() as (_, network):
            with pytest.raises(FetchError):
                await fetch(network, url)

    run(main())


def test_network_that_refuses() -> None:
    async def main() -> None:
        with pytest.raises(FetchError):
            await get(URL, RejectNetwork(), limit=1, timeout=10)

    run(main())


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key."""
    return self_signed(tmp_path / "server.pem", "127.0.0.1")


@asynccontextmanager
async def secure_site(certificate: Path, sni_callback: Any = None) -> AsyncIterator[tuple[Server, str]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = sni_callback
    context.load_cert_chain(certificate)
    server = Server()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await writer.start_tls(context)
        except OSError:  # the client did not like the certificate
            writer.close()
        else:
            await server.serve(reader, writer)

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server, f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}/peers.json"
    finally:
        listener.close()


@on_loops
async def test_https_server_name_has_no_final_dot(certificate: Path) -> None:
    class Near(WrapperNetwork):
        async def connect_stream(self, host: str, port: int, **options: Any) -> asyncio.Transport:
            dialed.append(host)
            return await super().connect_stream("127.0.0.1", port, **options)

    dialed: list[str] = []
    asked: list[str | None] = []
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    site = secure_site(certificate, lambda _, name, __: asked.append(name))
    async with site as (server, url), NativeNetwork() as base:
        server.answers["/peers.json"] = ok(b"x")
        url = url.replace("127.0.0.1", "site.example.")
        await get(url, Near(base), limit=9, timeout=10, context=unverified)
    assert (dialed, asked) == (["site.example."], ["site.example"])


@on_loops
async def test_https(certificate: Path) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with secure_site(certificate) as (server, url), NativeNetwork() as network:
        server.answers["/peers.json"] = ok(b"x" * 100_000)
        reply = await get(url, network, limit=100_000, timeout=10, context=trusting)
        assert reply.body == b"x" * 100_000


def test_https_certificate_of_nobody_we_trust(certificate: Path) -> None:
    async def main() -> None:
        async with secure_site(certificate) as (server, url), NativeNetwork() as network:
            with pytest.raises(FetchError, match="CERTIFICATE_VERIFY_FAILED"):
                await get(url, network, limit=1000, timeout=10)
            assert server.asked == []

    run(main())


def test_no_redirect_from_https_to_http(certificate: Path) -> None:
    async def main() -> None:
        trusting = ssl.create_default_context(cafile=str(certificate))
        async with secure_site(certificate) as (server, url), NativeNetwork() as network:
            server.answers["/peers.json"] = response(302, "Location: http://127.0.0.1:1/")
            with pytest.raises(FetchError, match="from https to http"):
                await get(url, network, limit=1000, timeout=10, context=trusting)

    run(main())
