"""Transports: ways to carry a link, chosen by URL scheme."""

from ygg.network.base import Listener
from ygg.stream.held import HoldingProtocol, take_over
from ygg.transport.base import DialOptions, ListenOptions, Transport
from ygg.transport.manager import ManagedListener, TransportManager
from ygg.transport.quic import QuicTransport
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
