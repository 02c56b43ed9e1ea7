"""Checks of a network that goes down, and comes up again."""

import asyncio

from ygg.errors import NetworkDown
from ygg.network.base import Listener
from ygg.network.streams import streams
from ygg.testing.conformance.endpoints import hang_up, port_of, port_of_datagrams, shut
from ygg.testing.conformance.expecting import ends, ensure, fails
from ygg.testing.conformance.streams import half_close
from ygg.testing.conformance.subject import Check, Subject


async def down_and_up(subject: Subject) -> None:
    """Going down breaks listeners and connections and refuses dials; coming up starts afresh."""
    network = subject.network
    listener = await subject.listening.listen_stream(subject.host, 0)
    client = await network.connect_stream(subject.host, port_of(listener))
    server, _ = await listener.accept()
    (reader, writer), (_, other) = streams(client), streams(server)
    port = await port_of_datagrams(subject) if subject.datagrams else None
    network.down()
    ensure(not network.is_up, "the network is still up")
    await ends(reader)
    if port is not None:
        async with asyncio.timeout(5):
            await port.closed
        await fails(port_of_datagrams(subject), NetworkDown)
    await fails(network.connect_stream(subject.host, port_of(listener)), NetworkDown)
    if subject.server is None:
        ensure(listener.is_closing(), "the listener is still open")
        await fails(network.listen_stream(subject.host, 0), NetworkDown)
    network.up()
    await shut(listener)
    await hang_up(writer)
    await hang_up(other)
    await half_close(subject)


async def down_during_a_dial(subject: Subject) -> None:
    """Going down ends a dial that has no answer yet, at once."""
    listener = await subject.listening.listen_stream(subject.host, 0, backlog=1)
    dialed: list[asyncio.Transport] = []
    dial = await _unanswered(subject, listener, dialed)
    subject.network.down()
    if dial is not None:
        await fails(dial, NetworkDown)
    subject.network.up()
    await shut(listener, *dialed)


async def _unanswered(
    subject: Subject, listener: Listener, dialed: list[asyncio.Transport]
) -> asyncio.Future[asyncio.Transport] | None:
    """Return a dial that waits for a listener of backlog 1, or None where it is refused instead."""
    for _ in range(64):
        dial = asyncio.ensure_future(subject.network.connect_stream(subject.host, port_of(listener), timeout=30))
        await asyncio.wait({dial}, timeout=0.05)
        if not dial.done():
            return dial
        if dial.exception() is not None:
            break
        dialed.append(dial.result())
    return None


CHECKS: list[Check] = [down_and_up, down_during_a_dial]
"""In the order of this file."""
