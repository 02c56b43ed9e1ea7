"""Sockets of the operating system's that stand for connections, listeners and datagram sockets of the overlay.

A `socket.socket` with a descriptor, as blocking code and code that polls descriptors want it: one end of a pair, whose
other end the event loop of the VTun bridges to the overlay. Takes a VTun, whose loop runs in another thread where the
socket is to block; gives sockets. For programs, by `ygg.blocking`, and for the integrations that want a descriptor.
"""

from ygg.sockets.create import create_connection, create_datagram_socket, create_server, public_key

__all__ = ["create_connection", "create_datagram_socket", "create_server", "public_key"]
