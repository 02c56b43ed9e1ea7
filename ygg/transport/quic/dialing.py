"""Making a QUIC connection as its client."""

import asyncio

from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection

from ygg.errors import ConnectTimeout
from ygg.network.base import Network
from ygg.transport.base import DialOptions
from ygg.transport.quic.link import Port, QuicLink
from ygg.transport.quic.stream import QuicStream


async def dial(
    network: Network, address: tuple[str, int], configuration: QuicConfiguration, options: DialOptions
) -> QuicStream:
    """Return the stream of a new connection to an address, held still. Raises a `YggError`."""
    port: asyncio.DatagramTransport | None = None

    def gone(_: QuicLink) -> None:
        if port is not None:
            port.close()

    link = QuicLink(QuicConnection(configuration=configuration), (), gone)
    port, _ = await network.create_datagram_endpoint(
        lambda: link, remote_addr=address, source_interface=options.source_interface
    )
    link.attach(Port(port, connected=True), port.get_extra_info("sockname"))
    link.dial(port.get_extra_info("peername") or address)
    return await _opening(link, options.timeout + network.dial_allowance)


async def _opening(link: QuicLink, seconds: float) -> QuicStream:
    """Return the stream of a connection, held still. Raises `ConnectTimeout` and what ended the connection."""
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.shield(link.opened)
    except TimeoutError:
        link.end(None)
        raise ConnectTimeout("QUIC handshake timed out") from None
    except BaseException:
        link.end(None)
        raise
