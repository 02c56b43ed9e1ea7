"""Networks: ways to reach hosts, behind one interface."""

from ygg.network.base import BACKLOG, DIAL_TIMEOUT, Listener, Network
from ygg.network.holding import HoldingProtocol, feed, take_over

__all__ = ["BACKLOG", "DIAL_TIMEOUT", "HoldingProtocol", "Listener", "Network", "feed", "take_over"]
