"""ygg.integrations.httpcore2: httpcore2's pools over a VTun."""

import httpcore2
import pytest

from tests.integrations.answering import CLIENT, SERVER, app
from tests.integrations.table import shows
from ygg.integrations.asgi import serve
from ygg.integrations.httpcore2 import VTunBackend


@shows("httpcore2", "`ygg.integrations.httpcore2`", "client", "TLS", lines=1)
def test_pools(with_pair):
    async def main(pair):
        async with (
            serve(app, pair.b, port=80),
            serve(app, pair.b, port=443, ssl=SERVER),
            httpcore2.AsyncConnectionPool(network_backend=VTunBackend(pair.a), ssl_context=CLIENT) as pool,
        ):
            for scheme in ("http", "https"):
                answer = await pool.request("GET", f"{scheme}://[{pair.address_b}]/")
                assert answer.content == f"{pair.address_a} 1.1 / 0".encode()

    with_pair(main)


def test_errors_are_its_own(with_pair):
    async def main(pair):
        async with httpcore2.AsyncConnectionPool(network_backend=VTunBackend(pair.a)) as pool:
            for url in (f"http://[{pair.address_b}]:9/", "http://a.name.example/"):
                with pytest.raises(httpcore2.ConnectError):
                    await pool.request("GET", url)
            with pytest.raises(httpcore2.ConnectTimeout):
                await pool.request("GET", "http://[200:dddd::1]/", extensions={"timeout": {"connect": 0.05}})

    with_pair(main)
