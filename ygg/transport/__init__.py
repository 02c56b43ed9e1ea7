"""Transports: ways to carry a link, chosen by URL scheme.

A transport takes a URL and the network that its host is mapped to, and gives a byte stream, held still, or a listener
of them. `TransportManager` keeps both tables, which may change at any time. It knows no node; nodes dial and listen
through it, and programs derive from `Transport`.
"""

from ygg.network.base import Listener
from ygg.stream.held import HoldingProtocol, take_over
from ygg.transport.base import DialOptions, ListenOptions, Transport
from ygg.transport.manager import ManagedListener, TransportManager
from ygg.transport.quic.transport import QuicTransport
from ygg.transport.socks import SocksTransport
from ygg.transport.tcp import TCPTransport
from ygg.transport.tls import TLSTransport
from ygg.transport.unix import UnixTransport
from ygg.transport.ws import WSTransport

__all__ = [
    "DialOptions",
    "HoldingProtocol",
    "ListenOptions",
    "Listener",
    "ManagedListener",
    "QuicTransport",
    "SocksTransport",
    "TCPTransport",
    "TLSTransport",
    "Transport",
    "TransportManager",
    "UnixTransport",
    "WSTransport",
    "take_over",
]
