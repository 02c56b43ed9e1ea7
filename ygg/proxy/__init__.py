"""Programs that know nothing of the overlay, joined to it: forwards, a SOCKS listener, the peer's identity for servers.

It takes endpoints (a TCP port, a UNIX socket, an overlay address of a VTun) and gives services, which are opened,
watched and closed. All that strangers can send is bounded, for each source and over all, and counted. For programs;
nothing of the library uses it.
"""

from ygg.proxy.allow import Allowed
from ygg.proxy.datagram_endpoints import DatagramEndpoint, OverlayUdpEndpoint, UdpEndpoint, overlay_udp, udp
from ygg.proxy.datagram_forward import DatagramForward
from ygg.proxy.endpoints import Endpoint, OverlayEndpoint, TcpEndpoint, UnixEndpoint, overlay, tcp, unix
from ygg.proxy.flows import DatagramLimits, FlowInfo
from ygg.proxy.forward import Forward
from ygg.proxy.limits import Keepalive, Limits
from ygg.proxy.proxyprotocol import ProxyHeader
from ygg.proxy.receiver import ProxyReceiver
from ygg.proxy.routes import NetworkRoute, OverlayRoute, Route, Routes
from ygg.proxy.service import ConnectionInfo
from ygg.proxy.socks import SocksProxy

__all__ = [
    "Allowed",
    "ConnectionInfo",
    "DatagramEndpoint",
    "DatagramForward",
    "DatagramLimits",
    "Endpoint",
    "FlowInfo",
    "Forward",
    "Keepalive",
    "Limits",
    "NetworkRoute",
    "OverlayEndpoint",
    "OverlayRoute",
    "OverlayUdpEndpoint",
    "ProxyHeader",
    "ProxyReceiver",
    "Route",
    "Routes",
    "SocksProxy",
    "TcpEndpoint",
    "UdpEndpoint",
    "UnixEndpoint",
    "overlay",
    "overlay_udp",
    "tcp",
    "udp",
    "unix",
]
