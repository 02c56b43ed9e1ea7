"""No module touches another's private names: those of a class that it neither is nor defines, or of another package.

What a base class keeps for its subclasses is theirs too, by `self`; so is what is defined anywhere in the same module.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "ygg").rglob("*.py"))

ALLOWED = {
    # The loops that are in use have no public way to tell a plain socket's transport; all of it is in one file.
    "ygg/stream/event_loops.py": {"transports._FlowControlMixin", "constants._SendfileMode"},
    # The stream and the protocol that it is for the one below: two faces of one thing, of which the base has the names.
    "ygg/stream/layered.py": {"self._stream._deliver", "self._stream._pause_writing"},
    # The other end is of the same class; the names are its base's.
    "ygg/stream/memory.py": {"self._peer._ended", "self._peer._resume_if_drained"},
    # argparse has no public name for the type of a group.
    "ygg/cli/common.py": {"argparse._MutuallyExclusiveGroup"},
    # aioquic does not tell how much it holds of a stream, nor takes a logger.
    "ygg/transport/quic/link.py": {
        "quic._logger", "self._quic._streams", "stream.sender._buffer", "stream.sender._pending"},
}
"""By file what it touches all the same, and why."""


def private(name: str) -> bool:
    """Tell whether a name is private; `__init__` and its like are not."""
    return name.startswith("_") and not name.startswith("__")


def defined(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module defines anywhere: functions, classes, variables, attributes of `self`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and own(node.value):
            yield node.attr


def own(owner: ast.expr) -> bool:
    """Tell whether an attribute of this is one of the class that speaks."""
    is_super = isinstance(owner, ast.Call) and ast.unparse(owner.func) == "super"
    return is_super or (isinstance(owner, ast.Name) and owner.id in ("self", "cls"))


def touched(text: str) -> set[str]:
    """Return the private names of others that a module uses."""
    tree = ast.parse(text)
    known = set(defined(tree))
    attributes = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)
                  and private(node.attr) and node.attr not in known and not own(node.value)}
    imported = {f"{node.module}.{alias.name}" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
                for alias in node.names if private(alias.name)}
    return attributes | imported


@pytest.mark.parametrize("name", FILES)
def test_of_a_module(name: str) -> None:
    assert touched((ROOT / name).read_text(encoding="utf-8")) == ALLOWED.get(name, set())


@pytest.mark.parametrize(("text", "found"), [
    ("import a\na._b()", {"a._b"}),
    ("from a import _b", {"a._b"}),
    ("class A(B):\n    def c(self): return self._inherited + super()._also", set()),
    ("class A:\n    def __init__(self): self._x = 1\n    def same(self, other): return self._x == other._x", set()),
    ("def f(one): one._x = 1", {"one._x"}),
    ("a.__class__", set()),
])
def test_what_is_found(text: str, found: set[str]) -> None:
    assert touched(text) == found
