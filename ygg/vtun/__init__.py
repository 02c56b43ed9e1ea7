"""Overlay addresses as a network: TCP, UDP and ping in user space, through asyncio's shapes.

It takes overlay addresses and protocols, and gives transports, streams and sockets, and the overlay as a `Network`, by
which another node may peer. The packets are those of the node's gateway; no socket of the system is used. For programs
and for the integrations.
"""

from ygg.stream.tls.handshake import start_tls
from ygg.vtun.datagram import DatagramTransport, UdpSocket
from ygg.vtun.network import OverlayNetwork
from ygg.vtun.options import ConnectionOptions, OptionArguments
from ygg.vtun.server import Server
from ygg.vtun.stream import StreamTransport
from ygg.vtun.tcpinfo import TcpInfo
from ygg.vtun.vtun import VTun

__all__ = [
    "ConnectionOptions",
    "DatagramTransport",
    "OptionArguments",
    "OverlayNetwork",
    "Server",
    "StreamTransport",
    "TcpInfo",
    "UdpSocket",
    "VTun",
    "start_tls",
]
