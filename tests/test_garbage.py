"""What strangers and links leave behind is freed by counting references: nothing of it waits for the collector.

Cycles of ours would hold sockets and TLS states until the garbage collector comes round, and make its rounds longer.
"""

import asyncio
import contextlib
import gc
import os
import socket
import struct
import types
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.aio import run, until
from ygg import Certificate, Core, NativeNetwork, TCPTransport, TLSTransport, TransportManager
from ygg.node import handshake
from ygg.node.admission import DEFAULT_LIMITS, IncomingLimits
from ygg.testing import private_key
from ygg.transport import QuicTransport, WSTransport, tls, upgrade, ws

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ygg-ws\r\n\r\n"
)
OPENINGS = [
    ("tcp", b""),
    ("tcp", b"meta\0\x75"),
    ("tcp", bytes(500)),
    ("tls", b""),
    ("tls", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    ("tls", bytes(500)),
    ("ws", b""),
    ("ws", b"GET / HTTP/1.1\r\nHost: x\r\nA: "),
    ("ws", b"GET /" + b"a" * 70_000),
    ("ws", UPGRADE + b"\x82\x80aaaa"),
    ("ws", UPGRADE + b"\x82\xff" + struct.pack(">Q", 2**40)),
]
TIMES = 5


def core(network: NativeNetwork, number: int, limits: IncomingLimits = DEFAULT_LIMITS) -> Core:
    certificate = Certificate(private_key(number))
    manager = TransportManager(network)
    for transport in (TCPTransport(), TLSTransport(certificate), WSTransport(), QuicTransport(certificate)):
        manager.register(transport)
    return Core(certificate, manager, incoming_limits=limits)


@contextmanager
def uncollected() -> Iterator[Counter[str]]:
    """Count the frames and the objects of ours, of websockets' and of aioquic's that only the collector has found."""
    found: Counter[str] = Counter()
    gc.collect()
    gc.disable()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found.update(
            f"{type(item).__module__}.{type(item).__qualname__}"
            for item in gc.garbage
            if isinstance(item, types.FrameType)
            or type(item).__module__.partition(".")[0] in ("ygg", "ygg_c", "websockets", "aioquic")
        )
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
        gc.collect()


async def stranger(port: int, data: bytes, *, reset: bool) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", port))
        await loop.sock_sendall(sock, data)
        if reset:
            await asyncio.sleep(0.01)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors in /proc")
@pytest.mark.parametrize("reset", [False, True], ids=["ended", "reset"])
@pytest.mark.parametrize(("scheme", "data"), OPENINGS)
def test_a_stranger_that_leaves(scheme: str, data: bytes, reset: bool) -> None:
    async def main() -> None:
        async with NativeNetwork() as network, core(network, 1) as node:
            listener = await node.listen(f"{scheme}://127.0.0.1:0")
            port = int(listener.address.rpartition(":")[2])
            before = descriptors()
            await stranger(port, data, reset=reset)
            await until(lambda: descriptors() == before)
            with uncollected() as found:
                for _ in range(TIMES):
                    await stranger(port, data, reset=reset)
                await until(lambda: descriptors() == before)
                await asyncio.sleep(0.01)
            assert not found

    run(main())


@pytest.mark.parametrize("scheme", ["tcp", "tls", "ws", "quic"])
def test_a_link_that_ends(scheme: str) -> None:
    async def main() -> None:
        async with NativeNetwork() as network, core(network, 1) as one, core(network, 2) as two:
            listener = await one.listen(f"{scheme}://127.0.0.1:0")
            url = str(listener.url)

            async def link() -> None:
                async with asyncio.timeout(30):
                    await two.call_peer(url)
                two.remove_peer(url)
                await until(lambda: not one.peers() and not two.peers() and descriptors() == before)

            before = descriptors()
            await link()
            with uncollected() as found:
                for _ in range(TIMES):
                    await link()
            assert not found

    run(main())


@pytest.mark.parametrize("scheme", ["tcp", "tls", "ws"])
def test_strangers_that_are_dropped(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrade, "CONCURRENT", 1)

    async def main() -> None:
        async with NativeNetwork() as network, core(network, 1, IncomingLimits(newcomers=1)) as node:
            listener = await node.listen(f"{scheme}://127.0.0.1:0")
            address = "127.0.0.1", int(listener.address.rpartition(":")[2])

            async def dropped() -> None:
                with socket.create_connection(address) as first, socket.create_connection(address):
                    first.setblocking(False)
                    with contextlib.suppress(ConnectionResetError):
                        while await asyncio.get_running_loop().sock_recv(first, 4096):
                            pass
                await until(lambda: descriptors() == before)

            before = descriptors()
            await dropped()
            with uncollected() as found:
                for _ in range(TIMES):
                    await dropped()
                await asyncio.sleep(0.01)
            assert not found

    run(main())


@pytest.mark.parametrize("scheme", ["tcp", "tls", "ws"])
def test_strangers_that_are_silent(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (handshake, "TIMEOUT"), (tls, "DIAL_TIMEOUT"), (ws, "REQUEST_TIMEOUT"):
        monkeypatch.setattr(module, name, 0.02)

    async def main() -> None:
        async with NativeNetwork() as network, core(network, 1) as node:
            listener = await node.listen(f"{scheme}://127.0.0.1:0")
            address = "127.0.0.1", int(listener.address.rpartition(":")[2])

            async def silent() -> None:
                with socket.create_connection(address) as sock:
                    sock.setblocking(False)
                    while await asyncio.get_running_loop().sock_recv(sock, 4096):
                        pass
                await until(lambda: descriptors() == before)

            before = descriptors()
            await silent()
            with uncollected() as found:
                for _ in range(TIMES):
                    await silent()
                await asyncio.sleep(0.01)
            assert not found

    run(main())


def test_a_dial_that_fails() -> None:
    async def main() -> None:
        async with NativeNetwork() as network, core(network, 1) as node:
            with socket.create_server(("127.0.0.1", 0)) as silent, uncollected() as found:
                url = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
                silent.close()
                for _ in range(TIMES):
                    node.add_peer(url)
                    await until(lambda: any(peer.last_error for peer in node.peers()))
                    node.remove_peer(url)
                await asyncio.sleep(0.01)
            assert not found

    run(main())
