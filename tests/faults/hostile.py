"""Those a node cannot trust: a neighbour that speaks what a test tells it to, and a man in the middle."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from typing import Any, TypeVar

import pytest

from tests.aio import until
from tests.nodes import Stranger, manager
from ygg import Certificate, Core, Network, VTun
from ygg.node import handshake
from ygg.stream.held import take_over
from ygg.testing import private_key
from ygg.vtun import ping
from ygg_c.link import wire

T = TypeVar("T")

DUMMY, KEEPALIVE, SIG_REQ, SIG_RES, ANNOUNCE, BLOOM, LOOKUP, NOTIFY, BROKEN, TRAFFIC = range(10)
EVERYTHING = bytes(16) + b"\xff" * 16
"""A filter that leads to every key."""
FARTHEST = 2**64 - 1
"""The watermark of a message that has not been on its way yet."""


class Impostor(Stranger):
    """A node's neighbour that does what a test tells it to, save that it answers signature requests: it is proven."""

    KEY = private_key(99)

    def __init__(self, number: int = 99) -> None:
        super().__init__()
        self.private = private_key(number)
        self.key = self.private.public_key
        self.node = b""
        """The key of the node at the other end, once its handshake is here."""
        self.heard: Counter[int] = Counter()
        """Frames received, by type."""
        self.signed: list[dict[str, Any]] = []
        """Signatures received."""
        self.answering = True
        """Whether it says by itself what a neighbour must."""

    @classmethod
    async def linked(cls, network: Network, url: str, number: int = 99) -> "Impostor":
        """Dial a node and shake hands with it."""
        impostor = cls(number)
        impostor.transport = await manager(network, Certificate(impostor.private)).dial(url)
        take_over(impostor.transport, impostor)
        impostor.transport.write(handshake.encode(impostor.private, 0))
        return impostor

    def data_received(self, data: bytes) -> None:
        self.data += data
        if not self.node:
            if len(self.data) < handshake.SIZE:
                return
            self.node, self.data = self.data[22:54], self.data[handshake.SIZE :]
        for frame in take_frames(self):
            kind, body = parts(frame)
            self.heard[kind] += 1
            if self.answering and kind not in (DUMMY, KEEPALIVE):
                self.frame(KEEPALIVE)
            if kind == SIG_RES:
                self.signed.append(wire.decode(SIG_RES, body))
            if kind == SIG_REQ and self.answering:
                request = wire.decode(SIG_REQ, body)
                signed = wire.encode_tree_bytes(self.node, self.key, request["seq"], request["nonce"], 1)
                self.say(SIG_RES, **request, port=1, psig=self.private.sign(signed))

    def say(self, kind: int, **fields: Any) -> None:
        """Send a message."""
        self.frame(kind, wire.encode(kind, **fields))

    def frame(self, kind: int, body: bytes = b"") -> None:
        """Send a frame of any type with any body."""
        self.transport.write(wire.encode_frame(kind, body))

    async def proven(self) -> None:
        """Return once the node has asked for a signature, been answered, and has seen the answer."""
        await until(lambda: self.heard[SIG_REQ])
        await self.roundtrip()

    async def become_child(self) -> int:
        """Take the node for parent in the tree; return the port it gives us."""
        self.signed.clear()
        await self.roundtrip()
        response = self.signed.pop()
        record = {"node": self.key, "parent": self.node} | response
        names = ("node", "parent", "seq", "nonce", "port")
        own = self.private.sign(wire.encode_tree_bytes(*[record[name] for name in names]))
        self.say(ANNOUNCE, **record, sig=own)
        return int(response["port"])

    async def roundtrip(self) -> None:
        """Return once the node has dealt with everything sent so far."""
        before = self.heard[SIG_RES]
        self.say(SIG_REQ, seq=1, nonce=before)
        await until(lambda: self.heard[SIG_RES] > before)


class Clock:
    """Has the nodes' clocks run ahead of the real one as far as a test likes: seconds pass in milliseconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = 0
        monkeypatch.setattr(ping, "INTERVAL", 0.01)

    async def passes(self, *cores: Core) -> None:
        """Let a twentieth of a second pass."""
        self.ahead += 50_000_000
        for core in cores:
            core.clock.advance(50_000_000)
            assert core.engine.on_work is not None
            core.engine.on_work()
        await asyncio.sleep(0.001)

    async def until(self, condition: Callable[[], object], *cores: Core) -> None:
        """Let time pass until `condition()` is true."""
        while not condition():
            await self.passes(*cores)

    async def during(self, coro: Coroutine[Any, Any, T], *cores: Core) -> T:
        """Let time pass until `coro` is done; return its result."""
        task = asyncio.ensure_future(coro)
        await self.until(task.done, *cores)
        return await task

    async def reaches(self, vtun: VTun, *cores: Core) -> None:
        """Let time pass until a ping from `vtun` to the last of `cores` is answered."""
        await self.during(vtun.ping(str(cores[-1].address), timeout=None), *cores)


class _Half(Stranger):
    """One of the two connections of a man in the middle."""

    other: "_Half"

    def __init__(self, side: int, middle: "Middle") -> None:
        super().__init__()
        self.side, self.middle = side, middle
        self.met = False

    def data_received(self, data: bytes) -> None:
        self.data += data
        if not self.met:
            if len(self.data) < handshake.SIZE:
                return
            self.met = True
            self.other.transport.write(self.data[: handshake.SIZE])
            self.data = self.data[handshake.SIZE :]
        for frame in take_frames(self):
            for changed in self.middle.meddle(self.side, frame):
                self.other.transport.write(changed)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.other.transport.close()


class Middle:
    """Stands between two nodes: every frame of theirs passes through `meddle(side, frame)`, which gives what goes on.

    `side` is 0 for what the dialer sends. At first everything goes on as it came.
    """

    def __init__(self) -> None:
        self.meddle: Callable[[int, bytes], Iterable[bytes]] = lambda side, frame: (frame,)
        self.halves: list[_Half] = []

    async def join(self, network: Network, dialer: Core, url: str) -> None:
        """Have `dialer` call us, and call `url` for it."""
        listener = await network.listen_stream("127.0.0.1", 0)
        call = asyncio.ensure_future(dialer.call_peer(f"tcp://{listener.address}"))
        self.halves = [_Half(0, self), _Half(1, self)]
        self.halves[0].other, self.halves[1].other = self.halves[1], self.halves[0]
        self.halves[1].transport = await manager(network).dial(url)
        self.halves[0].transport, _ = await listener.accept()
        listener.close()
        for half in self.halves:
            take_over(half.transport, half)
        await call

    def inject(self, side: int, data: bytes) -> None:
        """Send bytes as if `side` had sent them."""
        self.halves[side].other.transport.write(data)


def take_frames(stranger: Stranger) -> list[bytes]:
    """Take the whole frames out of what a stranger has received."""
    found, data, at = [], stranger.data, 0
    with contextlib.suppress(ValueError):
        while at < len(data):
            length, start = wire.decode_uv(data[at : at + 10])
            if at + start + length > len(data):
                break
            found.append(data[at : at + start + length])
            at += start + length
    stranger.data = data[at:]
    return found


def parts(frame: bytes) -> tuple[int, bytes]:
    """Return type and body of a frame."""
    _, start = wire.decode_uv(frame)
    return frame[start], frame[start + 1 :]


def ipv6(source: bytes, target: bytes, next_header: int, content: bytes) -> bytes:
    """Return an IPv6 packet."""
    return b"\x60\0\0\0" + len(content).to_bytes(2) + bytes((next_header, 64)) + source + target + content


def summed(source: bytes, target: bytes, next_header: int, content: bytes, at: int) -> bytes:
    """Return an upper-layer packet with its checksum put in at offset `at` (RFC 8200, section 8.1)."""
    data = source + target + len(content).to_bytes(4) + bytes((0, 0, 0, next_header)) + content + b"\0"
    total = sum(int.from_bytes(data[index : index + 2]) for index in range(0, len(data) - 1, 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return content[:at] + (~total & 0xFFFF).to_bytes(2) + content[at + 2 :]


def tcp(source: bytes, target: bytes, ports: tuple[int, int], flags: int, seq: int = 1, ack: int = 0) -> bytes:
    """Return an IPv6 packet with a TCP segment without data."""
    segment = ports[0].to_bytes(2) + ports[1].to_bytes(2) + seq.to_bytes(4) + ack.to_bytes(4)
    segment += bytes((0x50, flags)) + (65535).to_bytes(2) + bytes(4)
    return ipv6(source, target, 6, summed(source, target, 6, segment, 16))


def udp(source: bytes, target: bytes, ports: tuple[int, int], data: bytes) -> bytes:
    """Return an IPv6 packet with a UDP datagram."""
    datagram = ports[0].to_bytes(2) + ports[1].to_bytes(2) + (8 + len(data)).to_bytes(2) + bytes(2) + data
    return ipv6(source, target, 17, summed(source, target, 17, datagram, 6))


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes, to its end."""
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def asks(vtun: VTun, address: object, port: int, data: bytes = b"ping") -> bytes:
    """Return what an echo server answers over a connection of its own."""
    reader, writer = await vtun.open_connection(str(address), port)
    try:
        writer.write(data)
        writer.write_eof()
        return await reader.read()
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def tunnels(*cores: Core, port: int = 7) -> AsyncIterator[list[VTun]]:
    """Give each node a VTun with an echo server on `port`."""
    async with contextlib.AsyncExitStack() as stack:
        made = [await stack.enter_async_context(VTun.over(core)) for core in cores]
        for vtun in made:
            await vtun.start_server(echo, port=port)
        yield made
