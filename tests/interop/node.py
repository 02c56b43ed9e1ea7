"""A node of ours as a process that takes orders:

    python -m tests.interop.node '{"private": "…", "name": "…", "mtu": 65535, "allowed": [], "group_password": ""}'
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from remote import obey
from tests.network.socks_proxy import Proxy
from ygg import (
    Config,
    Core,
    InterfaceRule,
    Multicast,
    NativeNetwork,
    VTun,
)
from ygg.integrations.asgi import serve
from ygg.integrations.httpx import YggTransport
from ygg.network.streams import serving
from ygg.transport.every import every_transport

from . import payload

TIMEOUT = 60.0


async def _received(reader: asyncio.StreamReader) -> str:
    total = hashlib.sha256()
    while data := await reader.read(1 << 20):
        total.update(data)
    return total.hexdigest()


async def _send(writer: asyncio.StreamWriter, count: int) -> None:
    for block in payload.blocks(count):
        writer.write(block)
        await writer.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


class Worker:
    """Does what it is told; every public method is one thing that can be asked for."""

    def __init__(self, core: Core, vtun: VTun, network: NativeNetwork, stack: contextlib.AsyncExitStack) -> None:
        self._core, self._vtun, self._network, self._stack = core, vtun, network, stack

    async def address(self) -> str:
        """Return the overlay address."""
        return str(self._core.address)

    async def listen(self, url: str) -> str:
        """Accept peers; return the URL as bound."""
        return str((await self._core.listen(url)).url)

    async def call(self, url: str) -> None:
        """Connect to a peer once."""
        await self._core.call_peer(url)

    async def peer(self, url: str) -> None:
        """Keep up a peering."""
        self._core.add_peer(url)

    async def unpeer(self, url: str) -> None:
        """Give up a peering."""
        self._core.remove_peer(url)

    async def peer_keys(self) -> list[str]:
        """Return the keys of the peers that are up."""
        return [peer.key.hex() for peer in self._core.peers() if peer.up and peer.key]

    async def proxy(self, host: str, port: int, users: dict[str, str]) -> None:
        """Run a SOCKS5 proxy that asks for a name and a password where there are users."""
        proxy = Proxy(self._network, {}, users)
        await self._stack.enter_async_context(serving(self._network, proxy.handle, host, port))

    async def discover(self, **rule: Any) -> None:
        """Find the nodes on the link by multicast from now on; the arguments are those of an `InterfaceRule`."""
        self._multicast = Multicast(self._core, self._network, [InterfaceRule("^eth", **rule)])
        await self._stack.enter_async_context(self._multicast)

    async def discovery(self) -> dict[str, int]:
        """Return what discovery has counted."""
        return {name: count for status in self._multicast.status() for name, count in status.counters.items()}

    async def root(self) -> str:
        """Return the key this node takes for the root of the tree."""
        return self._core.self_info().root.hex()

    async def sessions(self) -> list[str]:
        """Return the keys there are sessions with."""
        return [session.key.hex() for session in self._core.sessions()]

    async def node_info(self, key: str) -> dict[str, Any]:
        """Ask a node for its NodeInfo."""
        return await self._core.node_info(bytes.fromhex(key))

    async def remote_self(self, key: str) -> dict[str, Any]:
        """Ask a node about itself."""
        return await self._core.remote_self(bytes.fromhex(key))

    async def remote_peers(self, key: str) -> list[str]:
        """Ask a node for the keys of its peers."""
        return [peer.hex() for peer in await self._core.remote_peers(bytes.fromhex(key))]

    async def remote_tree(self, key: str) -> list[str]:
        """Ask a node for the keys of its tree records."""
        return [node.hex() for node in await self._core.remote_tree(bytes.fromhex(key))]

    async def ping(self, address: str, size: int) -> float:
        """Send an echo request of `size` bytes; return the round trip in seconds."""
        return await self._vtun.ping(address, timeout=30.0, size=size)

    async def reaches(self, address: str) -> bool:
        """Send one echo request; tell whether it is answered within a second."""
        with contextlib.suppress(OSError):
            await self._vtun.ping(address, timeout=1.0)
            return True
        return False

    async def datagrams(self, address: str, port: int, seconds: float) -> tuple[int, int]:
        """Send a datagram every 20 ms to an echo; return how many were sent and how many came back."""
        endpoint = await self._vtun.open_datagram(local_port=0)
        sent: set[bytes] = set()
        back: set[bytes] = set()

        async def receive() -> None:
            while True:
                back.add((await endpoint.recvfrom())[0])

        task = asyncio.create_task(receive())
        try:
            end = asyncio.get_running_loop().time() + seconds
            while asyncio.get_running_loop().time() < end:
                sent.add(text := os.urandom(100))
                await endpoint.sendto(text, (address, port))
                await asyncio.sleep(0.02)
            await asyncio.sleep(2)
        finally:
            task.cancel()
            endpoint.close()
        return len(sent), len(sent & back)

    async def source(self, count: int) -> int:
        """Serve `count` bytes to whoever connects; return the port."""

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                await _send(writer, count)
            await _close(writer)

        return await self._server(answer)

    async def sink(self) -> int:
        """Read what comes to its end and answer its digest; return the port."""

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                writer.write((await _received(reader)).encode())
            await _close(writer)

        return await self._server(answer)

    async def _server(self, answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> int:
        server = await self._vtun.start_server(answer, port=0)
        await self._stack.enter_async_context(server)
        return int(server.sockets[0].getsockname()[1])

    async def dial(self, address: str, port: int) -> float:
        """Connect and close; return the seconds until the connection was there."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        _, writer = await self._vtun.open_connection(address, port)
        took = loop.time() - begin
        await _close(writer)
        return took

    async def fetch(self, address: str, port: int) -> str:
        """Read a connection to its end; return the digest."""
        reader, writer = await self._vtun.open_connection(address, port)
        try:
            return await _received(reader)
        finally:
            await _close(writer)

    async def push(self, address: str, port: int, count: int) -> str:
        """Send `count` bytes, close that direction; return the digest that the other side answers."""
        reader, writer = await self._vtun.open_connection(address, port)
        try:
            await _send(writer, count)
            writer.write_eof()
            return (await reader.read(-1)).decode()
        finally:
            await _close(writer)

    async def udp_echo(self) -> int:
        """Send every datagram back where it came from; return the port."""
        endpoint = await self._vtun.open_datagram(local_port=0)

        async def serve_echo() -> None:
            while True:
                await endpoint.sendto(*await endpoint.recvfrom())

        task = asyncio.create_task(serve_echo())
        self._stack.callback(endpoint.close)
        self._stack.callback(task.cancel)
        return int(endpoint.getsockname()[1])

    async def udp_exchange(self, address: str, port: int, size: int) -> bool:
        """Send a datagram to an echo; tell whether it came back whole. Tries three times."""
        endpoint = await self._vtun.open_datagram(local_port=0)
        try:
            for _ in range(3):
                sent = os.urandom(size)
                await endpoint.sendto(sent, (address, port))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(2.0):
                        return (await endpoint.recvfrom())[0] == sent
            return False
        finally:
            endpoint.close()

    async def web(self) -> int:
        """Answer every GET with "you asked for PATH"; return the port."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                raise NotImplementedError(scope["type"])
            body = f"you asked for {scope['path']}".encode()
            await send({"type": "http.response.start", "status": 200,
                        "headers": [(b"content-length", str(len(body)).encode())]})
            await send({"type": "http.response.body", "body": body})

        server = await self._stack.enter_async_context(serve(app, self._vtun, port=0))
        return int(server.sockets[0].getsockname()[1])

    async def get(self, address: str, port: int, path: str) -> str:
        """Return the body of a page."""
        async with httpx.AsyncClient(transport=YggTransport(self._vtun)) as client:
            return (await client.get(f"http://[{address}]:{port}{path}", timeout=TIMEOUT)).text


async def main(options: dict[str, Any]) -> None:
    """Run a node until the input ends."""
    config = Config.parse(json.dumps({
        "PrivateKey": options["private"], "AllowedPublicKeys": options["allowed"], "IfMTU": options["mtu"],
        "GroupPassword": options["group_password"],
        "NodeInfo": {"name": options["name"]}}))
    async with contextlib.AsyncExitStack() as stack:
        network = await stack.enter_async_context(NativeNetwork())
        manager = every_transport(network, config.certificate)
        core = await stack.enter_async_context(
            Core(config.certificate, manager, allowed_public_keys=config.allowed_public_keys,
                 group_password=config.group_password, node_info=config.node_info))
        vtun = await stack.enter_async_context(VTun.over(core, mtu=options["mtu"]))
        # What the worker starts must end before the node does.
        services = await stack.enter_async_context(contextlib.AsyncExitStack())
        worker = Worker(core, vtun, network, services)
        await obey(worker)


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    asyncio.run(main(json.loads(sys.argv[1])))
