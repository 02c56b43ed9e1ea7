"""Checks of connections: bytes both ways, held back and given up, ends of a direction, names of the ends."""

import asyncio
import hashlib

from ygg.errors import YggError
from ygg.network.base import Listener
from ygg.network.streams import open_connection, serving, streams
from ygg.testing.conformance.endpoints import echo, hang_up, port_of, shut
from ygg.testing.conformance.expecting import ensure, equal, gives_up
from ygg.testing.conformance.subject import Check, Subject


async def stream_ping_pong(subject: Subject) -> None:
    """Many connections at once, each answered with its own bytes."""

    async def client(number: int, port: int) -> None:
        reader, writer = await open_connection(subject.network, subject.host, port)
        for turn in range(6):
            message = f"{number}:{turn}\n".encode()
            writer.write(message)
            equal(await reader.readline(), message)
        await hang_up(writer)

    async with serving(subject.listening, echo, subject.host) as listener:
        await asyncio.gather(*(client(number, port_of(listener)) for number in range(16)))


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
        reader, writer = await open_connection(subject.network, subject.host, port_of(listener))
        for _ in range(total // len(block)):
            writer.write(block)
            sent.update(block)
            await writer.drain()
            most = max(most, writer.transport.get_write_buffer_size())
        writer.write_eof()
        equal(await reader.read(), sent.digest())
        await hang_up(writer)
    ensure(most <= 1024 * 1024, f"write buffer grew to {most} bytes")


async def deadlines(subject: Subject) -> None:
    """Reading and writing given up at a deadline lose nothing, and a dial that finds no room ends in time."""
    listener = await subject.listening.listen_stream(subject.host, 0, backlog=1)
    client = await subject.network.connect_stream(subject.host, port_of(listener))
    server, _ = await listener.accept()
    (reader, writer), (other_reader, other) = streams(client), streams(server)
    ensure(await gives_up(reader.read(1)), "read something that was not sent")
    size, block = 0, bytes(64 * 1024)
    while size < 64 * 1024 * 1024:
        writer.write(block)
        size += len(block)
        if await gives_up(writer.drain()):
            break
    else:
        raise AssertionError("a writer is never held back")
    for _ in range(size // len(block)):
        await other_reader.readexactly(len(block))
    await writer.drain()
    other.write(b"answer")
    equal(await reader.readexactly(6), b"answer")
    if not subject.network.dial_allowance:
        await _fill(subject, listener)
    await shut(listener, client, server)


async def _fill(subject: Subject, listener: Listener) -> None:
    """Dial a listener of backlog 1 that accepts nothing until it takes no more."""
    dialed = []
    try:
        async with asyncio.timeout(5):
            for _ in range(64):
                dialed.append(await subject.network.connect_stream(subject.host, port_of(listener), timeout=0.05))
    except OSError as error:
        ensure(isinstance(error, YggError), f"{error!r} is no YggError")
        return
    finally:
        for transport in dialed:
            transport.abort()
    raise AssertionError("a listener of backlog 1 took 64 connections that were not accepted")


async def half_close(subject: Subject) -> None:
    """The end of one direction leaves the other open."""

    async def answer_at_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = await reader.read()
        await asyncio.sleep(0)
        writer.write(b"answer to " + question)
        await writer.drain()

    async with serving(subject.listening, answer_at_the_end, subject.host) as listener:
        reader, writer = await open_connection(subject.network, subject.host, port_of(listener))
        writer.write(b"question")
        writer.write_eof()
        equal(await reader.read(), b"answer to question")
        await hang_up(writer)


async def names_of_both_ends(subject: Subject) -> None:
    """The listener's address, the port dialed, and the remote address told by `accept()` fit together."""
    listener = await subject.listening.listen_stream(subject.host, 0)
    client = await subject.network.connect_stream(subject.host, port_of(listener))
    server, remote = await listener.accept()
    try:
        equal(server.get_extra_info("sockname")[1], port_of(listener))
        if subject.server is None:
            name = client.get_extra_info("sockname")
            ensure(remote.endswith(f":{name[1]}"), f"remote {remote} is not {name}")
    finally:
        await shut(listener, client, server)


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
        reader, writer = await open_connection(subject.network, subject.host, port_of(listener))
        for path, connection in ((b"/one", b"keep-alive"), (b"/two", b"close")):
            writer.write(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: %s\r\n\r\n" % (path, connection))
            head = await reader.readuntil(b"\r\n\r\n")
            ensure(head.startswith(b"HTTP/1.1 200"), repr(head))
            equal(await reader.readexactly(len(path)), path)
        equal(await reader.read(), b"")
        await hang_up(writer)


CHECKS: list[Check] = [stream_ping_pong, bulk_with_backpressure, deadlines, half_close, names_of_both_ends, http]
"""In the order of this file."""
