"""No module touches another's private names: those of a class that it neither is nor defines, or of another package.

What a base class keeps for its subclasses is theirs too, by `self`; so is what is defined anywhere in the same module,
of the engine in its .pyx or .pxd. The same holds for tests, which ask for public state.
"""

import ast
import re
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

ENGINE_FILES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "ygg_c").rglob("*.p*")
                      if path.suffix in (".pyx", ".pxd"))

TEST_FILES = sorted(path.relative_to(ROOT).as_posix() for folder in ("tests", "fuzz")
                    for path in (ROOT / folder).rglob("*.py"))

TESTS_ALLOWED = {
    # aioquic has no public way to make a client that breaks the rules, nor to see what it keeps; a link is built on it.
    "fuzz/test_quic.py": {
        "link._peer", "link._quic", "link._transport", "quic._cryptos", "quic._packet_number", "quic._peer_cid",
        "quic._version",
    },
    "tests/transport/quic/test_transport.py": {
        "client._protocol_paused", "client.link._quic", "link._quic", "link._transport", "link._transport._transport",
        "links[0]._transport", "links[0]._transport._transport", "links[1]._handle_timer", "links[1]._timer",
        "server._protocols", "stream.sender._buffer",
    },
    # asyncio's own name for what its event loops and TLS call.
    "tests/stream/test_memory.py": {"one._force_close"},
    # The other side goes in the very moment in which the handshake ends: the test stands there.
    "tests/stream/tls/test_handshake.py": {"TLSStream._open", "near._force_close"},
    # A test of that table.
    "tests/test_init.py": {"ygg._HOME_OF"},
    # A transport that its program forgets, which the library itself never does.
    "tests/vtun/test_stream.py": {"server._transports", "transport._connection", "transport._registry"},
}
"""By file what tests look at all the same, and why."""

PUBLIC = {"_replace", "_asdict", "_fields", "_make", "_exit"}
"""Names of named tuples, which begin with an underscore to keep apart from their fields, and `os._exit`."""


def private(name: str) -> bool:
    """Tell whether a name is private; `__init__` and its like are not."""
    return name.startswith("_") and not name.startswith("__") and name not in PUBLIC


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


def touched(source: str) -> set[str]:
    """Return the private names of others that a module uses."""
    tree = ast.parse(source)
    known = set(defined(tree))
    attributes = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)
                  and private(node.attr) and node.attr not in known and not own(node.value)}
    imported = {f"{node.module}.{alias.name}" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
                for alias in node.names if private(alias.name)}
    return attributes | imported


def code(source: str) -> str:
    """Return Cython source without its comments and docstrings."""
    return re.sub(r"#.*", "", re.sub(r'"""(?:.|\n)*?"""', "", source))


def touched_by_cython(source: str, whole: str) -> set[str]:
    """Return the private names of others in a .pyx or .pxd, given the text of both."""
    known = set(re.findall(r"(?<![.\w])_\w+", code(whole)))
    attributes = re.findall(r"(?=(?<!\w)(\w+)[()\[\]]*\.(_\w+))", code(source))   # of a chain each link
    imported = re.findall(r"^from (\S+) c?import (\([^)]*\)|.+)$", re.sub(r" as \w+", "", code(source)), re.M)
    return {f"{owner}.{name}" for owner, name in attributes
            if owner not in ("self", "cls", "super") and private(name) and name not in known} | {
            f"{module}.{name}" for module, names in imported for name in re.findall(r"(?<!\w)_\w+", names)}


def test_of_the_engine() -> None:
    found = {name: touched_by_cython(text(name), both(name)) for name in ENGINE_FILES}
    assert {name: names for name, names in found.items() if names} == {}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def both(name: str) -> str:
    """Return the text of a module's .pxd and .pyx."""
    path = ROOT / name
    return "".join(one.read_text(encoding="utf-8") for one in (path.with_suffix(".pxd"), path.with_suffix(".pyx"))
                   if one.exists())


def test_of_tests() -> None:
    found = {name: touched(text(name)) for name in TEST_FILES}
    assert {name: names for name, names in found.items() if names} == TESTS_ALLOWED


@pytest.mark.parametrize("name", FILES)
def test_of_a_module(name: str) -> None:
    assert touched(text(name)) == ALLOWED.get(name, set())


@pytest.mark.parametrize(("source", "found"), [
    ("import a\na._b()", {"a._b"}),
    ("from a import _b", {"a._b"}),
    ("class A(B):\n    def c(self): return self._inherited + super()._also", set()),
    ("class A:\n    def __init__(self): self._x = 1\n    def same(self, other): return self._x == other._x", set()),
    ("def f(one): one._x = 1", {"one._x"}),
    ("a.__class__", set()),
])
def test_what_is_found(source: str, found: set[str]) -> None:
    assert touched(source) == found


@pytest.mark.parametrize(("source", "found"), [
    ("cdef void f(A one):\n    one._b = 1", {"one._b"}),
    ("cdef class A:\n    cdef int _b\ncdef void f(A one):\n    one._b = 1", set()),
    ("    a = self._c + super()._d  # one._e", set()),
    ("    x = (<A>found)._b", {"found._b"}),
    ("    x = self._a._b + self.c()._d", {"_a._b", "c._d"}),
    ("from ygg_c.a cimport (\n    _b, c,\n)", {"ygg_c.a._b"}),
    ("from ygg_c.a import b as _b", set()),
])
def test_what_is_found_in_cython(source: str, found: set[str]) -> None:
    assert touched_by_cython(source, source.partition("cdef void")[0]) == found
