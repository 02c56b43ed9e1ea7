"""Networks: ways to reach hosts, behind one interface.

A network takes hosts and ports, and gives asyncio transports held still until they are taken over, listeners, and
datagram ports. It knows no peer and no URL scheme. Programs derive from `Network` and `WrapperNetwork`; the rooms above
take whichever network they are given.
"""

from ygg.network.base import BACKLOG, DIAL_TIMEOUT, Listener, Network, dial_addresses, first_success, is_suitable
from ygg.network.loopback.network import LoopbackNetwork
from ygg.network.native.network import NativeNetwork
from ygg.network.reject import RejectNetwork
from ygg.network.socks.network import SocksNetwork
from ygg.network.wrapper import WrapperDatagrams, WrapperNetwork
from ygg.stream.held import HoldingProtocol, feed, take_over
from ygg.stream.wrapper import WrapperTransport

__all__ = [
    "BACKLOG",
    "DIAL_TIMEOUT",
    "HoldingProtocol",
    "Listener",
    "LoopbackNetwork",
    "NativeNetwork",
    "Network",
    "RejectNetwork",
    "SocksNetwork",
    "WrapperDatagrams",
    "WrapperNetwork",
    "WrapperTransport",
    "dial_addresses",
    "feed",
    "first_success",
    "is_suitable",
    "take_over",
]
