"""Every public name has a docstring: in ygg at run time, where one may be inherited; in the engine's stubs as text."""

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import ygg
import ygg_c

# Without ygg.__main__, which runs when imported.
MODULES = sorted(found.name for found in pkgutil.walk_packages(ygg.__path__, "ygg.") if "._" not in found.name)
STUBS = sorted(Path(ygg_c.__path__[0]).glob("*.pyi"))


def own(module: ModuleType) -> Iterator[tuple[str, object]]:
    """Yield the public classes and functions that a module defines, by name."""
    for name, value in vars(module).items():
        shown = (inspect.isclass(value) or inspect.isfunction(value)) and not name.startswith("_")
        if shown and value.__module__ == module.__name__:
            yield name, value


def undocumented_members(kind: type) -> Iterator[str]:
    """Yield a class's public methods and properties without a docstring of their own or of a base."""
    # A protocol says what it wants of a class that documents it.
    if getattr(kind, "_is_protocol", False):
        return
    for name, value in vars(kind).items():
        shown = isinstance(value, property | staticmethod | classmethod) or inspect.isfunction(value)
        if shown and not name.startswith("_") and not inspect.getdoc(getattr(kind, name)):
            yield name


def undocumented_fields(kind: type) -> Iterator[str]:
    """Yield a dataclass's public fields without a docstring below them."""
    if dataclasses.is_dataclass(kind):
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
        assert isinstance(tree, ast.ClassDef)
        yield from undocumented([node for node in tree.body if isinstance(node, ast.AnnAssign | ast.Expr)])


@pytest.mark.parametrize("name", MODULES)
def test_of_a_module(name: str) -> None:
    module = importlib.import_module(name)
    missing = [] if module.__doc__ else [name]
    for label, value in own(module):
        if not value.__doc__:
            missing.append(label)
        if inspect.isclass(value):
            missing += [f"{label}.{member}" for member in (*undocumented_members(value), *undocumented_fields(value))]
    assert not missing


def undocumented(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    """Yield what has no docstring in a stub: classes, functions, properties, and attributes with a type."""
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            if not ast.get_docstring(node):
                yield prefix + node.name
            yield from undocumented(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            setter = any(isinstance(made, ast.Attribute) and made.attr == "setter" for made in node.decorator_list)
            if not setter and not ast.get_docstring(node):
                yield prefix + node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            text = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            if not text and not node.target.id.startswith("_"):
                yield prefix + node.target.id


@pytest.mark.parametrize("stub", STUBS, ids=lambda path: path.stem)
def test_of_a_stub(stub: Path) -> None:
    assert not list(undocumented(ast.parse(stub.read_text()).body))


@pytest.mark.parametrize("stub", STUBS, ids=lambda path: path.stem)
def test_of_a_compiled_module(stub: Path) -> None:
    assert importlib.import_module(f"ygg_c.{stub.stem}").__doc__
