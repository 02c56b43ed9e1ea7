"""A node whose one link runs over a socket that the test holds the other end of; no event loop."""

import contextlib
import socket

from ygg.testing import private_key, public_key
from ygg_c.io.pump import StreamPump
from ygg_c.link import wire
from ygg_c.node.node import Node

KEEPALIVE = b"\x01\x01"
UNKNOWN = b"\x02\x63\x00"
REQUEST = bytes.fromhex("0b0201ef9bafcdf8acd19101")
"""For a signature, which is given."""


def signed_record(seq: int) -> bytes:
    """Return the announcement of a root, framed."""
    root = private_key(3)
    signed = wire.encode_tree_bytes(root.public_key, root.public_key, seq, 1, 0)
    return wire.encode_frame(4, signed + root.sign(signed) * 2)


def proof(node: bytes, data: bytes) -> bytes:
    """Return the answer of key 2 to a signature request, the first thing that a node says on a link."""
    size, start = wire.decode_uv(data)
    request = wire.decode(data[start], data[start + 1 : start + size])
    signed = wire.encode_tree_bytes(node, public_key(2), request["seq"], request["nonce"], 1)
    return wire.encode_frame(3, wire.encode(3, **request, port=1, psig=private_key(2).sign(signed)))


class Host:
    """A node with one link, over a socket whose other end is the test's."""

    def __init__(self) -> None:
        self.node = Node(private_key(1).secret)
        self.inside, self.outside = socket.socketpair()
        self.outside.setblocking(False)
        self.blocked: list[bool] = []
        self.ended: list[str] = []
        self.paused: list[bool] = []
        self.node.on_link_closed = lambda link, reason: self.ended.append(reason)
        self.pump = self.make_pump()
        self.inside.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

    def make_pump(self) -> StreamPump:
        return StreamPump(self.node, self.inside.fileno(), self.blocked.append, self.paused.append)

    def start(self, data: bytes = b"") -> None:
        self.link = self.pump.start(public_key(2), 0, data)

    def prove(self) -> None:
        """Answer the node's signature request."""
        self.outside.send(proof(self.node.key, self.drain()))
        self.pump.readable()

    def fill(self) -> None:
        """Ask for more answers than the socket takes: a record older than the node's is answered with that."""
        self.prove()
        newer, older = (signed_record(seq) for seq in (5, 4))
        self.outside.send(newer)
        while not self.blocked and not self.ended:
            self.outside.send(older * 20)
            self.pump.readable()

    def drain(self) -> bytes:
        found = bytearray()
        with contextlib.suppress(BlockingIOError):
            while piece := self.outside.recv(1 << 20):
                found += piece
        return bytes(found)

    def close(self) -> None:
        self.node.close()
        self.pump.close()
        self.inside.close()
        self.outside.close()
        vars(self).clear()      # pytest holds fixtures longer than the search for what is left behind
