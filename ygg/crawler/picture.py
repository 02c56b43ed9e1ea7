"""A picture of a network: the nodes around the one that was begun with, by how many links they are away."""

from __future__ import annotations

import math
from typing import IO, TYPE_CHECKING

from ygg.crawler.graph import Graph
from ygg.errors import MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path

Places = dict[bytes, tuple[float, float]]
"""Where nodes are drawn, by key."""


def places(graph: Graph) -> Places:
    """Return where to draw each node: on rings by distance from the first, each in the sector of the one before it."""
    tree = graph.tree()
    depth: dict[bytes, int] = {}
    leaves: dict[bytes, int] = {}
    for key, before in tree:
        depth[key] = 0 if before is None else depth[before] + 1
    for key, before in reversed(tree):
        leaves[key] = max(leaves.get(key, 0), 1)
        if before is not None:
            leaves[before] = leaves.get(before, 0) + leaves[key]
    first = {key: 0.0 for key, before in tree if before is None}
    total, begin = sum(leaves[key] for key in first), 0.0
    found: Places = {}
    free: dict[bytes, float] = {}       # where the sector of the next node after it begins
    for key, before in tree:
        if before is None:
            start, begin = begin, begin + leaves[key]
        else:
            start = free[before]
            free[before] += leaves[key]
        free[key] = start
        angle = 2 * math.pi * (start + leaves[key] / 2) / total
        ring = depth[key] if len(first) == 1 else depth[key] + 1
        found[key] = ring * math.cos(angle), ring * math.sin(angle)
    return found


def draw(graph: Graph, file: str | Path | IO[bytes], format: str = "svg") -> None:
    """Draw the network into a file, as SVG or another format of matplotlib's. Needs the extra `plot`.

    Links that both nodes tell of are dark, those that one tells of are light; nodes that have answered are filled.
    """
    try:
        from matplotlib.collections import LineCollection
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("a picture needs matplotlib: pip install 'ygg[plot]'") from error
    where = places(graph)
    figure = Figure(figsize=(10, 10))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_aspect("equal")
    links = graph.links()
    colors = ["#33669999" if link.both else "#99999966" for link in links]
    lines = [(where[link.a], where[link.b]) for link in links]
    axes.add_collection(LineCollection(lines, colors=colors, linewidths=0.6))
    for answered, color in ((True, "#336699"), (False, "#ffffff")):
        points = [where[node.key] for node in graph if (node.peers is not None) is answered]
        across, up = [point[0] for point in points], [point[1] for point in points]
        axes.scatter(across, up, s=14, c=color, edgecolors="#336699", linewidths=0.6, zorder=2)
    start = next(iter(where.values()), (0.0, 0.0))
    axes.scatter([start[0]], [start[1]], s=60, c="#cc6633", zorder=3)
    axes.set_title(f"{len(graph.nodes)} nodes, {len(links)} links", y=0.97, fontsize=10)
    axes.margins(0.03)
    figure.savefig(file, format=format)
