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

ENGINE_ALLOWED = {
    "ygg_c/node/node.pyx": {"tree._all"},
    "ygg_c/routing/router.pyx": {
        "link._credit_refused", "link._held_until", "link._listed", "link._slice_end", "tree._all",
    },
    "ygg_c/routing/tree.pyx": {"link._control"},
    "ygg_c/routing/views.pyx": {"pathfinder._all_paths", "tree._all"},
    "ygg_c/session/table.pyx": {"openings._wanted"},
    "ygg_c/stack/demux.pyx": {"found._state"},
    "ygg_c/stack/icmp.pyx": {"stack._connections", "stack._half_open_error", "stack._now", "stack._ours"},
    "ygg_c/stack/renewal.pyx": {"host._now"},
    "ygg_c/stack/udp.pyx": {"host._now"},
    "ygg_c/tcp/arrival.pyx": {"connection._state"},
    "ygg_c/tcp/connection.pyx": {"host._now"},
    "ygg_c/tcp/halfopen.pyx": {"host._mtu", "host._now"},
    "ygg_c/tcp/icmp.pyx": {"connection._state"},
    "ygg_c/tcp/info.pyx": {"connection._state", "receiver._rtt"},
    "ygg_c/tcp/outgoing.pyx": {"host._mtu"},
    "ygg_c/tcp/output.pyx": {"connection._state"},
    "ygg_c/tcp/pmtud.pyx": {"connection._state", "host._mtu"},
    "ygg_c/tcp/pressure.pyx": {"host._now", "nodes._nodes"},
    "ygg_c/tcp/receiver.pyx": {"host._now"},
    "ygg_c/tcp/sender.pyx": {"connection._state", "host._mtu"},
    "ygg_c/tcp/timeouts.pyx": {"connection._state"},
    "ygg_c/tcp/timewait.pyx": {"connection._state", "host._now"},
}
"""The same of the engine: names that their modules should give without the underscore, and nothing else."""

TEST_FILES = sorted(path.relative_to(ROOT).as_posix() for folder in ("tests", "fuzz")
                    for path in (ROOT / folder).rglob("*.py"))

TESTS_ALLOWED = {
    "fuzz/test_answers.py": {"ygg.node.core._split_keys"},
    "fuzz/test_quic.py": {
        "link._peer", "link._quic", "link._transport", "peer._link", "quic._cryptos", "quic._packet_number",
        "quic._peer_cid", "quic._version",
    },
    "tests/autopeer/test_manager.py": {"manager._random"},
    "tests/c/io/test_tls.py": {"ygg.stream.tls.contexts._der"},
    "tests/faults/hostile.py": {"core._driver"},
    "tests/faults/test_handshakes.py": {"handshake._digest", "one._running"},
    "tests/faults/test_overlay.py": {"core._running", "record.carrier._transport"},
    "tests/faults/test_places.py": {"core._running"},
    "tests/faults/test_sessions.py": {"vtun._parts"},
    "tests/faults/test_stalls.py": {"core._running"},
    "tests/faults/test_urls.py": {"manager(LoopbackNetwork())._transports"},
    "tests/jumper/test_jumper.py": {"lab.jumper._tasks"},
    "tests/multicast/test_regexp.py": {"regexp._by_translation"},
    "tests/network/loopback/test_network.py": {"network._sources", "network._sources._bound"},
    "tests/network/native/test_changes.py": {"watched._kernel", "watched._readable"},
    "tests/network/native/test_resolver.py": {
        "names._late", "names._running", "names._unanswered", "names._waiting", "resolver._names_of",
        "resolver._remember",
    },
    "tests/node/links/test_dialer.py": {"one._running"},
    "tests/node/links/test_lifecycle.py": {"core._running", "self.world.own._running"},
    "tests/node/links/test_links.py": {"core._running"},
    "tests/node/links/test_places.py": {"one._running"},
    "tests/node/test_carrier.py": {"carrier._pump", "core._links", "record.carrier._pump"},
    "tests/node/test_core.py": {
        "Core(certificate, table, node_info={'buildname': 'other', 'x': [1]})._node_info",
        "Core(certificate, table, node_info_privacy=True)._node_info", "carrier._pump", "core._running",
        "one._queries",
    },
    "tests/node/test_redial.py": {"demand._until", "redial._away_since"},
    "tests/stream/test_memory.py": {"one._force_close"},
    "tests/stream/tls/test_handshake.py": {"TLSStream._open", "near._force_close"},
    "tests/test_congestion.py": {"core._links", "record.carrier._transport"},
    "tests/test_init.py": {"ygg._HOME_OF"},
    "tests/transport/quic/test_transport.py": {
        "client._link", "client._link._quic", "client._protocol_paused", "link._quic", "link._transport",
        "link._transport._transport", "links[0]._transport", "links[0]._transport._transport",
        "links[1]._handle_timer", "links[1]._timer", "listener._links", "listener._unopened", "server._link",
        "server._protocols", "server._wants_tokens", "stream.sender._buffer",
    },
    "tests/transport/test_manager.py": {"manager._uses"},
    "tests/transport/test_upgrade.py": {"listener._handshakes", "listener._tasks"},
    "tests/transport/test_ws.py": {"end._ping_timer"},
    "tests/vtun/test_options.py": {"server._factory", "server._transports"},
    "tests/vtun/test_stream.py": {
        "here.transport._connection", "server._transports", "transport._connection", "transport._registry",
    },
}
"""Tests that look at what is private yet: the list only shrinks."""

PUBLIC = {"_replace", "_asdict", "_fields", "_make"}
"""Names of named tuples, which begin with an underscore to keep apart from their fields."""


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
    assert {name: names for name, names in found.items() if names} == ENGINE_ALLOWED


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
