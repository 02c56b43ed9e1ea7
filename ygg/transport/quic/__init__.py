"""QUIC: one byte stream of a connection for each link, and the listeners that accept such connections.

It takes a network's datagram ports and gives `ygg.stream` transports, held still. `QuicTransport` alone is for others.
The modules beside `transport` import `aioquic`, which comes with the extra `quic`; `transport` imports them when they
are needed.
"""

from ygg.transport.quic.transport import QuicTransport

__all__ = ["QuicTransport"]
