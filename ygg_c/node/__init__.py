"""A whole node: router and sessions put together, its turns, its queries, and the gateway from addresses to keys.

It takes the bytes of links and a time; it gives bytes to write, packets for the layer above, events, and the time at
which it wants its next turn. It is the engine's face to `ygg.node` and to the pumps.
"""
