"""One node in asyncio: `Core` dials, listens, redials, admits, gives the engine its turns, and answers for its state.

It takes a certificate and a `TransportManager`; it gives links, state and queries, and the gateway that IPv6 packets
pass. `Core` is what others use.
"""
