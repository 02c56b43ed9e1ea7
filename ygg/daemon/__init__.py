"""A node as a configuration file describes it: what the stock daemon does, composed of the library's parts."""

from ygg.daemon.daemon import Daemon
from ygg.daemon.transports import every_transport

__all__ = ["Daemon", "every_transport"]
