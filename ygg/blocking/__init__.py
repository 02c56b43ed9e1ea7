"""The same node for programs without an event loop: it runs in a thread of its own, and every call here blocks.

It takes what `ygg.open_node` takes, and gives streams, servers and datagram sockets whose calls return when they are
done, or raise after a timeout. `routed` has blocking libraries use the overlay; `create_connection`, `create_server`
and `create_datagram_socket` give sockets of the system's for it, and `public_key` tells whose node is at the other end.
`LoopThread` carries it, and whatever else needs a loop beside blocking code. For programs; nothing of the library but
its integrations for blocking libraries uses it.
"""

from ygg.blocking.datagram import BlockingDatagram
from ygg.blocking.front import BlockingNode, node
from ygg.blocking.routed import routed
from ygg.blocking.runner import LoopThread
from ygg.blocking.server import BlockingServer
from ygg.blocking.stream import BlockingStream
from ygg.sockets import create_connection, create_datagram_socket, create_server, public_key

__all__ = [
    "BlockingDatagram",
    "BlockingNode",
    "BlockingServer",
    "BlockingStream",
    "LoopThread",
    "create_connection",
    "create_datagram_socket",
    "create_server",
    "node",
    "public_key",
    "routed",
]
