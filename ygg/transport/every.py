"""Every transport there is, for programs that take whatever URLs a person writes."""

from __future__ import annotations

from ygg.identity.certificate import Certificate
from ygg.network import Network
from ygg.transport.base import Transport
from ygg.transport.manager import TransportManager
from ygg.transport.quic.transport import QuicTransport
from ygg.transport.socks import SocksTransport
from ygg.transport.tcp import TCPTransport
from ygg.transport.tls import TLSTransport
from ygg.transport.unix import UnixTransport
from ygg.transport.ws import WSTransport


def every_transport(network: Network, certificate: Certificate) -> TransportManager:
    """Return a manager that reaches all hosts through `network`, by all the schemes there are.

    One whose extra is not installed raises `MissingExtraError` when it is used.
    """
    manager = TransportManager(network)
    transports: list[Transport] = [TCPTransport(), TLSTransport(certificate), UnixTransport(), WSTransport(certificate)]
    for transport in [*transports, QuicTransport(certificate), SocksTransport()]:
        manager.register(transport)
    return manager
