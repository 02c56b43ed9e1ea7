"""What a node tells of paths, sessions, its place, and its own key elsewhere."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.c.worldkit import line_of
from ygg.simulation import World
from ygg.testing import public_key, secret_key
from ygg_c.node.node import Node
from ygg_c.testing.payloads import send_payload


def watch(node: Node, *, place: bool = False) -> list[tuple[str, Any]]:
    """Return a list that grows with what is told; of its place in the tree only where that is asked for."""
    told: list[tuple[str, Any]] = []
    node.on_events = lambda events: told.extend(event for event in events if place or event[0] != "place")
    return told


def names(told: list[tuple[str, Any]]) -> list[str]:
    return [name for name, _ in told]


def test_a_path_and_a_session_are_told_once_and_their_end_too() -> None:
    with line_of(1, 2, 3) as world:
        node = world.nodes[1].engine
        told = watch(node)
        for _ in range(3):
            send_payload(node, public_key(3), b"\1hello")
            world.run(1)
        assert sorted(told) == [("path_found", public_key(3)), ("session_opened", public_key(3))]
        told.clear()
        world.run(180)
        assert sorted(told) == [("path_lost", public_key(3)), ("session_closed", public_key(3))]


def test_the_other_end_is_told_too() -> None:
    with line_of(1, 2, 3) as world:
        told = watch(world.nodes[3].engine)
        send_payload(world.nodes[1].engine, public_key(3), b"\1hello")
        world.run(3)
        assert ("session_opened", public_key(1)) in told


def test_a_path_that_breaks_is_lost() -> None:
    with line_of(1, 2, 3) as world:
        node = world.nodes[1].engine
        told = watch(node)
        send_payload(node, public_key(3), b"\1hello")
        world.run(2)
        told.clear()
        world.remove(3)
        world.run(0.1)
        send_payload(node, public_key(3), b"\1hello")
        world.run(2)
        assert "path_lost" in names(told)
        assert "path_found" not in names(told)


def test_the_place_in_the_tree_is_told_when_it_changes() -> None:
    with World() as world:
        told = watch(world.add(1).engine, place=True)
        world.run(5)
        assert told == []
        world.add(2)
        world.join(1, 2)
        world.run(5)
        # Seed 2 has the smaller key, so its node is the root.
        assert told[-1] == ("place", (public_key(2), (1,)))
        world.remove(2)
        world.run(5)
        assert told[-1] == ("place", (public_key(1), ()))


def test_nothing_is_kept_for_those_who_do_not_watch() -> None:
    with line_of(1, 2) as world:
        node = world.nodes[1].engine
        told = watch(node)
        node.on_events = None
        send_payload(node, public_key(2), b"\1hello")
        world.run(2)
        assert told == []


def test_what_one_callback_causes_is_told_in_the_next() -> None:
    with line_of(1, 2, 3) as world:
        node = world.nodes[1].engine
        batches: list[list[tuple[str, Any]]] = []

        def heard(events: list[tuple[str, Any]]) -> None:
            batches.append(events)
            if len(batches) == 1:
                send_payload(node, public_key(2), b"\1hello")

        node.on_events = heard
        send_payload(node, public_key(3), b"\1hello")
        world.run(3)
        assert ("session_opened", public_key(2)) in itertools.chain(*batches)


SECOND_PROGRAM = 9
"""The number of the second node with the key of 1."""


@contextmanager
def line_with_two(*numbers: int) -> Iterator[tuple[World, Node, Node]]:
    """A line of nodes, one of them a second program with the key of 1; yields these two after the world."""

    def make(secret: bytes, **options: Any) -> Node:
        return Node(secret_key(1) if secret == secret_key(SECOND_PROGRAM) else secret, **options)

    with World(make=make) as world:
        for number in numbers:
            world.add(number)
        world.nodes[SECOND_PROGRAM].number = 1  # what links take for its key
        for first, second in itertools.pairwise(numbers):
            world.join(first, second)
        yield world, world.nodes[1].engine, world.nodes[SECOND_PROGRAM].engine


def test_two_programs_with_one_key_that_are_above_each_other_are_both_told() -> None:
    """Seed 2 is the root; seen from there the second program is above the first, and each hears the other's record."""
    with line_with_two(2, SECOND_PROGRAM, 3, 4, 1) as (world, one, other):
        told, told_too = watch(one), watch(other)
        world.run(30)
        assert told == told_too == [("same_identity", "record")]


def test_two_programs_with_one_key_elsewhere_find_each_other_by_a_lookup() -> None:
    with line_with_two(1, 3, 2, 4, SECOND_PROGRAM) as (world, one, other):
        told, told_too = watch(one), watch(other)
        world.run(20)
        assert told == told_too == []
        one.find(public_key(1))
        world.run(3)
        assert (told, told_too) == ([("same_identity", "answer")], [])
        other.find(public_key(1))
        world.run(3)
        assert told_too == [("same_identity", "answer")]


@contextmanager
def two_beside_each_other(apart: float) -> Iterator[tuple[World, Node, Node]]:
    """Two programs with the key of 1, the links of each to 2 and 3; the second comes `apart` seconds later."""

    def make(secret: bytes, **options: Any) -> Node:
        return Node(secret_key(1) if secret == secret_key(SECOND_PROGRAM) else secret, **options)

    with World(make=make) as world:
        for number in (1, 2, 3, SECOND_PROGRAM):
            world.add(number)
        world.nodes[SECOND_PROGRAM].number = 1
        world.join(2, 3)
        for number in (1, SECOND_PROGRAM):
            for peer in (2, 3):
                world.join(number, peer)
            world.run(apart)
        yield world, world.nodes[1].engine, world.nodes[SECOND_PROGRAM].engine


def test_two_programs_with_one_key_and_the_same_peers_are_both_told() -> None:
    """No record is passed on to its own node, and no lookup to where it came from: one's own news tells of the other's.

    A record is renewed every four minutes.
    """
    with two_beside_each_other(100) as (world, one, other):
        told, told_too = watch(one), watch(other)
        world.run(180)
        assert told == told_too == []
        world.run(720)
        assert ("same_identity", "record") in told
        assert ("same_identity", "record") in told_too
        assert len(told + told_too) <= 4


def test_a_node_that_is_restarted_again_and_again_is_no_other_program() -> None:
    """Its peers hold the records of its former runs, and each tells them when it has a link again."""
    with World() as world:
        for number in (1, 2, 3):
            world.add(number)
        world.join(2, 3)
        for seconds in (400, 20, 20, 400):
            told = watch(world.nodes[1].engine)
            world.join(1, 2)
            world.run(20)
            world.join(1, 3)
            world.run(seconds)
            assert told == []
            world.remove(1)
            world.add(1)


def test_a_lookup_of_ones_own_key_has_no_answer_where_there_is_no_other() -> None:
    with line_of(1, 3, 2, 4) as world:
        for number in (1, 2, 3, 4):
            told = watch(world.nodes[number].engine)
            world.nodes[number].engine.find(public_key(number))
            world.run(3)
            assert told == []


def test_a_node_that_restarts_is_not_taken_for_two() -> None:
    """Its neighbours have records of its former run, and bring them, each time."""
    with line_of(1, 2, 3) as world:
        for _ in range(5):
            told = watch(world.add(4).engine)
            for other in (1, 2, 3):
                world.join(4, other)
            world.run(20)
            assert told == []
            world.remove(4)
            world.run(1)
