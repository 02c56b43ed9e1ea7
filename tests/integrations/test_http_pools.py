"""ygg.integrations.http_pools: pools as httpx and httpx2 make theirs, with a network of ours."""

import httpcore
import httpcore2
import httpx
import httpx2
import pytest

from tests.aio import on_loops
from ygg.integrations import httpcore as first
from ygg.integrations import httpcore2 as second
from ygg.integrations.http_pools import pool
from ygg.network import LoopbackNetwork
from ygg.network.streams import serving

BOTH = pytest.mark.parametrize(("ours", "core", "library"), [(first, httpcore, httpx), (second, httpcore2, httpx2)])


async def proxy(reader, writer):
    """Answer a request for any site with what was asked for, and whether there were credentials."""
    line, authorized = await reader.readline(), b"no"
    while (header := await reader.readline()).strip():
        if header.lower().startswith(b"proxy-authorization"):
            authorized = b"yes"
    answer = line.split()[1] + b" " + authorized
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(answer) + answer)
    writer.close()


@BOTH
@on_loops
async def test_a_proxy_is_dialed_by_the_network(ours, core, library) -> None:
    async with LoopbackNetwork() as network, serving(network, proxy, "127.0.0.1", 3128):
        url = library.Proxy("http://user:secret@127.0.0.1:3128")
        async with pool(core, ours.HTTPBackend(network), None, library.Limits(), url, None) as made:
            answer = await made.request("GET", "http://site.example/x")
            assert answer.content == b"http://site.example/x yes"


@BOTH
@on_loops
async def test_without_a_proxy_it_dials_the_host(ours, core, library) -> None:
    async with (
        LoopbackNetwork() as network,
        serving(network, proxy, "127.0.0.1", 80),
        pool(core, ours.HTTPBackend(network), None, library.Limits(), None, None) as made,
    ):
        assert (await made.request("GET", "http://127.0.0.1/x")).content == b"/x no"


@BOTH
def test_what_is_no_proxy(ours, core, library) -> None:
    class Strange:
        url = library.URL("http://127.0.0.1").copy_with(scheme="gopher")
        raw_auth = None

    with pytest.raises(ValueError, match="not by gopher"):
        pool(core, None, None, library.Limits(), Strange(), None)
