"""What every transport must do, as checks to run on one of your own over a network that you trust.

::

    subject = TransportSubject(MyTransport(), LoopbackNetwork(), "mine://127.0.0.1:0")
    for check in TRANSPORT_CHECKS:
        await check(subject)

The dialing side is the first to write in all of them: a transport such as QUIC accepts no connection before that.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ygg.errors import ListenerClosed
from ygg.network.base import Listener, Network
from ygg.network.streams import Handler, streams
from ygg.testing.conformance.endpoints import echo, hang_up, port_of, shut
from ygg.testing.conformance.expecting import ensure, equal, fails
from ygg.transport.base import DialOptions, ListenOptions, Transport
from ygg.url import PeerURL

SOON = 5.0
"""Seconds that a check waits for what must come."""

CANCELLED = 24
"""Dials that are cancelled, each one turn of the event loop later than the one before."""


@dataclass(frozen=True, slots=True)
class TransportSubject:
    """A transport to be checked, and what there is to check it with."""

    transport: Transport
    """The transport, which dials and listens."""
    network: Network
    """The network that it uses."""
    url: str
    """Where it listens: with port 0, or with none at all as `unix:///path`, which is dialed as it is."""

    async def listen(self) -> Listener:
        """Return a listener at `url`."""
        return await self.transport.listen(self.network, PeerURL.parse(self.url), ListenOptions())

    def url_of(self, listener: Listener) -> PeerURL:
        """Return the URL at which a listener is reached."""
        url = PeerURL.parse(self.url)
        return url if url.port is None else url.with_host(url.host, port_of(listener))

    async def dial(self, listener: Listener, timeout: float = SOON) -> asyncio.Transport:
        """Return a connection to a listener, held still."""
        return await self.transport.dial(self.network, self.url_of(listener), DialOptions(timeout=timeout))


TransportCheck = Callable[[TransportSubject], Awaitable[None]]
"""One check: returns when the transport does it right, else raises."""


@asynccontextmanager
async def _serving(subject: TransportSubject, handler: Handler) -> AsyncIterator[Listener]:
    # Serves each connection with a handler; what a handler raises fails the check, and ends all connections, so that
    # the check does not wait for an answer that cannot come.
    listener = await subject.listen()

    async def serve() -> None:
        async with asyncio.TaskGroup() as tasks:
            try:
                while True:
                    transport, _ = await listener.accept()
                    tasks.create_task(handle(transport))
            except ListenerClosed:
                pass
            finally:
                listener.close()

    async def handle(transport: asyncio.Transport) -> None:
        try:
            reader, writer = streams(transport)
            await handler(reader, writer)
            await hang_up(writer)
        except BaseException:
            transport.abort()
            raise

    server = asyncio.ensure_future(serve())
    try:
        yield listener
    finally:
        await shut(listener)
        async with asyncio.timeout(SOON):
            await server


async def many_connections(subject: TransportSubject) -> None:
    """Many connections at once, each answered with its own bytes."""

    async def client(number: int, listener: Listener) -> None:
        reader, writer = streams(await subject.dial(listener))
        for turn in range(6):
            message = f"{number}:{turn}\n".encode()
            writer.write(message)
            equal(await reader.readline(), message)
        await hang_up(writer)

    async with _serving(subject, echo) as listener:
        await asyncio.gather(*(client(number, listener) for number in range(16)))


async def bulk(subject: TransportSubject) -> None:
    """Megabytes through a reader slower than its writer: nothing lost, and the writer held back."""
    total, block = 2 * 1024 * 1024, bytes(range(256)) * 256
    received, sent, most = hashlib.sha256(), hashlib.sha256(), 0

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(total // 4096):
            received.update(await reader.readexactly(4096))
            await asyncio.sleep(0)
        writer.write(received.digest())
        await writer.drain()

    async with _serving(subject, slow) as listener:
        reader, writer = streams(await subject.dial(listener))
        for _ in range(total // len(block)):
            writer.write(block)
            sent.update(block)
            await writer.drain()
            most = max(most, writer.transport.get_write_buffer_size())
        equal(await reader.readexactly(32), sent.digest())
        await hang_up(writer)
    ensure(most <= 1024 * 1024, f"the write buffer grew to {most} bytes")


async def nothing_is_read_before(subject: TransportSubject) -> None:
    """What comes before a connection is taken over is read then, and nothing of it is lost."""
    listener = await subject.listen()
    accepting = asyncio.ensure_future(listener.accept())
    dialed = await subject.dial(listener)
    dialed.write(b"hello")
    async with asyncio.timeout(SOON):
        accepted, _ = await accepting
    server, writer = streams(accepted)
    writer.write(b"first words\n" * 1000)
    await asyncio.sleep(0.01)
    reader, other = streams(dialed)
    async with asyncio.timeout(SOON):
        equal(await reader.readexactly(12_000), b"first words\n" * 1000)
        equal(await server.readexactly(5), b"hello")
    await hang_up(other)
    await hang_up(writer)
    await shut(listener)


async def the_end_comes_last(subject: TransportSubject) -> None:
    """Closing one end ends the other, after all that was written before."""

    async def farewell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(5)
        writer.write(b"the end" * 10_000)
        await writer.drain()

    async with _serving(subject, farewell) as listener:
        reader, writer = streams(await subject.dial(listener))
        writer.write(b"hello")
        async with asyncio.timeout(SOON):
            equal(await reader.read(), b"the end" * 10_000)
        await hang_up(writer)


async def refusal(subject: TransportSubject) -> None:
    """A dial to where no listener is fails at once, with an `OSError` that is an error of ygg too."""
    listener = await subject.listen()
    await shut(listener)
    await fails(subject.dial(listener), OSError)


async def cancelled_dials(subject: TransportSubject) -> None:
    """A dial can be cancelled at any point of its handshake; the listener serves the next one."""

    async def patient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await echo(reader, writer)
        except OSError:
            pass  # a handshake may be over for one side alone when its dial is cancelled

    async with _serving(subject, patient) as listener:
        for turns in range(CANCELLED):
            dial = asyncio.ensure_future(subject.dial(listener))
            for _ in range(turns):
                await asyncio.sleep(0)
            dial.cancel()
            await asyncio.wait([dial])
            if not dial.cancelled():
                dial.result().abort()
            async with asyncio.timeout(SOON):
                reader, writer = streams(await subject.dial(listener))
                writer.write(b"still there?\n")
                equal(await reader.readline(), b"still there?\n")
            await hang_up(writer)


async def closed_listener(subject: TransportSubject) -> None:
    """Closing a listener ends a waiting `accept()`, and can be done twice."""
    listener = await subject.listen()
    waiting = asyncio.ensure_future(listener.accept())
    await asyncio.sleep(0)
    listener.close()
    await shut(listener)
    ensure(listener.is_closing(), "the listener is not closing")
    await fails(waiting, ListenerClosed)
    await fails(listener.accept(), ListenerClosed)


TRANSPORT_CHECKS: list[TransportCheck] = [
    many_connections, bulk, nothing_is_read_before, the_end_comes_last, refusal, cancelled_dials,
    closed_listener,
]
"""All checks, independent of each other."""
