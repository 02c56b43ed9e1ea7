"""A network behind a SOCKS5 proxy: the client's side of the protocol without IO, and the network that runs it.

It takes hosts, names among them, and gives connections of the network by which the proxy is reached, held still.
`SocksNetwork` is for all; `messages` knows neither sockets nor asyncio.
"""

from ygg.network.socks.network import SocksNetwork

__all__ = ["SocksNetwork"]
