from ygg_c.node.node import Node

def send_payload(node: Node, key: bytes, payload: bytes) -> None:
    """Send one session payload, its type byte included, to the node of a 32-byte key (protocol 0.5, section 8).

    Delivered at most once and perhaps never; one beyond 130914 bytes is dropped. ValueError for a bad key.
    """
