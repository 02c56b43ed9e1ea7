"""Every public name has a docstring: in ygg at run time, where one may be inherited; in the engine's stubs as text.

A name that is assigned has it as a text below: constants and type aliases of a module, attributes of a class (fields
of a dataclass and members of an enumeration among them), and those that its `__init__` gives to `self`.
"""

import ast
import functools
import importlib
import inspect
import logging
import pkgutil
import textwrap
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import ygg
import ygg_c

# Without ygg.__main__, which runs when imported.
MODULES = sorted(found.name for found in pkgutil.walk_packages(ygg.__path__, "ygg.") if "._" not in found.name)
ENGINE = Path(ygg_c.__path__[0])
STUBS = sorted(path.relative_to(ENGINE) for path in ENGINE.rglob("*.pyi"))


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


def assigned(body: list[ast.stmt], names: Callable[[ast.expr], Iterator[str]]) -> dict[str, bool]:
    """Return the public names that are assigned, and whether a text below each says what it is."""
    found: dict[str, bool] = {}
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            described = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for name in names(target):
                    found[name] = found.get(name, False) or described
    return {name: described for name, described in found.items() if not name.startswith("_")}


def variables(target: ast.expr) -> Iterator[str]:
    """Yield the variables that an assignment is to."""
    yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


def of_self(target: ast.expr) -> Iterator[str]:
    """Yield the attributes of `self` that an assignment is to."""
    for node in ast.walk(target):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            yield node.attr


@functools.cache
def attributes(kind: type) -> dict[str, bool]:
    """Return the public attributes that a class has by assignment, and whether each is described."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    found = assigned(tree.body, variables)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            found = assigned(node.body, of_self) | found
    return found


def undocumented_attributes(kind: type) -> Iterator[str]:
    """Yield a class's attributes that neither it nor a base describes."""
    if getattr(kind, "_is_protocol", False):
        return
    bases = [base for base in kind.__mro__[1:] if base.__module__.startswith("ygg.")]
    for name, described in attributes(kind).items():
        inherited = any(attributes(base).get(name) or isinstance(vars(base).get(name), property) for base in bases)
        if not described and not inherited:
            yield name


def undocumented_constants(module: ModuleType) -> Iterator[str]:
    """Yield a module's constants and type aliases without a text below them."""
    for name, described in assigned(ast.parse(inspect.getsource(module)).body, variables).items():
        if not described and not isinstance(getattr(module, name), logging.Logger | typing.TypeVar):
            yield name


@pytest.mark.parametrize("name", MODULES)
def test_of_a_module(name: str) -> None:
    module = importlib.import_module(name)
    missing = [] if module.__doc__ else [name]
    missing += undocumented_constants(module)
    for label, value in own(module):
        if not value.__doc__:
            missing.append(label)
        if inspect.isclass(value):
            members = (*undocumented_members(value), *undocumented_attributes(value))
            missing += [f"{label}.{member}" for member in members]
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


@pytest.mark.parametrize("stub", STUBS, ids=str)
def test_of_a_stub(stub: Path) -> None:
    assert not list(undocumented(ast.parse((ENGINE / stub).read_text()).body))


@pytest.mark.parametrize("stub", STUBS, ids=str)
def test_of_a_compiled_module(stub: Path) -> None:
    assert importlib.import_module(".".join(("ygg_c", *stub.with_suffix("").parts))).__doc__
