"""The admin socket: what asks a running node for its state and changes it, in the stock daemon's protocol.

It takes JSON requests from local programs, and gives what the node's state classes hold, under the names and in the
types that the stock daemon's clients expect. `AdminServer` serves a table of commands, `node_commands` makes that of a
node, `Client` and `BlockingClient` ask either daemon. `ygg.daemon` and `ygg ctl` compose them; a program may too.
"""

from ygg.admin.arguments import Arguments
from ygg.admin.blocking import BlockingClient
from ygg.admin.client import Client
from ygg.admin.commands import Command, Commands, Stream
from ygg.admin.connection import AdminLimits
from ygg.admin.endpoint import Endpoint, default_endpoints
from ygg.admin.errors import AdminError
from ygg.admin.node import NodeParts, node_commands
from ygg.admin.server import AdminServer

__all__ = [
    "AdminError",
    "AdminLimits",
    "AdminServer",
    "Arguments",
    "BlockingClient",
    "Client",
    "Command",
    "Commands",
    "Endpoint",
    "NodeParts",
    "Stream",
    "default_endpoints",
    "node_commands",
]
