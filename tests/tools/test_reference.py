"""tools/reference.py: every public name is on a page of the reference, once, with its docstring."""

import ast
import importlib
import re
from pathlib import Path

import pytest

import reference
import ygg

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = reference.public_modules()
NAMES = sorted(name for name in ygg.__all__ if not name.startswith("_"))


def pages() -> dict[str, str]:
    made = reference.Pages()
    return {name: made.page(name) for name in (*PUBLIC, *reference.internal_modules())}


def test_each_module_has_a_page() -> None:
    assert PUBLIC[0] == "ygg"
    assert len(PUBLIC) == len(set(PUBLIC))
    assert not set(PUBLIC) & set(reference.internal_modules())
    assert {"ygg.node.links", "ygg_c.io.pump", "ygg_c.tcp.output"} <= set(reference.internal_modules())
    for name, text in pages().items():
        assert text.startswith(f"{name}\n")


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_has_a_docstring(name: str) -> None:
    value = getattr(ygg, name)
    assert reference.value_text("ygg", name)[1] or value.__doc__


def test_what_programs_of_ours_import_is_public() -> None:
    """The README, the pages and the examples show no module that a user is told not to use."""
    texts = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*.py")]
    imported = {module for path in texts
                for module in re.findall(r"^from (ygg[\w.]*) import", path.read_text(encoding="utf-8"), re.M)}
    assert len(imported) > 8
    assert imported <= set(PUBLIC)


def test_a_name_is_described_once() -> None:
    made = pages()
    assert ":exclude-members: Listener, LoopbackNetwork, NativeNetwork, Network, RejectNetwork, SocksNetwork" in made[
        "ygg.network"]
    assert ":py:obj:`ygg.VTun`" in made["ygg.vtun.vtun"]
    assert ":py:obj:`ygg.vtun.Server`" in made["ygg.vtun.server"]
    assert made["ygg.node.gateway"].count(":py:obj:`ygg.Gateway`") == 1


def test_a_module_with_the_name_of_a_function_that_its_package_offers_is_not_indexed() -> None:
    made = pages()
    assert ":no-index:" in made["ygg.blocking.routed"]
    assert [name for name, text in made.items() if ":no-index:" in text] == ["ygg.blocking.routed"]


def test_a_second_name_is_described_as_one() -> None:
    text = pages()["ygg"]
    assert ".. py:data:: ReadWriteCloser\n\n   \\ ``Gateway``\\ , by the name" in text
    assert ":exclude-members: ReadWriteCloser\n" in text


def test_a_function_that_is_wrapped_is_no_constant() -> None:
    assert ":members:" in pages()["ygg.testing"]
    assert "py:data" not in pages()["ygg.testing"]


def test_a_constant_has_the_text_below_it() -> None:
    assert reference.value_text("ygg", "BUILTIN") == reference.value_text("ygg.autopeer.builtin", "BUILTIN")
    assert ".. py:data:: BUILTIN\n\n   The source" in pages()["ygg"]


@pytest.mark.parametrize(("text", "becomes"), [
    ("`x`s and `y`", r"\ ``x``\ s and \ ``y``\ "),
    ("a * b", r"a \* b"),
    ("`*.onion`, or 2 * `check_*`", r"\ ``*.onion``\ , or 2 \* \ ``check_*``\ "),
])
def test_back_ticks_are_literals_and_stars_are_stars(text: str, becomes: str) -> None:
    assert reference.literals(text) == becomes


STUB = '''
LIMIT: int
"""How many."""

class Thing(Base):
    """A thing; `x`s."""

    size: int
    """Bytes."""
    def __init__(self) -> None: ...
    def put(self, data: bytes, /, *, at: int = 0) -> None:
        """Put."""
    @overload
    def get(self, one: int) -> int:
        """Get."""
    @overload
    def get(self, one: str) -> str: ...
    @property
    def end(self) -> int:
        """The end."""
    @end.setter
    def end(self, value: int) -> None: ...
    @staticmethod
    def make(size: int) -> Thing:
        """Make."""

def _hidden() -> None: ...
'''


def test_a_stub_is_described_with_its_types() -> None:
    lines = [line for line in reference.body(ast.parse(STUB).body, "", "") if line.strip()]
    assert lines == [
        ".. py:data:: LIMIT", "   :type: int", "   How many.",
        ".. py:class:: Thing", "   Bases: \\ ``Base``\\ \n\n   A thing; \\ ``x``\\ s.",
        "   .. py:attribute:: size", "      :type: int", "      Bytes.",
        "   .. py:method:: put(data: bytes, /, *, at: int=0) -> None", "      Put.",
        "   .. py:method:: get(one: int) -> int", "      Get.",
        "   .. py:property:: end", "      :type: int", "      The end.",
        "   .. py:method:: make(size: int) -> Thing", "      :staticmethod:", "      Make.",
    ]


@pytest.mark.parametrize("name", [name for name in reference.internal_modules() if reference.stub_of(name)])
def test_of_each_stub_there_is_something_to_say(name: str) -> None:
    assert importlib.import_module(name).__doc__
    assert f".. py:module:: {name}\n" in reference.Pages().page(name)
