"""SOCKS: a network behind a SOCKS5 proxy, and the protocol without IO, the client's side and the server's.

It takes hosts, names among them, and gives connections of the network by which the proxy is reached, held still.
`SocksNetwork` is for all; `wire`, `messages` (the client's side) and `server` know neither sockets nor asyncio;
`ygg.proxy` has the listener.
"""

from ygg.network.socks.network import SocksNetwork

__all__ = ["SocksNetwork"]
