"""ygg.crawler.picture: where nodes are drawn, and that a picture can be read."""

import io
import math
import xml.etree.ElementTree as ET

import pytest

from ygg.crawler import Graph, NodeRecord
from ygg.crawler.picture import draw, places
from ygg.simulation import topology


def key(number: int) -> bytes:
    return number.to_bytes(32)


def graph(edges: list[tuple[int, int]], *more: int) -> Graph:
    peers: dict[int, list[bytes]] = {number: [] for number in more}
    for a, b in edges:
        peers.setdefault(a, []).append(key(b))
        peers.setdefault(b, []).append(key(a))
    return Graph({key(number): NodeRecord(key(number), tuple(peers[number]), 0.0) for number in sorted(peers)})


def test_rings_by_distance_without_two_nodes_at_one_place() -> None:
    found = places(graph(topology.balanced_tree(3, 4)))
    assert found[key(0)] == (0.0, 0.0)
    distances = [round(math.hypot(*place), 6) for place in found.values()]
    assert [distances.count(ring) for ring in range(5)] == [1, 3, 9, 27, 81]
    assert len({(round(x, 6), round(y, 6)) for x, y in found.values()}) == 121


def test_nodes_that_no_link_leads_to_have_a_place() -> None:
    found = places(graph(topology.cycle_graph(5), 7, 8))
    assert len({(round(x, 6), round(y, 6)) for x, y in found.values()}) == 7
    assert places(Graph()) == {}


@pytest.mark.parametrize("edges", [[], topology.barabasi_albert_graph(200, 2, seed=1)])
def test_a_picture(edges: list[tuple[int, int]]) -> None:
    file = io.BytesIO()
    draw(graph(edges, 0), file)
    assert ET.fromstring(file.getvalue()).tag == "{http://www.w3.org/2000/svg}svg"
    assert f"{len(edges)} links".encode() in file.getvalue() or b"<text" not in file.getvalue()
