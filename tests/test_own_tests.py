"""Each module has a test file of its own, in the place that mirrors its own: of ygg/x/y.py tests/x/test_y.py, of
ygg_c/x/y.pyx tests/c/x/test_y.py. How much of it that runs `tools/coverage` says.
"""

import ast
from pathlib import Path

import pytest

from owntests import ROOT, file_of, modules


def names_of(path: Path) -> list[str]:
    """Return the names of the tests in a file, methods of classes among them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assigned = [target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets
                if isinstance(target, ast.Name)]
    return [name for name in [*functions, *assigned] if name.lower().startswith("test")]


def test_each_module_has_its_tests() -> None:
    assert len(modules()) > 200
    assert [module for module in modules() if not (ROOT / file_of(module)).exists()] == []


def test_each_file_has_some() -> None:
    assert [module for module in modules() if not names_of(ROOT / file_of(module))] == []


@pytest.mark.parametrize(("module", "file"), [
    ("ygg/url.py", "tests/test_url.py"),
    ("ygg/stream/tls/object.py", "tests/stream/tls/test_object.py"),
    ("ygg_c/tcp/congestion/base.pyx", "tests/c/tcp/congestion/test_base.py"),
])
def test_where_they_are(module: str, file: str) -> None:
    assert file_of(module) == file
