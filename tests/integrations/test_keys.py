"""Whose a request and a response are: the keys of the nodes at both ends, for ASGI applications and httpx."""

import json

import httpx

from tests.aio import on_loops
from ygg import LoopbackNetwork, open_node
from ygg.identity.certificate import Certificate
from ygg.integrations import hypercorn
from ygg.integrations.asgi import serve
from ygg.integrations.httpx import YggTransport
from ygg.stream.tls.contexts import server_context
from ygg.testing import private_key


async def app(scope, receive, send):
    key = scope["extensions"]["ygg"]["public_key"]
    body = json.dumps({"key": key.hex(), "client": scope["client"][0]}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


@on_loops
async def test_both_ends_know_the_key_over_http_and_https() -> None:
    async with (
        LoopbackNetwork() as network,
        open_node(private_key(1), network=network, listen=["tcp://127.0.0.1:0"]) as server,
        open_node(private_key(2), network=network, peers=[str(server.core.listeners[0].url)]) as client,
        serve(app, server.vtun, port=80, lifespan="off", proxy_headers=True, forwarded_allow_ips="*"),
        serve(app, server.vtun, port=443, lifespan="off", ssl=server_context(Certificate(private_key(3)))),
        httpx.AsyncClient(transport=YggTransport(client.vtun, verify=False)) as http,
    ):
        await client.connected(10)
        for scheme in ("http", "https"):
            # What a header says of the client changes its address, and not the key of the node that it came from.
            response = await http.get(f"{scheme}://[{server.address}]/", headers={"X-Forwarded-For": "192.0.2.1"})
            assert response.json()["key"] == client.public_key.hex()
            assert response.extensions["ygg"] == {"public_key": server.public_key}
            assert response.json()["client"] == ("192.0.2.1" if scheme == "http" else str(client.address))


@on_loops
async def test_hypercorn_knows_it_too_over_http_1_and_2() -> None:
    async with (
        LoopbackNetwork() as network,
        open_node(private_key(1), network=network, listen=["tcp://127.0.0.1:0"]) as server,
        open_node(private_key(2), network=network, peers=[str(server.core.listeners[0].url)]) as client,
        hypercorn.serve(app, server.vtun, port=80),
    ):
        await client.connected(10)
        for http2 in (False, True):
            transport = YggTransport(client.vtun, http1=not http2, http2=http2)
            async with httpx.AsyncClient(transport=transport) as http:
                answer = (await http.get(f"http://[{server.address}]/")).json()
                assert answer == {"key": client.public_key.hex(), "client": str(client.address)}
