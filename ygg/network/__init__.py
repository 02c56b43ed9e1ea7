"""Networks: ways to reach hosts, behind one interface."""

from ygg.network.base import BACKLOG, DIAL_TIMEOUT, Listener, Network, dial_addresses, first_success, is_suitable
from ygg.network.loopback import LoopbackNetwork
from ygg.network.native import NativeNetwork
from ygg.network.reject import RejectNetwork
from ygg.network.socks import SocksNetwork
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
