"""ygg.integrations.httpx2: httpx2's clients over a VTun."""

import asyncio

import httpx2
import pytest

from tests.integrations.answering import CLIENT, SERVER, app, server_tls
from tests.integrations.table import shows
from ygg.integrations import asgi, hypercorn
from ygg.integrations.httpx2 import YggTransport


@shows("httpx2", "`ygg.integrations.httpx2`", "client", lines=1)
def test_requests_and_their_pool(with_pair):
    async def main(pair):
        async with (
            asgi.serve(app, pair.b, port=80),
            httpx2.AsyncClient(transport=YggTransport(pair.a)) as http,
        ):
            url = f"http://[{pair.address_b}]/"
            for _ in range(5):
                assert (await http.post(url, content=bytes(500_000))).text == f"{pair.address_a} 1.1 / 500000"
            assert len([end for end in pair.a.stack.endpoints() if end.state == "ESTABLISHED"]) == 1
            texts = await asyncio.gather(*(http.get(f"{url}{number}") for number in range(20)))
            assert [text.text for text in texts] == [f"{pair.address_a} 1.1 /{number} 0" for number in range(20)]

    with_pair(main)


@shows("httpx2", "`ygg.integrations.httpx2`", "TLS", lines=1)
def test_tls_and_http2(with_pair):
    async def main(pair):
        async with (
            hypercorn.serve(app, pair.b, port=443, ssl=server_tls("h2")),
            httpx2.AsyncClient(transport=YggTransport(pair.a, verify=CLIENT, http2=True)) as http,
        ):
            texts = await asyncio.gather(*(http.get(f"https://[{pair.address_b}]/{number}") for number in range(10)))
            assert [text.text for text in texts] == [f"{pair.address_a} 2 /{number} 0" for number in range(10)]

    with_pair(main)


def test_errors_are_its_own(with_pair):
    async def main(pair):
        async with httpx2.AsyncClient(transport=YggTransport(pair.a), timeout=0.05) as http:
            with pytest.raises(httpx2.ConnectError):
                await http.get(f"http://[{pair.address_b}]:9/")
            with pytest.raises(httpx2.ConnectError):
                await http.get("http://a.name.example/")
            with pytest.raises(httpx2.ConnectTimeout):
                await http.get("http://[200:dddd::1]/")
        async with (
            httpx2.AsyncClient(transport=YggTransport(pair.a)) as http,
            asgi.serve(app, pair.b, port=443, ssl=SERVER),
        ):
            with pytest.raises(httpx2.ConnectError):
                await http.get(f"https://[{pair.address_b}]/")

    with_pair(main)


def test_a_proxy_is_reached_through_the_vtun(with_pair):
    async def proxy(reader, writer):
        line = await reader.readline()
        while (await reader.readline()).strip():
            pass
        answer = line.split()[1]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
        writer.close()

    async def main(pair):
        async with await pair.b.start_server(proxy, port=3128):
            transport = YggTransport(pair.a, proxy=f"http://[{pair.address_b}]:3128")
            async with httpx2.AsyncClient(transport=transport) as http:
                assert (await http.get("http://site.example/x")).text == "http://site.example/x"

    with_pair(main)
