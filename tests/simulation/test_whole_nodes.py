"""Whole nodes in virtual time: their links, VTuns and HTTP, twice the same to the byte."""

import asyncio
import io
import logging

import httpx
import pytest

from tests.nodes import node
from ygg import VTun
from ygg.integrations.httpx import YggTransport
from ygg.network import LoopbackNetwork
from ygg.simulation import VirtualLoop
from ygg.stream.memory import MemoryTransport
from ygg_c.base.sodium import SeededRandom

BODY = bytes(range(256)) * 2000
PEER = "tcp://127.0.0.1:7000"
PEERS = [f"tcp://127.0.0.1:{port}" for port in range(7000, 7012)]


async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request of HTTP/1.1."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


def life(seed: int, monkeypatch: pytest.MonkeyPatch) -> tuple[list[tuple[float, bytes]], bytes, float]:
    """Let two nodes meet, part, and meet again; return what they wrote on links and when, a capture, and the end."""
    written: list[tuple[float, bytes]] = []
    captured = io.BytesIO()
    write = MemoryTransport.write

    def noted(self: MemoryTransport, data: bytes) -> None:
        written.append((asyncio.get_running_loop().time(), bytes(data)))
        write(self, data)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        network = LoopbackNetwork()
        options = [{"clock": loop.clock, "random": SeededRandom((seed, side))} for side in (1, 2)]
        async with node(1, network, **options[0]) as one, node(2, network, **options[1]) as two:
            listener = await one.listen(PEER)
            two.add_peer(PEER)
            async with VTun.over(one) as server, VTun.over(two) as client:
                with client.capture(captured):
                    await server.start_server(serve_one, None, 80)
                    async with httpx.AsyncClient(transport=YggTransport(client), timeout=60) as http:
                        answer = await http.get(f"http://[{one.address}]/")
                    assert answer.content == BODY
                    two.remove_peer(PEER)
                    listener.close()
                    two.add_peer(PEER)
                    await asyncio.sleep(3600)       # attempts, with pauses that chance makes differ
                    await one.listen(PEER)
                    two.retry_peers_now()
                    assert await client.ping(str(one.address), timeout=30) < 0.1

    with monkeypatch.context() as patched, asyncio.Runner(loop_factory=VirtualLoop) as runner:
        patched.setattr(MemoryTransport, "write", noted)
        runner.run(main())
        end = runner.get_loop().time()
    return written, captured.getvalue(), end


def test_a_seed_settles_every_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, other = (life(seed, monkeypatch) for seed in (1, 1, 2))
    assert sum(len(data) for _, data in first[0]) > len(BODY)
    assert first[2] > 3600
    assert first == second
    assert first[0] != other[0]


def outages(seed: int) -> list[tuple[float, str]]:
    """Keep many peers up over a network that goes down and comes up; return when each link changed, in order."""
    told: list[tuple[float, str]] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append((asyncio.get_running_loop().time(), record.getMessage()))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        network = LoopbackNetwork()
        options = [{"clock": loop.clock, "random": SeededRandom((seed, side))} for side in (1, 2)]
        async with node(1, network, **options[0]) as one, node(2, network, **options[1]) as two:
            for peer in PEERS:
                two.add_peer(peer)
            for _ in range(3):
                for peer in PEERS:
                    await one.listen(peer)
                await asyncio.sleep(60)
                network.down()
                await asyncio.sleep(20)
                network.up()

    log, handler = logging.getLogger("ygg.links"), Listening()
    log.addHandler(handler)
    try:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(main())
    finally:
        log.removeHandler(handler)
    return told


def test_a_seed_settles_what_an_outage_breaks_first(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "ygg.links")
    first, second = outages(1), outages(1)
    assert sum("Link down" in text for _, text in first) > len(PEERS)
    assert first == second
