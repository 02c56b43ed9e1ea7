"""ygg.crawler.graph: links that both ends or one tell of, and the fewest links to each node."""

from ygg.crawler import Graph, Link, NodeRecord
from ygg.identity.address import address_of

A, B, C, D = (bytes([number]) * 32 for number in range(1, 5))


def graph() -> Graph:
    """A line from A to C, where C does not answer; D, which no link leads to; B says that it is linked to itself."""
    nodes = [NodeRecord(A, (B,), 0.0), NodeRecord(B, (A, A, B, C, bytes(32)), 0.01234567), NodeRecord(C, error="late"),
             NodeRecord(D)]
    return Graph({node.key: node for node in nodes}, 1)


def test_links() -> None:
    assert graph().links() == [Link(A, B, True), Link(B, C, False)]
    assert graph().answered == 2
    assert Graph().links() == []


def test_the_fewest_links() -> None:
    assert graph().tree() == [(A, None), (B, A), (C, B), (D, None)]
    ring = Graph({key: NodeRecord(key, peers, 0.0) for key, peers in {A: (B, D), B: (C,), C: (D,), D: ()}.items()})
    assert dict(ring.tree()) == {A: None, B: A, D: A, C: B}


def test_json() -> None:
    found = graph().to_json()
    assert found["nodes"] == [
        {"key": A.hex(), "address": str(address_of(A)), "peers": 1, "seconds": 0.0},
        {"key": B.hex(), "address": str(address_of(B)), "peers": 5, "seconds": 0.0123},
        {"key": C.hex(), "address": str(address_of(C)), "error": "late"},
        {"key": D.hex(), "address": str(address_of(D))},
    ]
    assert found["links"] == [{"a": A.hex(), "b": B.hex(), "both": True}, {"a": B.hex(), "b": C.hex(), "both": False}]
    assert found["left_out"] == 1
