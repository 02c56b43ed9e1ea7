"""Checks of names, ports and listeners: which there are, which are refused, and what closing one does."""

import asyncio

from ygg.errors import AddressInUse, AddressNotAvailable, ConnectionRefused, ListenerClosed, URLError
from ygg.network.streams import open_connection, serving, streams
from ygg.testing.conformance.endpoints import echo, hang_up, port_of, shut
from ygg.testing.conformance.expecting import ensure, equal, fails
from ygg.testing.conformance.subject import Check, Subject


async def refusal(subject: Subject) -> None:
    """A dial to a port without a listener fails at once with a ygg error that is a ConnectionError."""
    listener = await subject.listening.listen_stream(subject.host, 0)
    port = port_of(listener)
    await shut(listener)
    kind: tuple[type[Exception], ...] = (ConnectionRefused,) if subject.server is None else (ConnectionError,)
    await fails(subject.network.connect_stream(subject.host, port), *kind)


async def bad_names_and_ports(subject: Subject) -> None:
    """Names without addresses, ports out of range, addresses of others."""
    await fails(subject.network.connect_stream(subject.unknown, 1), OSError)
    for port in (-1, 65536):
        await fails(subject.network.connect_stream(subject.host, port), URLError)
        await fails(subject.listening.listen_stream(subject.host, port), URLError)
    if subject.foreign is not None:
        await fails(subject.listening.listen_stream(subject.foreign, 0), AddressNotAvailable)


async def ports_are_exclusive_and_come_back(subject: Subject) -> None:
    """A port is taken while a listener has it, and free when that is closed."""
    listener = await subject.listening.listen_stream(subject.host, 0)
    port = port_of(listener)
    await fails(subject.listening.listen_stream(subject.host, port), AddressInUse)
    await shut(listener)
    again = await subject.listening.listen_stream(subject.host, port)
    equal(port_of(again), port)
    await shut(again)


async def wildcard_bind(subject: Subject) -> None:
    """A listener on every address is reached at this one."""
    if subject.wildcard is None:
        return
    async with serving(subject.listening, echo, subject.wildcard) as listener:
        reader, writer = await open_connection(subject.network, subject.host, port_of(listener))
        writer.write(b"x\n")
        equal(await reader.readline(), b"x\n")
        await hang_up(writer)


async def closed_listener(subject: Subject) -> None:
    """Closing ends a waiting `accept()`, and what was accepted before lives on."""
    listener = await subject.listening.listen_stream(subject.host, 0)
    client = await subject.network.connect_stream(subject.host, port_of(listener))
    server, _ = await listener.accept()
    waiting = asyncio.ensure_future(listener.accept())
    await asyncio.sleep(0)
    listener.close()
    listener.close()
    await listener.wait_closed()
    ensure(listener.is_closing(), "the listener is not closing")
    await fails(waiting, ListenerClosed)
    await fails(listener.accept(), ListenerClosed)
    (_, writer), (reader, other) = streams(client), streams(server)
    writer.write(b"still here\n")
    equal(await reader.readline(), b"still here\n")
    await hang_up(writer)
    await hang_up(other)


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
    client = await subject.network.connect_stream(subject.host, port_of(listener))
    server, _ = await listener.accept()
    await shut(listener, client, server)


CHECKS: list[Check] = [
    refusal, bad_names_and_ports, ports_are_exclusive_and_come_back, wildcard_bind, closed_listener,
    cancelled_accept,
]
"""In the order of this file."""
