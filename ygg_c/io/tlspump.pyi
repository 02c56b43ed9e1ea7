"""The pump of sockets that carry TLS. Importing this raises ImportError where `ygg_c.io.tls` does."""

from collections.abc import Callable

from ygg_c.io.pump import StreamPump
from ygg_c.io.tls import Tls
from ygg_c.node.node import Node

class TlsPump(StreamPump):
    """Drives a stream socket that carries TLS, whose handshake is over."""

    def __init__(
        self,
        node: Node,
        fd: int,
        on_blocked: Callable[[bool], object],
        tls: Tls,
        on_paused: Callable[[bool], object] | None = None,
    ) -> None: ...
