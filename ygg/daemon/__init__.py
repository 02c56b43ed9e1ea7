"""A node as a configuration file describes it: what the stock daemon does, composed of the library's parts.

It takes a `Config`, and runs a node with its peers, listeners, discovery and TUN device until told to stop. For the
command line, and for programs that want all of it; the library's other rooms know nothing of it.
"""

from ygg.daemon.daemon import Daemon
from ygg.transport.every import every_transport

__all__ = ["Daemon", "every_transport"]
