"""Shapes of networks."""

import pytest

from ygg.simulation import topology
from ygg.simulation.topology import Edge


def degrees(edges: list[Edge]) -> list[int]:
    """Return how many neighbours each node has."""
    ends = [end for edge in edges for end in edge]
    return [ends.count(node) for node in range(max(ends) + 1)]


def connected(edges: list[Edge]) -> bool:
    """Tell whether there is a way between any two nodes."""
    seen, more = {0}, True
    while more:
        found = {end for edge in edges if seen & set(edge) for end in edge}
        more, seen = not found <= seen, seen | found
    return seen == {end for edge in edges for end in edge}


def test_shapes_without_chance() -> None:
    assert topology.path_graph(4) == [(0, 1), (1, 2), (2, 3)]
    assert topology.cycle_graph(4) == [(0, 1), (0, 3), (1, 2), (2, 3)]
    assert topology.cycle_graph(2) == [(0, 1)]
    assert topology.star_graph(3) == [(0, 1), (0, 2), (0, 3)]
    assert topology.complete_graph(3) == [(0, 1), (0, 2), (1, 2)]
    assert topology.balanced_tree(2, 2) == [(0, 1), (0, 2), (1, 3), (1, 4), (2, 5), (2, 6)]
    assert topology.grid_2d_graph(2, 3) == [(0, 1), (0, 3), (1, 2), (1, 4), (2, 5), (3, 4), (4, 5)]


def test_shapes_of_no_or_one_node() -> None:
    for shape in (topology.path_graph, topology.cycle_graph, topology.complete_graph):
        assert shape(0) == shape(1) == []


@pytest.mark.parametrize(("make", "count"), [
    (lambda seed: topology.random_tree(50, seed), 49),
    (lambda seed: topology.connected_random_graph(50, 30, seed), 79),
    (lambda seed: topology.barabasi_albert_graph(50, 2, seed), 2 + 47 * 2),
])
def test_shapes_of_chance(make, count: int) -> None:
    edges = make(1)
    assert len(edges) == len(set(edges)) == count
    assert edges == sorted(edges) == make(1) != make(2)
    assert all(a < b for a, b in edges)
    assert connected(edges)


def test_a_scale_free_network_has_hubs() -> None:
    found = degrees(topology.barabasi_albert_graph(500, 2, seed=1))
    assert min(found) == 1 or min(found) == 2
    assert max(found) > 30
    assert sorted(found)[250] <= 3


def test_what_is_impossible_is_an_error() -> None:
    with pytest.raises(ValueError, match="no 4 edges"):
        topology.connected_random_graph(4, 4, seed=1)
    with pytest.raises(ValueError, match="m must be"):
        topology.barabasi_albert_graph(3, 3, seed=1)
