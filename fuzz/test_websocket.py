"""Whatever a WebSocket peer sends, before the handshake or after, either side ends with bytes or a ConnectionError."""

import asyncio
import base64
import hashlib

from hypothesis import given
from hypothesis import strategies as st

from tests.aio import run
from ygg.errors import YggError
from ygg.network import LoopbackNetwork
from ygg.network.streams import open_connection, serving, streams
from ygg.transport import TransportManager, WSTransport

REQUEST = (
    b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ygg-ws\r\n\r\n"
)
ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Protocol: ygg-ws\r\nSec-WebSocket-Accept: %s\r\n\r\n"
)
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

frames = st.lists(
    st.builds(
        lambda head, length, body: bytes([head, length]) + body,
        st.integers(0, 255) | st.sampled_from([0x82, 0x02, 0x80, 0x88, 0x89, 0x8A]),
        st.integers(0, 255) | st.integers(128, 132),
        st.binary(max_size=200),
    ),
    max_size=8,
).map(b"".join)
overwritten = st.builds(
    lambda place, patch: (lambda text: text[:place] + patch + text[place + len(patch) :]),
    st.integers(0, 200),
    st.binary(max_size=8),
)
headers = st.sampled_from(
    [b"Host", b"Origin", b"Upgrade", b"Connection"]
    + [b"Sec-WebSocket-" + name for name in (b"Key", b"Accept", b"Version", b"Protocol", b"Extensions")]
)
values = st.sampled_from([b"h", b"ygg-ws", b"a, ,b;=", b"permessage-deflate"]) | st.binary(max_size=9)
extended = st.builds(
    lambda lines: (lambda text: text[:-2] + b"".join(b"%s: %s\r\n" % line for line in lines) + text[-2:]),
    st.lists(st.tuples(headers, values), min_size=1, max_size=4),
)
damaged = overwritten | extended


async def drained(reader: asyncio.StreamReader) -> None:
    try:
        while await reader.read(65536):
            pass
    except ConnectionError:
        pass


@given(frames, damaged | st.none())
def test_clients(sent: bytes, damage: object) -> None:
    async def main() -> None:
        async with LoopbackNetwork() as network:
            manager = TransportManager(network)
            manager.register(WSTransport())
            listener = await manager.listen("ws://127.0.0.1:0")
            accepting = asyncio.ensure_future(listener.accept())
            reader, writer = await open_connection(network, "127.0.0.1", listener.url.require_port())
            writer.write((damage(REQUEST) if callable(damage) else REQUEST) + sent)
            writer.write_eof()
            # Once the listener has hung up it has read everything, as has the one that accepted.
            ended = asyncio.ensure_future(drained(reader))
            await asyncio.wait({ended, accepting}, return_when=asyncio.FIRST_COMPLETED)
            if accepting.done():
                other_reader, other = streams((await accepting)[0])
                await drained(other_reader)
                other.close()
            await ended
            writer.close()
            accepting.cancel()
            listener.close()
            await listener.wait_closed()

    run(main())


@given(frames, damaged | st.none())
def test_servers(sent: bytes, damage: object) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        (key,) = [line.split(b": ")[1] for line in head.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key")]
        text = ANSWER % base64.b64encode(hashlib.sha1(key + MAGIC).digest())
        writer.write((damage(text) if callable(damage) else text) + sent)
        writer.write_eof()
        await drained(reader)

    async def main() -> None:
        async with LoopbackNetwork() as network:
            manager = TransportManager(network)
            manager.register(WSTransport())
            async with serving(network, answer, "127.0.0.1") as listener:
                try:
                    dialed = await manager.dial(f"ws://{listener.address}")
                except YggError:
                    return
                reader, writer = streams(dialed)
                await drained(reader)
                writer.close()

    run(main())
