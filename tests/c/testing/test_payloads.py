"""Payloads that no node of ours would send."""

import pytest

from tests.c.worldkit import line_of
from ygg.testing import secret_key
from ygg_c.node.node import Node
from ygg_c.testing.payloads import send_payload


def test_any_payload_arrives() -> None:
    with line_of(1, 2) as world:
        send_payload(world.nodes[1].engine, world.nodes[2].key, b"\x09 of no kind")
        world.run(1)
        assert world.nodes[2].engine.counters()["payloads_unknown"] == 1


def test_a_turn_is_asked_for() -> None:
    node = Node(secret_key(1))
    asked: list[int] = []
    node.on_work = lambda: asked.append(1)
    send_payload(node, bytes(32), b"")
    assert asked == [1]
    node.close()


def test_keys_have_32_bytes() -> None:
    node = Node(secret_key(1))
    with pytest.raises(ValueError, match="must be 32 bytes, not 5"):
        send_payload(node, b"short", b"")
    node.close()
