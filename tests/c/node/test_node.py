"""Whole nodes: sessions through others, queries, and the turn with its callbacks."""

import json
import sys
from typing import Any

import pytest

from tests.c.worldkit import START, line_of
from ygg.simulation import World
from ygg.testing import public_key, secret_key
from ygg_c.base.sodium import SeededRandom
from ygg_c.link.link import PySink
from ygg_c.node.gateway import Gateway
from ygg_c.node.node import Node
from ygg_c.testing.payloads import send_payload


def ask(world: World, asker: int, asked: int, kind: str, seconds: float = 3) -> list[tuple[bytes, str, bytes]]:
    answers: list[tuple[bytes, str, bytes]] = []
    world.nodes[asker].engine.request(world.nodes[asked].key, kind, lambda *answer: answers.append(answer))
    world.run(seconds)
    return answers


def test_identity() -> None:
    """Key, address and subnet belong together; a secret whose halves do not is refused."""
    node = Node(secret_key(1))
    assert node.key.hex() == "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"
    assert node.address.hex() == "0200eaee384517ec1cd4055a49a5868b"
    assert node.subnet.hex() == "0300eaee384517ec"
    node.close()
    with pytest.raises(ValueError, match="public half"):
        Node(secret_key(1)[:32] + public_key(2))
    with pytest.raises(ValueError, match="64 bytes"):
        Node(b"short")


def test_nodeinfo_across_a_line() -> None:
    """A node three hops away tells its node information."""
    with line_of(1, 2, 3, 4) as world:
        far = world.nodes[4].engine
        far.nodeinfo = b'{"name":"far"}'
        assert ask(world, 1, 4, "nodeinfo") == [(far.key, "nodeinfo", b'{"name":"far"}')]
        (session,) = world.nodes[1].engine.sessions()
        assert session["key"] == far.key
        assert session["bytes_sent"] == 2


def test_nodeinfo_is_bounded() -> None:
    """Node information has at most 16384 bytes."""
    node = Node(secret_key(1))
    node.nodeinfo = bytes(16384)
    with pytest.raises(ValueError, match="16384"):
        node.nodeinfo = bytes(16385)
    assert len(node.nodeinfo) == 16384
    node.close()


def test_debug_queries() -> None:
    """Self, peers and tree are answered in the protocol's forms."""
    with line_of(1, 2, 3) as world:
        keys = {number: node.key for number, node in world.nodes.items()}
        ((_, kind, data),) = ask(world, 1, 2, "self")
        assert kind == "self"
        assert json.loads(data) == {"key": keys[2].hex(), "routing_entries": "3"}
        ((_, _, data),) = ask(world, 1, 2, "peers")
        assert sorted((data[:32], data[32:])) == sorted((keys[1], keys[3]))
        ((_, _, data),) = ask(world, 1, 3, "tree")
        held = [record["key"] for record in world.nodes[3].engine.tree_records()]
        assert [data[place : place + 32] for place in range(0, len(data), 32)] == held
        assert {keys[2], keys[3]} <= set(held)


def test_queries_are_answered_in_bounded_number() -> None:
    """A flood of queries is answered up to a burst of bytes, and the rest counted; others are still answered."""
    with line_of(1, 2, 3) as world:
        assert len(ask(world, 1, 2, "self")) == 1
        for _ in range(2000):
            send_payload(world.nodes[1].engine, world.nodes[2].key, b"\x02\xff\x05")
        world.run(0)
        answered = world.nodes[2].engine.sessions()[0]["packets_sent"]
        assert 1 < answered <= 700
        assert world.nodes[2].engine.counters()["queries_unanswered"] > 0
        assert len(ask(world, 3, 2, "self", 0.2)) == 1


def test_answers_are_counted_by_their_bytes() -> None:
    """Of large answers fewer are given than of small ones."""
    def answers(size: int) -> int:
        with line_of(1, 2) as world:
            world.nodes[2].engine.nodeinfo = bytes(size)
            send_payload(world.nodes[1].engine, world.nodes[2].key, b"\x02\x01")
            world.run(2)
            for _ in range(2000):
                send_payload(world.nodes[1].engine, world.nodes[2].key, b"\x02\x01")
            world.run(0)
            return world.nodes[2].engine.sessions()[0]["packets_sent"]

    assert answers(16000) <= 45 < 400 < answers(10)


def test_payloads_that_go_nowhere_are_counted() -> None:
    """IPv6 without a gateway, kinds that do not exist, answers to what was not asked, and cut messages."""
    with line_of(1, 2) as world:
        ask(world, 1, 2, "self")
        odd = [b"", b"\x07", b"\x02", b"\x02\x09", b"\x02\xff", b"\x02\xff\x07", b"\x02\x02{}", b"\x02\xff\x02{}"]
        for payload in [*odd, b"\x01" + bytes(40)]:
            send_payload(world.nodes[1].engine, world.nodes[2].key, payload)
        world.run(0)
        counters = world.nodes[2].engine.counters()
        assert (counters["payloads_unknown"], counters["payloads_detached"]) == (len(odd), 1)


def test_bad_requests() -> None:
    """A request names a kind and a key."""
    node = Node(secret_key(1))
    with pytest.raises(ValueError, match="kind"):
        node.request(bytes(32), "weather", print)
    with pytest.raises(ValueError, match="32 bytes"):
        node.request(b"", "self", print)
    with pytest.raises(ValueError, match="32 bytes"):
        send_payload(node, b"", b"")
    node.close()


def test_group_passwords_part_sessions_not_routing() -> None:
    """Nodes of different groups forward for each other and have no sessions."""
    world = World()
    for number, group in ((1, b"x"), (2, b""), (3, b"x")):
        world.add(number, group_password=group)
    world.join(1, 2)
    world.join(2, 3)
    world.run(8)
    assert len(ask(world, 1, 3, "self")) == 1
    assert ask(world, 1, 2, "self") == []
    world.close()


def test_counters_name_everything() -> None:
    """Counters of all layers come in one dict of numbers."""
    node = Node(secret_key(1))
    counters = node.counters()
    assert {"session_replayed", "session_forged", "queries_unanswered", "unroutable"} <= counters.keys()
    assert set(counters.values()) == {0}
    gateway = Gateway(node)
    assert node.counters()["gateway_dropped_incoming"] == 0
    gateway.close()
    node.close()


# The turn


def test_on_work_is_called_once() -> None:
    """Work outside a turn asks for one turn, not for one each."""
    node = Node(secret_key(1))
    asked: list[int] = []
    node.on_work = lambda: asked.append(1)
    for _ in range(3):
        send_payload(node, bytes(32), b"\x00")
    assert asked == [1]
    node.turn(1, START)
    send_payload(node, bytes(32), b"\x00")
    assert asked == [1, 1]
    node.close()


def test_a_closed_link_is_told_once() -> None:
    """A link that breaks the protocol is closed and named with the reason, after the turn's work."""
    node = Node(secret_key(1))
    node.turn(1, START)
    closed: list[tuple[Any, str]] = []
    node.on_link_closed = lambda link, reason: closed.append((link, reason))
    link = node.add_link(public_key(2), 0, PySink(lambda link: link.take()))
    link.receive(b"\x02\x63\x00")
    assert closed == []
    node.turn(2, START)
    node.turn(3, START)
    assert closed == [(link, "ErrUnrecognizedMessage")]
    node.close()


def test_a_link_whose_far_side_shows_its_key_is_told_once() -> None:
    """Each end is told of its own; a link on which nobody answers is not proven, whatever else it carries."""
    with line_of(1, 2) as world:
        told: list[Any] = []
        for node in [node.engine for node in world.nodes.values()]:
            node.on_link_proven = told.append
        world.join(1, 2)
        world.run(4)
        assert sorted(link.key for link in told) == sorted(node.key for node in world.nodes.values())
        assert all(link.proven for link in told)
        replayed = world.nodes[1].engine.add_link(public_key(3), 0, PySink(lambda link: link.take()))
        replayed.receive(b"\x01\x01" * 3)
        world.run(2)
        assert not replayed.proven
        assert len(told) == 2


def test_close_by_the_host_is_told_too() -> None:
    """Closing a link outside a turn asks for a turn, in which it is told."""
    node = Node(secret_key(1))
    node.turn(1, START)
    asked, closed = [], []
    node.on_work = lambda: asked.append(1)
    node.on_link_closed = lambda link, reason: closed.append(reason)
    node.add_link(public_key(2), 0, PySink(lambda link: link.take())).close("because")
    assert asked == [1]
    node.turn(2, START)
    assert closed == ["because"]
    node.close()


def test_what_callbacks_raise_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception goes to on_error, or to the interpreter's hook, and the node goes on."""
    with line_of(1, 2) as world:
        def fail(*answer: object) -> None:
            raise RuntimeError("callback")

        errors: list[BaseException] = []
        world.nodes[1].engine.on_error = errors.append
        world.nodes[1].engine.request(world.nodes[2].key, "self", fail)
        world.run(2)
        assert [str(error) for error in errors] == ["callback"]
        world.nodes[1].engine.on_error = None
        monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: errors.append(unraisable.exc_value))
        world.nodes[1].engine.request(world.nodes[2].key, "self", fail)
        world.run(2)
        assert [str(error) for error in errors] == ["callback", "callback"]
        errors.clear()


def test_the_interpreters_own_hook_shows_what_callbacks_raise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "unraisablehook", sys.__unraisablehook__)
    node = Node(secret_key(1))

    def fail() -> None:
        raise KeyError("mine")

    node.on_work = fail
    node.request(public_key(2), "self", print)
    node.close()
    shown = capsys.readouterr().err
    assert "fail" in shown
    assert shown.splitlines()[-1] == "KeyError: 'mine'"
    assert shown.count("Traceback") == 1


def test_callbacks_may_do_anything() -> None:
    """From a callback one may ask, close links, take a turn, and close the node."""
    with line_of(1, 2, 3) as world:
        node = world.nodes[1].engine
        heard: list[str] = []

        def second(key: bytes, kind: str, data: bytes) -> None:
            heard.append(kind)
            for number in (1, 3):
                world.link_between(number, 2).at(number).close()
            node.turn(world.now, world.wall)
            node.close()
            node.turn(world.now, world.wall)

        def first(key: bytes, kind: str, data: bytes) -> None:
            heard.append(kind)
            node.request(key, "peers", second)
            assert node.turn(world.now, world.wall) is not None

        node.request(world.nodes[3].key, "self", first)
        world.run(5)
        assert heard == ["self", "peers"]
        assert node.peers() == []


def test_two_nodes_that_answer_at_once_come_to_rest() -> None:
    """Callbacks that always write again do not keep a turn from ending."""
    node = Node(secret_key(1))
    calls: list[int] = []

    def again(*_: object) -> None:
        calls.append(1)
        node.add_link(public_key(2), 0, PySink(lambda link: link.take())).close()

    node.on_link_closed = again
    again()
    assert node.turn(1, START) == 1
    assert 2 <= len(calls) <= 8
    node.close()


def test_the_deadline_is_promised() -> None:
    """A turn returns when the next is due; an earlier deadline that comes up in a pump's turn asks for one."""
    node = Node(secret_key(1), random=SeededRandom(1))
    second = 1_000_000_000
    assert node.turn(second, START) == node.deadline == 2 * second
    asked: list[int] = []
    node.on_work = lambda: asked.append(1)
    node.enter(second + 10, START)
    node.leave()
    assert asked == []
    node.close()


def test_close_is_idempotent_and_final() -> None:
    """After close a node holds nothing and calls nobody."""
    with line_of(1, 2) as world:
        node = world.nodes[1].engine
        assert len(ask(world, 1, 2, "self")) == 1
        node.on_link_closed = lambda link, reason: pytest.fail("called after close")
        node.close()
        node.close()
        node.turn(world.now, world.wall)
        send_payload(node, world.nodes[2].key, b"\x01")
        assert node.sessions() == []


def test_a_wall_clock_that_is_set_back_goes_on() -> None:
    """What a node tells of the time never goes back, follows the wall clock forward, and goes on from where set."""
    second = 1_000_000_000
    node = Node(secret_key(1))
    node.turn(100 * second, START)
    assert node.wall == START
    node.turn(105 * second, START - 3600)
    assert node.wall == START + 5
    node.turn(106 * second, START + 50)
    assert node.wall == START + 50
    node.go_on_from(START + 1000)
    node.go_on_from(START)
    node.turn(107 * second, START + 51)
    assert node.wall == START + 1000
    node.turn(110 * second, START + 54)
    assert node.wall == START + 1003
    for wrong in (-1, 2**33):
        with pytest.raises(ValueError, match="a clock shows"):
            node.go_on_from(wrong)
    node.close()


def test_a_clock_set_before_the_first_turn() -> None:
    """It goes on from there, whatever the time of the first turn is."""
    node = Node(secret_key(1))
    node.go_on_from(START + 1000)
    node.turn(10**15, START)
    assert node.wall == START + 1000
    node.close()
