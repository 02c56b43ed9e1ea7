"""ygg_c.node.queries: requests of ours that wait for an answer."""

import sys
from typing import Any

from tests.c.node.test_node import ask
from tests.c.worldkit import line_of
from ygg_c.testing.payloads import send_payload


def test_a_newer_request_replaces_an_older_one() -> None:
    """Requests carry no number: one a kind and key waits, the newest."""
    with line_of(1, 2) as world:
        older: list[Any] = []
        world.nodes[1].engine.request(world.nodes[2].key, "self", lambda *answer: older.append(answer))
        assert len(ask(world, 1, 2, "self")) == 1
        assert older == []


def test_requests_are_forgotten_after_a_minute() -> None:
    """A request nobody answers does not keep its callback."""
    with line_of(1, 2) as world:
        callback = lambda *answer: None  # noqa: E731
        before = sys.getrefcount(callback)
        world.nodes[1].engine.request(bytes(32), "self", callback)
        world.run(59)
        assert sys.getrefcount(callback) == before + 1
        world.run(2)
        assert sys.getrefcount(callback) == before


def test_unasked_answers_and_nonsense_are_ignored() -> None:
    """Responses without a request, unknown kinds and empty payloads do nothing."""
    with line_of(1, 2) as world:
        for payload in ("", "00", "02", "0200", "02027b7d", "02ff", "02ff02", "02ff09", "63"):
            send_payload(world.nodes[1].engine, world.nodes[2].key, bytes.fromhex(payload))
            world.run(1.5)
        (session,) = world.nodes[2].engine.sessions()
        assert session["packets_received"] == 9
        assert session["packets_sent"] == 0
