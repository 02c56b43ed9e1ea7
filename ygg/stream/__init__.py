"""Byte streams: the transports of our own, in asyncio's shape, and what is done to any transport.

Takes asyncio protocols, and for a stream inside another the transport below; gives transports that deliver to a
`Protocol` or a `BufferedProtocol`, pause and end as asyncio's own do. Every package of `ygg` may use it; it knows
nothing of networks, nodes and links, and imports none of them.
"""
