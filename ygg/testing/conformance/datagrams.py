"""Checks of datagrams: whole, of all sizes, and refused as they should be."""

import asyncio

from ygg.errors import AddressNotAvailable, ConnectionRefused, MessageTooBig, URLError
from ygg.testing.conformance.endpoints import Datagrams
from ygg.testing.conformance.expecting import ensure, equal, fails
from ygg.testing.conformance.subject import Check, Subject


async def datagram_ping_pong(subject: Subject) -> None:
    """Datagrams of all sizes cross whole, both ways, on many ports at once."""
    if not subject.datagrams:
        return
    server, echo = await subject.listening.create_datagram_endpoint(Datagrams, (subject.host, 0))
    echo.echo = True
    port = server.get_extra_info("sockname")[1]

    async def client(size: int) -> None:
        transport, protocol = await subject.network.create_datagram_endpoint(
            Datagrams, remote_addr=(subject.host, port)
        )
        payload = size.to_bytes(4, "big") + bytes(size)
        for _ in range(20):
            transport.sendto(payload)
            equal(await protocol.get(), payload)
        transport.close()
        await protocol.closed

    await asyncio.gather(*map(client, range(0, 1200, 100)))
    server.close()
    await echo.closed


async def datagrams_to_nobody(subject: Subject) -> None:
    """A connected datagram port is told that there is no listener, and works on."""
    if not subject.datagrams:
        return
    server, gone = await subject.listening.create_datagram_endpoint(Datagrams, (subject.host, 0))
    address = (subject.host, server.get_extra_info("sockname")[1])
    server.close()
    await gone.closed
    transport, protocol = await subject.network.create_datagram_endpoint(Datagrams, remote_addr=address)
    transport.sendto(b"anyone?")
    ensure(isinstance(await protocol.error, ConnectionRefused), "not refused")
    ensure(not transport.is_closing(), "the port closed")
    transport.close()
    await protocol.closed


async def oversized_datagrams(subject: Subject) -> None:
    """A datagram larger than any can be is told as `MessageTooBig`, and the port works on."""
    if not subject.datagrams:
        return
    server, arrivals = await subject.listening.create_datagram_endpoint(Datagrams, (subject.host, 0))
    address = (subject.host, server.get_extra_info("sockname")[1])
    transport, protocol = await subject.network.create_datagram_endpoint(Datagrams, remote_addr=address)
    transport.sendto(bytes(65536))
    async with asyncio.timeout(5):
        error = await protocol.error
    ensure(isinstance(error, MessageTooBig), f"expected MessageTooBig, got {error!r}")
    transport.sendto(b"small enough")
    equal(await arrivals.get(), b"small enough")
    for port, ending in ((transport, protocol), (server, arrivals)):
        port.close()
        await ending.closed


async def datagram_errors(subject: Subject) -> None:
    """Names without addresses, ports out of range, addresses of others, ends of two families."""
    if not subject.datagrams:
        return
    network, here = subject.network, (subject.host, 1)
    await fails(network.create_datagram_endpoint(Datagrams, remote_addr=(subject.unknown, 1)), OSError)
    for port in (-1, 65536):
        await fails(network.create_datagram_endpoint(Datagrams, remote_addr=(subject.host, port)), URLError)
        await fails(network.create_datagram_endpoint(Datagrams, ("", port), here), URLError)
    if subject.foreign is not None:
        await fails(network.create_datagram_endpoint(Datagrams, (subject.foreign, 0)), AddressNotAvailable)
    (address, *_) = await network.resolve(subject.host)
    other = "127.0.0.1" if ":" in address else "::1"
    await fails(network.create_datagram_endpoint(Datagrams, (other, 0), here), OSError)


async def datagrams_from_every_address(subject: Subject) -> None:
    """A port bound to every address reaches, and is reached by, one of either kind of end."""
    if not subject.datagrams:
        return
    server, echo = await subject.listening.create_datagram_endpoint(Datagrams, (subject.host, 0))
    echo.echo = True
    remote = (subject.host, server.get_extra_info("sockname")[1])
    transport, protocol = await subject.network.create_datagram_endpoint(Datagrams, ("", 0), remote)
    transport.sendto(b"from anywhere")
    equal(await protocol.get(), b"from anywhere")
    for port, ended in ((transport, protocol), (server, echo)):
        port.close()
        await ended.closed


CHECKS: list[Check] = [
    datagram_ping_pong, datagrams_to_nobody, oversized_datagrams, datagram_errors, datagrams_from_every_address,
]
"""In the order of this file."""
