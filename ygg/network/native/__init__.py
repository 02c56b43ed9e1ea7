"""The operating system's network: names, sockets, interfaces, and what changes about them.

It takes hosts, ports and paths, and gives asyncio's own transports, held still, and listeners that accept when asked.
`NativeNetwork` is for all; `interface`, `changes`, `congestion` and `inherited` also serve the rooms above that deal
with sockets themselves.
"""

from ygg.network.native.network import NativeNetwork

__all__ = ["NativeNetwork"]
