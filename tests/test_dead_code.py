"""Nothing is defined that nothing uses, in the engine and in the library, as far as a search for words can tell.

A name is used where it stands anywhere but in its own definitions, declarations and imports: in code of the engine and
the library, in tests, tools and examples; and for the library in the pages, whose readers may call it. What shares its
name with something in use is not found.
"""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

ENGINE_ALLOWED = {
    "QUERY_TREE": "the last of the kinds of queries: what is left when the others have been told apart",
}
"""Names of the engine that nothing uses, each with the reason for which it stays."""

LIBRARY_ALLOWED = {
    "_clock_resolution": "asyncio's event loop reads it",
    "_connection_id_issued_handler": "aioquic calls it",
    "_connection_id_retired_handler": "aioquic calls it",
    "_sendfile_compatible": "loop.sendfile() looks for it",
    "_start_tls_compatible": "loop.start_tls() looks for it",
    "atexit": "an attribute of weakref.finalize",
    "create_sockets": "hypercorn calls it",
    "errorlog": "hypercorn reads it",
    "did_shutdown_SHUT_WR": "trio reads it",
    "extra_attributes": "anyio reads it",
    "select_subprotocol": "websockets calls it",
}
"""The same of `ygg`."""

NAMES = re.compile(r"\w+")
BLOCK = re.compile(r"\s*(?:cdef|ctypedef) (?:packed )?(enum|struct)\b ?(\w*).*:$")
CLASS = re.compile(r"\s*(?:cdef )?class (\w+)")
FUNCTION = re.compile(r"\s*c?p?def\s(?:[^=(]*?[\s*])?(\w+)\(")
VARIABLE = re.compile(r"\s*cdef (?!class|inline|extern|enum|struct)[^=(]+(?: = .*)?$")
EXTERNAL = re.compile(r"\s*(?:const )?\w+ (\w+) \"\w+\"$")


def code(text: str) -> str:
    """Return Cython source without docstrings, comments and imports."""
    text = re.sub(r"#.*", "", re.sub(r'"""(?:.|\n)*?"""', '""', text))
    return re.sub(r"^ *(?:from \S+ )?c?import (?:\([^)]*\)|.+)$", "", text, flags=re.M)


def declared(text: str) -> Iterator[str]:
    """Yield the names that a Cython file defines or declares, each as often as it does."""
    block, depth = "", 0
    for line in filter(str.strip, code(text).splitlines()):
        indent = len(line) - len(line.lstrip())
        block = block if indent > depth else ""
        if match := BLOCK.match(line):
            block, depth = match[1], indent
            yield from filter(None, [match[2]])
        elif match := CLASS.match(line) or FUNCTION.match(line) or EXTERNAL.match(line):
            yield match[1]
        elif block == "enum":
            yield from re.findall(r"(\w+)(?: = [^,]*)?(?:,|$)", line)
        elif block == "struct" or VARIABLE.match(line):
            yield from variables(line)


def variables(line: str) -> Iterator[str]:
    """Yield the names in `cdef type a, b[3], *c`, or in a field of a struct."""
    for part in re.sub(r"\[[^]]*\]", "", line.partition(" = ")[0]).split(","):
        yield from NAMES.findall(part)[-1:]


def defined(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a Python file defines: functions, classes, attributes, variables of a module or class."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        if isinstance(node, ast.Module | ast.ClassDef):
            for child in node.body:
                targets = child.targets if isinstance(child, ast.Assign) else [getattr(child, "target", None)]
                yield from (target.id for target in targets if isinstance(target, ast.Name))


def spoken(tree: ast.Module) -> str:
    """Return Python source without docstrings, comments and imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [child for child in node.body if not isinstance(child, ast.Import | ast.ImportFrom) and not (
                isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant))] or [ast.Pass()]
    return ast.unparse(tree)


def words(*texts: str) -> Counter[str]:
    """Return how often each word stands in these texts."""
    return Counter(word for text in texts for word in NAMES.findall(text))


def read(*patterns: str) -> list[str]:
    """Return the texts of files, but for this one and what is no text of ours."""
    return [path.read_text(encoding="utf-8") for pattern in patterns for path in sorted(ROOT.glob(pattern))
            if path.is_file() and path.suffix in ("", ".py", ".pyx", ".pxd", ".md") and path != Path(__file__)]


ENGINE = read("ygg_c/**/*.pyx", "ygg_c/**/*.pxd")
LIBRARY = read("ygg/**/*.py")
OTHERS = words(*read("tests/**/*.py", "fuzz/**/*.py", "tools/**/*", "examples/**/*.py", "conftest.py"))


def unused(known: Counter[str], used: Counter[str]) -> set[str]:
    """Return the names that stand nowhere but where they are defined."""
    return {name for name, count in known.items() if used[name] <= count and not name.startswith("__")}


def test_of_the_engine() -> None:
    known = Counter(name for text in ENGINE for name in declared(text))
    assert unused(known, words(*map(code, ENGINE), *LIBRARY) + OTHERS) == set(ENGINE_ALLOWED)


def test_of_the_library() -> None:
    known = Counter(name for text in LIBRARY for name in defined(ast.parse(text)))
    used = words(*[spoken(ast.parse(text)) for text in LIBRARY], *ENGINE, *read("docs/*.md", "README.md"))
    assert unused(known, used + OTHERS) == set(LIBRARY_ALLOWED)


@pytest.mark.parametrize(("find", "source", "names"), [
    (declared, "cdef enum Kind:\n    A = 1   # of a kind\n    B, C = 2\n", ["Kind", "A", "B", "C"]),
    (declared, "cdef struct S:\n    uint8_t *at, key[32]\ncdef class T(U):\n    cdef readonly list all\n",
     ["S", "at", "key", "T", "all"]),
    (declared, "cdef inline uint8_t *f(int a) noexcept:\n    cdef int b = f(a), c\n    def g(self): return b\n",
     ["f", "b", "g"]),
    (declared, 'from a cimport b\ncdef extern from *:\n    """\n    #define X 1\n    """\n    const int X "YGG_X"\n',
     ["X"]),
    (defined, "import a\nB: int = 1\nclass C:\n    d = 2\n    def e(self): self.f = g = 3\n",
     ["B", "C", "e", "d", "f"]),
])
def test_what_is_taken_for_a_definition(find: Callable[[object], Iterator[str]], source: str, names: list[str]) -> None:
    assert sorted(find(ast.parse(source) if find is defined else source)) == sorted(names)
