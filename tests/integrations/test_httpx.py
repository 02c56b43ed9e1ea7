"""httpx over a VTun. The private names it touches: `httpx.AsyncHTTPTransport._pool`."""

import asyncio
import subprocess
import sys

import httpx
import pytest

from ygg.identity.certificate import Certificate
from ygg.integrations.asgi import serve
from ygg.integrations.httpx import YggTransport
from ygg.stream.tls.contexts import server_context


async def app(scope, receive, send):
    """Serve a word, a large body in pieces, a redirect, or nothing for a long time."""
    path = scope["path"]
    headers = [(b"location", b"/")] if path == "/moved" else []
    if path == "/never":
        await asyncio.sleep(3600)
    await send({"type": "http.response.start", "status": 302 if headers else 200, "headers": headers})
    if path == "/large":
        for number in range(100):
            await send({"type": "http.response.body", "body": bytes([number]) * 100_000, "more_body": True})
    await send({"type": "http.response.body", "body": path.encode()})


def test_the_private_name_is_still_there():
    assert "_pool" in vars(httpx.AsyncHTTPTransport())


def test_requests(with_pair):
    async def main(pair):
        url = f"http://[{pair.address_b}]:8080"
        async with (
            serve(app, pair.b, port=8080, lifespan="off"),
            httpx.AsyncClient(transport=YggTransport(pair.a), follow_redirects=True) as http,
        ):
            for number in range(20):
                assert (await http.get(f"{url}/{number}")).text == f"/{number}"
            assert (await http.get(f"{url}/moved")).text == "/"
            assert len([end for end in pair.a.stack.endpoints() if end.state == "ESTABLISHED"]) == 1     # kept alive
            texts = await asyncio.gather(*(http.get(f"{url}/{number}") for number in range(30)))
            assert [text.text for text in texts] == [f"/{number}" for number in range(30)]

    with_pair(main)


def test_a_large_body_read_slowly(with_pair):
    async def main(pair):
        async with (
            serve(app, pair.b, port=8080, lifespan="off"),
            httpx.AsyncClient(transport=YggTransport(pair.a)) as http,
            http.stream("GET", f"http://[{pair.address_b}]:8080/large") as response,
        ):
            total = 0
            async for chunk in response.aiter_bytes():
                total += len(chunk)
                if total < 1_000_000:
                    await asyncio.sleep(0.001)
            assert total == 10_000_006

    with_pair(main)


def test_https(with_pair):
    async def main(pair):
        certificate = Certificate.generate()
        tls = server_context(certificate)
        async with serve(app, pair.b, port=443, ssl=tls, lifespan="off"):
            async with httpx.AsyncClient(transport=YggTransport(pair.a, verify=False)) as http:
                assert (await http.get(f"https://[{pair.address_b}]/inside")).text == "/inside"
            async with httpx.AsyncClient(transport=YggTransport(pair.a)) as http:
                with pytest.raises(httpx.ConnectError):
                    await http.get(f"https://[{pair.address_b}]/")

    with_pair(main)


def test_errors_are_httpx_errors(with_pair):
    async def main(pair):
        async with httpx.AsyncClient(transport=YggTransport(pair.a), timeout=0.05) as http:
            with pytest.raises(httpx.ConnectError):
                await http.get(f"http://[{pair.address_b}]:9/")
            with pytest.raises(httpx.ConnectError):
                await http.get("http://example.org/")
            with pytest.raises(httpx.ConnectTimeout):
                await http.get("http://[200:dddd::1]/")
            async with serve(app, pair.b, port=80, lifespan="off", timeout_graceful_shutdown=0):
                with pytest.raises(httpx.ReadTimeout):
                    await http.get(f"http://[{pair.address_b}]/never")
        assert pair.a.stack.endpoints() == [] or all(end.state == "TIME-WAIT" for end in pair.a.stack.endpoints())

    with_pair(main)


@pytest.mark.parametrize(("module", "package"), [("httpx", "httpx"), ("asgi", "uvicorn")])
def test_a_missing_library_is_named(module, package):
    program = (
        f"import sys; sys.modules[{package!r}] = None\n"
        f"try: import ygg.integrations.{module}\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert package in done.stdout
    assert "pip install 'ygg[http]'" in done.stdout
