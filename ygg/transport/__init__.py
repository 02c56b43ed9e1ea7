"""Transports: ways to carry a link, chosen by URL scheme."""

from ygg.network.base import Listener
from ygg.network.holding import HoldingProtocol, take_over
from ygg.transport.base import DialOptions, ListenOptions, Transport

__all__ = ["DialOptions", "HoldingProtocol", "ListenOptions", "Listener", "Transport", "take_over"]
