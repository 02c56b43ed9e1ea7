"""ygg.proxy.receiver: servers that are told who their clients are, and headers that are not believed."""

import asyncio
from typing import Any

import pytest

from tests.aio import on_loops, until
from tests.proxy.ends import Peer, client, send_and_reset
from tests.vtunpair import ADDRESS_A, ADDRESS_B, joined
from ygg.proxy import Forward, ProxyReceiver, overlay, tcp
from ygg.proxy.proxyprotocol import encode, header_for

KEY = bytes(range(32))
HEADER = encode(header_for(("200::1", 1000), ("300::2", 80), KEY))


class Server:
    """A server behind a receiver, on this machine."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.peers: list[Peer] = []
        self.receiver = ProxyReceiver(self._make, *arguments, **options)

    def _make(self) -> Peer:
        self.peers.append(Peer())
        return self.peers[-1]

    async def __aenter__(self) -> "Server":
        self.server = await asyncio.get_running_loop().create_server(self.receiver, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for peer in self.peers:
            if not peer.over.done():
                peer.transport.abort()
                await peer.over


@on_loops
async def test_the_client_is_the_one_that_is_told() -> None:
    async with Server() as server:
        near = await client(server.port)
        for byte in HEADER:
            near.transport.write(bytes([byte]))
            await asyncio.sleep(0)
        near.transport.write(b"question")
        await until(lambda: server.peers and server.peers[0].data == b"question")
        transport = server.peers[0].transport
        assert transport.get_extra_info("peername") == ("200::1", 1000, 0, 0)
        assert transport.get_extra_info("sockname") == ("300::2", 80, 0, 0)
        assert transport.get_extra_info("public_key") == KEY
        assert transport.get_extra_info("proxy_header").source == ("200::1", 1000)
        transport.write(b"answer")
        await until(lambda: near.data == b"answer")
        near.transport.close()
        await until(lambda: server.peers[0].eof)


@on_loops
async def test_what_comes_with_the_header_is_the_connections() -> None:
    async with Server() as server:
        near = await client(server.port)
        near.transport.write(HEADER + b"question")
        near.transport.write_eof()
        await until(lambda: server.peers and server.peers[0].eof)
        assert server.peers[0].data == b"question"
        near.transport.abort()


@on_loops
async def test_a_connection_of_the_proxy_itself_has_its_own_names() -> None:
    async with Server() as server:
        near = await client(server.port)
        near.transport.write(encode(header_for(None, None)))
        await until(lambda: server.peers)
        assert server.peers[0].transport.get_extra_info("peername") == near.transport.get_extra_info("sockname")
        near.transport.abort()


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\r\n\r\nX", HEADER[:12] + b"\x11", HEADER[:12]])
@on_loops
async def test_anything_else_is_reset(data: bytes) -> None:
    async with Server() as server:
        near = await client(server.port)
        near.transport.write(data)
        near.transport.write_eof()
        with pytest.raises(ConnectionResetError):
            await near.lost()
        assert server.receiver.counters == {"malformed": 1}
        assert server.peers == []


@on_loops
async def test_silence_is_reset() -> None:
    async with Server(timeout=0.05) as server:
        with pytest.raises(ConnectionResetError):
            await (await client(server.port)).lost()
        assert server.receiver.counters == {"timeout": 1}


@on_loops
async def test_those_who_are_not_trusted_are_reset() -> None:
    async with Server(["10.0.0.0/8", "::1/128"]) as server:
        near = await client(server.port)
        with pytest.raises(ConnectionResetError):
            await near.lost()
        assert server.receiver.counters == {"untrusted": 1}


@on_loops
async def test_behind_a_forward_the_client_is_the_node() -> None:
    async with (
        joined() as pair,
        Server() as server,
        Forward(overlay(pair.b), tcp("127.0.0.1", server.port), proxy_protocol=True) as forward,
    ):
        near = await client(forward.port, pair.a, ADDRESS_B)
        near.transport.write(b"question")
        await until(lambda: server.peers and server.peers[0].data == b"question")
        transport = server.peers[0].transport
        assert transport.get_extra_info("peername") == near.transport.get_extra_info("sockname")
        assert transport.get_extra_info("peername")[0] == ADDRESS_A
        assert transport.get_extra_info("sockname") == near.transport.get_extra_info("peername")
        near.transport.abort()


@pytest.mark.parametrize("trusted", [True, False])
@on_loops
async def test_a_receiver_on_the_overlay_trusts_who_it_is_told_to(trusted: bool) -> None:
    """A client that is no proxy cannot choose its address there."""
    server = Server(["200:aaaa::/64"] if trusted else [])
    async with joined() as pair:
        listening = await pair.b.create_server(server.receiver, ADDRESS_B, 0)
        try:
            near = await client(listening.sockets[0].getsockname()[1], pair.a, ADDRESS_B)
            near.transport.write(HEADER)
            await until(lambda: server.receiver.counters)
            near.transport.abort()
        except ConnectionResetError:
            assert not trusted
        await until(lambda: server.receiver.counters)
        assert server.receiver.counters == {"accepted" if trusted else "untrusted": 1}
        listening.close()


@on_loops
async def test_a_host_that_is_gone_before_it_is_accepted_is_not_believed() -> None:
    """Its address is not known on uvloop then, and what it has sent still comes."""
    async with Server(["10.0.0.0/8"]) as server:
        for _ in range(5):
            send_and_reset(server.port, HEADER + b"word")
        await until(lambda: server.receiver.counters["untrusted"] == 5)
        assert not server.peers
