"""`unix:///path`: a stream socket of the local machine."""

import asyncio

from ygg.errors import URLError
from ygg.network.base import Listener, Network
from ygg.transport.base import DialOptions, ListenOptions, Transport
from ygg.url import PeerURL


class UnixTransport(Transport):
    """The network's UNIX sockets; which network, the mapping of the empty host or the default says."""

    schemes = ("unix",)

    async def dial(self, network: Network, url: PeerURL, options: DialOptions) -> asyncio.Transport:
        return await network.connect_path(_path(url), timeout=options.timeout)

    async def listen(self, network: Network, url: PeerURL, options: ListenOptions) -> Listener:
        return await network.listen_path(_path(url), backlog=options.backlog)


def _path(url: PeerURL) -> str:
    """Return the file the URL names."""
    path = url.file
    if not path or path == "/" or url.host or "\0" in path:
        raise URLError("a unix URL has a path and no host: unix:///path")
    return path
