"""The programs of docs/simulation.md do what the page says."""

import re
from pathlib import Path
from typing import Any

import pytest

from ygg.simulation import World, topology

PAGE = Path(__file__).resolve().parents[2] / "docs/simulation.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)


def block(part: str) -> str:
    """Return the one block that has this in it."""
    (found,) = (text for text in BLOCKS if part in text)
    return str(found)


def test_nodes_and_links(capsys: pytest.CaptureFixture[str]) -> None:
    """With forty nodes in place of a thousand."""
    exec(block("barabasi_albert_graph(1000").replace("(1000,", "(40,"), names := {})
    assert names["link"].is_ending
    assert 7 not in names["world"].nodes
    assert capsys.readouterr().out.startswith("[")


def test_a_stack_without_a_loop() -> None:
    with World(seed=1) as world:
        world.build(topology.path_graph(4))
        world.run(20)
        names: dict[str, Any] = {"world": world}
        exec(block("stack.listen"), names)
        assert bytes(names["received"]) == bytes(10_000)


def test_a_program_is_the_same_twice(capsys: pytest.CaptureFixture[str]) -> None:
    exec(block("VirtualLoop"), {})
    assert capsys.readouterr().out == "b'500000 bytes'\n" * 2 + "True\n"
