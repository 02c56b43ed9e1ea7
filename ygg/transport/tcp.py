"""`tcp://`: plain TCP."""

import asyncio

from ygg.network.base import Listener, Network
from ygg.transport.base import DialOptions, ListenOptions, Transport
from ygg.url import PeerURL


class TCPTransport(Transport):
    """The network's byte stream as it is."""

    schemes = ("tcp",)

    async def dial(self, network: Network, url: PeerURL, options: DialOptions) -> asyncio.Transport:
        port = url.require_port()
        return await network.connect_stream(
            url.host, port, source_interface=options.source_interface, timeout=options.timeout
        )

    async def listen(self, network: Network, url: PeerURL, options: ListenOptions) -> Listener:
        port = url.require_port()
        return await network.listen_stream(
            url.host, port, source_interface=options.source_interface, backlog=options.backlog
        )
