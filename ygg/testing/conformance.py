"""What every network must do, as checks to run on one of your own.

::

    subject = Subject(MyNetwork(), "127.0.0.1")
    for check in CHECKS:
        await check(subject)

A check raises `AssertionError` with what went wrong, or the error it did not expect. `pytest.mark.parametrize("check",
CHECKS)` makes a test of each.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ygg.errors import (
    AddressInUse,
    AddressNotAvailable,
    ConnectionRefused,
    ListenerClosed,
    MessageTooBig,
    NetworkDown,
    URLError,
    YggError,
)
from ygg.network.base import Listener, Network
from ygg.network.streams import open_connection, serving, streams


@dataclass(frozen=True, slots=True)
class Subject:
    """A network to be checked, and what there is to check it with."""

    network: Network
    """The network that dials."""
    host: str
    """An address at which `server` can listen and that `network` reaches."""
    server: Network | None = None
    """The network that listens when `network` cannot, as behind a proxy."""
    wildcard: str | None = ""
    """A host that binds all addresses of `server`; `None` when it has no such thing."""
    foreign: str | None = "203.0.113.1"
    """An address that is not `server`'s; `None` when any will do."""
    unknown: str = "no-such-host.invalid"
    """A name without addresses."""
    datagrams: bool = True
    """Whether it has datagrams."""

    @property
    def listening(self) -> Network:
        """The network that listens."""
        return self.server or self.network


Check = Callable[[Subject], Awaitable[None]]
"""One check: returns when the network does it right, else raises."""
CHECKS: list[Check] = []
"""All checks, independent of each other; each leaves the network up and nothing behind."""


def _check(check: Check) -> Check:
    CHECKS.append(check)
    return check


@_check
async def stream_ping_pong(subject: Subject) -> None:
    """Many connections at once, each answered with its own bytes."""

    async def client(number: int, port: int) -> None:
        reader, writer = await open_connection(subject.network, subject.host, port)
        for turn in range(6):
            message = f"{number}:{turn}\n".encode()
            writer.write(message)
            _equal(await reader.readline(), message)
        await _hang_up(writer)

    async with serving(subject.listening, _echo, subject.host) as listener:
        await asyncio.gather(*(client(number, _port(listener)) for number in range(16)))


@_check
async def bulk_with_backpressure(subject: Subject) -> None:
    """Megabytes through a reader slower than its writer: nothing lost, and the writer held back."""
    total, block = 4 * 1024 * 1024, bytes(range(256)) * 256
    received = hashlib.sha256()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100_000):
            received.update(data)
            await asyncio.sleep(0)
        writer.write(received.digest())
        await writer.drain()

    most = 0
    sent = hashlib.sha256()
    async with serving(subject.listening, slow, subject.host) as listener:
        reader, writer = await open_connection(subject.network, subject.host, _port(listener))
        for _ in range(total // len(block)):
            writer.write(block)
            sent.update(block)
            await writer.drain()
            most = max(most, writer.transport.get_write_buffer_size())
        writer.write_eof()
        _equal(await reader.read(), sent.digest())
        await _hang_up(writer)
    _true(most <= 1024 * 1024, f"write buffer grew to {most} bytes")


@_check
async def deadlines(subject: Subject) -> None:
    """Reading and writing given up at a deadline lose nothing, and a dial that finds no room ends in time."""
    listener = await subject.listening.listen_stream(subject.host, 0, backlog=1)
    client = await subject.network.connect_stream(subject.host, _port(listener))
    server, _ = await listener.accept()
    (reader, writer), (other_reader, other) = streams(client), streams(server)
    _true(await _gives_up(reader.read(1)), "read something that nobody sent")
    size, block = 0, bytes(64 * 1024)
    while size < 64 * 1024 * 1024:
        writer.write(block)
        size += len(block)
        if await _gives_up(writer.drain()):
            break
    else:
        raise AssertionError("a writer is never held back")
    for _ in range(size // len(block)):
        await other_reader.readexactly(len(block))
    await writer.drain()
    other.write(b"answer")
    _equal(await reader.readexactly(6), b"answer")
    if not subject.network.dial_allowance:
        await _fill(subject, listener)
    await _shut(listener, client, server)


async def _fill(subject: Subject, listener: Listener) -> None:
    """Dial a listener of backlog 1 that accepts nothing until it takes no more."""
    dialed = []
    try:
        async with asyncio.timeout(5):
            for _ in range(64):
                dialed.append(await subject.network.connect_stream(subject.host, _port(listener), timeout=0.05))
    except OSError as error:
        _true(isinstance(error, YggError), f"{error!r} is no YggError")
        return
    finally:
        for transport in dialed:
            transport.abort()
    raise AssertionError("a listener of backlog 1 took 64 connections that nobody accepted")


@_check
async def half_close(subject: Subject) -> None:
    """The end of one direction leaves the other open."""

    async def answer_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = await reader.read()
        await asyncio.sleep(0)
        writer.write(b"answer to " + question)
        await writer.drain()

    async with serving(subject.listening, answer_at_the_end, subject.host) as listener:
        reader, writer = await open_connection(subject.network, subject.host, _port(listener))
        writer.write(b"question")
        writer.write_eof()
        _equal(await reader.read(), b"answer to question")
        await _hang_up(writer)


@_check
async def names_of_both_ends(subject: Subject) -> None:
    """The listener's address, the port dialed, and the remote address told by `accept()` fit together."""
    listener = await subject.listening.listen_stream(subject.host, 0)
    client = await subject.network.connect_stream(subject.host, _port(listener))
    server, remote = await listener.accept()
    try:
        _equal(server.get_extra_info("sockname")[1], _port(listener))
        if subject.server is None:
            name = client.get_extra_info("sockname")
            _true(remote.endswith(f":{name[1]}"), f"remote {remote} is not {name}")
    finally:
        await _shut(listener, client, server)


@_check
async def http(subject: Subject) -> None:
    """Requests on one kept-alive connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b"":
            path = head.split(b" ", 2)[1]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path))
            await writer.drain()
            if b"close" in head:
                return

    async with serving(subject.listening, serve, subject.host) as listener:
        reader, writer = await open_connection(subject.network, subject.host, _port(listener))
        for path, connection in ((b"/one", b"keep-alive"), (b"/two", b"close")):
            writer.write(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: %s\r\n\r\n" % (path, connection))
            head = await reader.readuntil(b"\r\n\r\n")
            _true(head.startswith(b"HTTP/1.1 200"), repr(head))
            _equal(await reader.readexactly(len(path)), path)
        _equal(await reader.read(), b"")
        await _hang_up(writer)


@_check
async def refusal(subject: Subject) -> None:
    """A dial to a port nobody listens at fails at once with a ygg error that is a ConnectionError."""
    listener = await subject.listening.listen_stream(subject.host, 0)
    port = _port(listener)
    await _shut(listener)
    kind: tuple[type[Exception], ...] = (ConnectionRefused,) if subject.server is None else (ConnectionError,)
    await _fails(subject.network.connect_stream(subject.host, port), *kind)


@_check
async def bad_names_and_ports(subject: Subject) -> None:
    """Names without addresses, ports out of range, addresses of others."""
    await _fails(subject.network.connect_stream(subject.unknown, 1), OSError)
    for port in (-1, 65536):
        await _fails(subject.network.connect_stream(subject.host, port), URLError)
        await _fails(subject.listening.listen_stream(subject.host, port), URLError)
    if subject.foreign is not None:
        await _fails(subject.listening.listen_stream(subject.foreign, 0), AddressNotAvailable)


@_check
async def ports_are_exclusive_and_come_back(subject: Subject) -> None:
    """A port is taken while a listener has it, and free when that is closed."""
    listener = await subject.listening.listen_stream(subject.host, 0)
    port = _port(listener)
    await _fails(subject.listening.listen_stream(subject.host, port), AddressInUse)
    await _shut(listener)
    again = await subject.listening.listen_stream(subject.host, port)
    _equal(_port(again), port)
    await _shut(again)


@_check
async def wildcard_bind(subject: Subject) -> None:
    """A listener on every address is reached at this one."""
    if subject.wildcard is None:
        return
    async with serving(subject.listening, _echo, subject.wildcard) as listener:
        reader, writer = await open_connection(subject.network, subject.host, _port(listener))
        writer.write(b"x\n")
        _equal(await reader.readline(), b"x\n")
        await _hang_up(writer)


@_check
async def closed_listener(subject: Subject) -> None:
    """Closing ends a waiting `accept()`, and what was accepted before lives on."""
    listener = await subject.listening.listen_stream(subject.host, 0)
    client = await subject.network.connect_stream(subject.host, _port(listener))
    server, _ = await listener.accept()
    waiting = asyncio.ensure_future(listener.accept())
    await asyncio.sleep(0)
    listener.close()
    listener.close()
    await listener.wait_closed()
    _true(listener.is_closing(), "the listener is not closing")
    await _fails(waiting, ListenerClosed)
    await _fails(listener.accept(), ListenerClosed)
    (_, writer), (reader, other) = streams(client), streams(server)
    writer.write(b"still here\n")
    _equal(await reader.readline(), b"still here\n")
    await _hang_up(writer)
    await _hang_up(other)


@_check
async def cancelled_accept(subject: Subject) -> None:
    """An `accept()` that gives up loses no connection."""
    listener = await subject.listening.listen_stream(subject.host, 0)
    try:
        async with asyncio.timeout(0.01):
            await listener.accept()
    except TimeoutError:
        pass
    waiting = asyncio.ensure_future(listener.accept())
    await asyncio.sleep(0)
    waiting.cancel()
    client = await subject.network.connect_stream(subject.host, _port(listener))
    server, _ = await listener.accept()
    await _shut(listener, client, server)


@_check
async def down_and_up(subject: Subject) -> None:
    """Going down breaks listeners and connections and refuses dials; coming up starts afresh."""
    network = subject.network
    listener = await subject.listening.listen_stream(subject.host, 0)
    client = await network.connect_stream(subject.host, _port(listener))
    server, _ = await listener.accept()
    (reader, writer), (_, other) = streams(client), streams(server)
    port = await _port_of_datagrams(subject) if subject.datagrams else None
    network.down()
    _true(not network.is_up, "the network is still up")
    await _ends(reader)
    if port is not None:
        async with asyncio.timeout(5):
            await port.closed
        await _fails(_port_of_datagrams(subject), NetworkDown)
    await _fails(network.connect_stream(subject.host, _port(listener)), NetworkDown)
    if subject.server is None:
        _true(listener.is_closing(), "the listener is still open")
        await _fails(network.listen_stream(subject.host, 0), NetworkDown)
    network.up()
    await _shut(listener)
    await _hang_up(writer)
    await _hang_up(other)
    await half_close(subject)


@_check
async def down_during_a_dial(subject: Subject) -> None:
    """Going down ends a dial that nobody has answered yet, at once."""
    listener = await subject.listening.listen_stream(subject.host, 0, backlog=1)
    dialed: list[asyncio.Transport] = []
    dial = await _unanswered(subject, listener, dialed)
    subject.network.down()
    if dial is not None:
        await _fails(dial, NetworkDown)
    subject.network.up()
    await _shut(listener, *dialed)


async def _unanswered(
    subject: Subject, listener: Listener, dialed: list[asyncio.Transport]
) -> asyncio.Future[asyncio.Transport] | None:
    """Return a dial that waits for a listener of backlog 1, or None where it is refused instead."""
    for _ in range(64):
        dial = asyncio.ensure_future(subject.network.connect_stream(subject.host, _port(listener), timeout=30))
        await asyncio.wait({dial}, timeout=0.05)
        if not dial.done():
            return dial
        if dial.exception() is not None:
            break
        dialed.append(dial.result())
    return None


@_check
async def datagram_ping_pong(subject: Subject) -> None:
    """Datagrams of all sizes cross whole, both ways, on many ports at once."""
    if not subject.datagrams:
        return
    server, echo = await subject.listening.create_datagram_endpoint(_Datagrams, (subject.host, 0))
    echo.echo = True
    port = server.get_extra_info("sockname")[1]

    async def client(size: int) -> None:
        transport, protocol = await subject.network.create_datagram_endpoint(
            _Datagrams, remote_addr=(subject.host, port)
        )
        payload = size.to_bytes(4, "big") + bytes(size)
        for _ in range(20):
            transport.sendto(payload)
            _equal(await protocol.get(), payload)
        transport.close()
        await protocol.closed

    await asyncio.gather(*map(client, range(0, 1200, 100)))
    server.close()
    await echo.closed


@_check
async def datagrams_to_nobody(subject: Subject) -> None:
    """A connected datagram port is told that nobody listens, and works on."""
    if not subject.datagrams:
        return
    server, gone = await subject.listening.create_datagram_endpoint(_Datagrams, (subject.host, 0))
    address = (subject.host, server.get_extra_info("sockname")[1])
    server.close()
    await gone.closed
    transport, protocol = await subject.network.create_datagram_endpoint(_Datagrams, remote_addr=address)
    transport.sendto(b"anyone?")
    _true(isinstance(await protocol.error, ConnectionRefused), "not refused")
    _true(not transport.is_closing(), "the port closed")
    transport.close()
    await protocol.closed


@_check
async def oversized_datagrams(subject: Subject) -> None:
    """A datagram larger than any can be is told as `MessageTooBig`, and the port works on."""
    if not subject.datagrams:
        return
    server, arrivals = await subject.listening.create_datagram_endpoint(_Datagrams, (subject.host, 0))
    address = (subject.host, server.get_extra_info("sockname")[1])
    transport, protocol = await subject.network.create_datagram_endpoint(_Datagrams, remote_addr=address)
    transport.sendto(bytes(65536))
    async with asyncio.timeout(5):
        error = await protocol.error
    _true(isinstance(error, MessageTooBig), f"expected MessageTooBig, got {error!r}")
    transport.sendto(b"small enough")
    _equal(await arrivals.get(), b"small enough")
    for port, ending in ((transport, protocol), (server, arrivals)):
        port.close()
        await ending.closed


@_check
async def datagram_errors(subject: Subject) -> None:
    """Names without addresses, ports out of range, addresses of others, ends of two families."""
    if not subject.datagrams:
        return
    network, here = subject.network, (subject.host, 1)
    await _fails(network.create_datagram_endpoint(_Datagrams, remote_addr=(subject.unknown, 1)), OSError)
    for port in (-1, 65536):
        await _fails(network.create_datagram_endpoint(_Datagrams, remote_addr=(subject.host, port)), URLError)
        await _fails(network.create_datagram_endpoint(_Datagrams, ("", port), here), URLError)
    if subject.foreign is not None:
        await _fails(network.create_datagram_endpoint(_Datagrams, (subject.foreign, 0)), AddressNotAvailable)
    (address, *_) = await network.resolve(subject.host)
    other = "127.0.0.1" if ":" in address else "::1"
    await _fails(network.create_datagram_endpoint(_Datagrams, (other, 0), here), OSError)


@_check
async def datagrams_from_every_address(subject: Subject) -> None:
    """A port bound to every address reaches, and is reached by, one of either kind of end."""
    if not subject.datagrams:
        return
    server, echo = await subject.listening.create_datagram_endpoint(_Datagrams, (subject.host, 0))
    echo.echo = True
    remote = (subject.host, server.get_extra_info("sockname")[1])
    transport, protocol = await subject.network.create_datagram_endpoint(_Datagrams, ("", 0), remote)
    transport.sendto(b"from anywhere")
    _equal(await protocol.get(), b"from anywhere")
    for port, ended in ((transport, protocol), (server, echo)):
        port.close()
        await ended.closed


async def _port_of_datagrams(subject: Subject) -> "_Datagrams":
    """Return the protocol of a datagram port of the network that dials."""
    _, protocol = await subject.network.create_datagram_endpoint(_Datagrams, ("", 0))
    return protocol


class _Datagrams(asyncio.DatagramProtocol):
    """Keeps or echoes what arrives."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.echo = False
        self.arrived: asyncio.Queue[bytes] = asyncio.Queue()
        self.error: asyncio.Future[Exception] = loop.create_future()
        self.closed: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if self.echo:
            self.transport.sendto(data, addr)
        else:
            self.arrived.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        if not self.error.done():
            self.error.set_result(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set_result(None)

    async def get(self) -> bytes:
        async with asyncio.timeout(5):
            return await self.arrived.get()


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def _ends(reader: asyncio.StreamReader) -> None:
    """See a stream end, cleanly or not."""
    try:
        async with asyncio.timeout(5):
            _equal(await reader.read(), b"")
    except ConnectionError:
        pass


async def _gives_up(what: Awaitable[object]) -> bool:
    """Wait for something a little while; tell whether it was not over then."""
    try:
        async with asyncio.timeout(0.01):
            await what
    except TimeoutError:
        return True
    return False


async def _fails(what: Awaitable[object], *kinds: type[Exception]) -> None:
    try:
        async with asyncio.timeout(5):
            got = await what
    except kinds as error:
        _true(isinstance(error, YggError), f"{error!r} is no YggError")
        return
    raise AssertionError(f"expected {' or '.join(kind.__name__ for kind in kinds)}, got {got!r}")


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        pass


async def _shut(listener: Listener, *transports: asyncio.Transport) -> None:
    listener.close()
    await listener.wait_closed()
    for transport in transports:
        transport.abort()
    await asyncio.sleep(0.001)


def _port(listener: Listener) -> int:
    return int(listener.address.rpartition(":")[2])


def _equal(got: object, expected: object) -> None:
    _true(got == expected, f"expected {expected!r:.200}, got {got!r:.200}")


def _true(condition: bool, text: str) -> None:
    if not condition:
        raise AssertionError(text)
