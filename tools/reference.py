"""The pages of the API reference, one for each module; docs/conf.py has Sphinx read them.

Each name is described once, where the first of these has it: `ygg`, the other public modules in the order of the table
in docs/reference.md, the module that defines it. Elsewhere there is a pointer. Modules of `ygg` are read by autodoc;
those of the compiled engine from their stubs, which have the types.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import ygg
import ygg_c

RUN_WHEN_IMPORTED = {"ygg.__main__"}
DOCS = Path(__file__).resolve().parent.parent / "docs"


def public_modules() -> list[str]:
    """Return the modules that docs/reference.md calls public."""
    return re.findall(r"^\| `(ygg[\w.]*)` \|", (DOCS / "reference.md").read_text(encoding="utf-8"), re.M)


def internal_modules() -> list[str]:
    """Return all other modules of both packages."""
    found = {found.name for package in (ygg, ygg_c)
             for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")}
    return sorted(found - RUN_WHEN_IMPORTED - {*public_modules()})


def offered(module: ModuleType) -> list[str]:
    """Return the public names of a module: those of `__all__`, else what it defines itself."""
    defined = [name for name, value in vars(module).items()
               if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__]
    return [name for name in getattr(module, "__all__", defined) if not name.startswith("_")]


class Pages:
    """The text of each page, and what has been described on it and on those before."""

    def __init__(self) -> None:
        self._described: dict[int, str] = {}

    def page(self, name: str) -> str:
        """Return a module's page."""
        head = f"{name}\n{'=' * len(name)}\n\n"
        stub = stub_of(name)
        return head + (described_by_stub(name, stub) if stub else self._described_by_autodoc(name))

    def _described_by_autodoc(self, name: str) -> str:
        module = importlib.import_module(name)
        pointers: list[tuple[str, str]] = []
        aliases: list[str] = []
        constants: list[str] = []
        for member in offered(module):
            value = getattr(module, member)
            if not (inspect.isclass(value) or inspect.isfunction(inspect.unwrap(value))):
                constants += [member] if value_text(name, member)[0] != name else []
            elif (where := self._described.setdefault(id(value), f"{name}.{member}")) != f"{name}.{member}":
                if where.rpartition(".")[0] == name:
                    aliases.append(member)
                else:
                    pointers.append((member, where))
        lines = [f".. automodule:: {name}", "   :members:"]
        if name in self._described.values():    # a package offers a function by the name of the module that defines it
            lines.append("   :no-index:")
        if elsewhere := [*(member for member, _ in pointers), *aliases]:
            lines.append(f"   :exclude-members: {', '.join(elsewhere)}")
        for member in [*aliases, *constants]:
            lines += ["", *entry("", f"py:data:: {member}", value_text(name, member)[1])]
        if pointers:
            places = dict.fromkeys(where for _, where in pointers)
            lines += ["", "Also here: " + ", ".join(f":py:obj:`{where}`" for where in places) + "."]
        return "\n".join([*lines, ""])


def value_text(module: str, name: str) -> tuple[str, str]:
    """Return the module in which a constant is given its value, and the text below that."""
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if name == (alias.asname or alias.name):
                    return value_text(node.module, alias.name)
    for target, text in assignments(tree.body):
        if target == name:
            return module, text
    return module, ""


def assignments(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Yield each name that is assigned, or declared with a type, and the text below."""
    for node, following in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        below = following.value if isinstance(following, ast.Expr) else None
        text = inspect.cleandoc(str(below.value)) if isinstance(below, ast.Constant) else ""
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from ((target.id, text) for target in targets if isinstance(target, ast.Name))


def literals(text: str) -> str:
    """Return a docstring's text with Markdown's back-ticks as reStructuredText's literals, also before a letter."""
    # Stars are escaped, but for those in literals.
    return re.sub(r"(?<!`)`([^`]+)`(?!`)|\*", lambda found: rf"\ ``{found[1]}``\ " if found[1] else r"\*", text)


# Stubs


def stub_of(name: str) -> Path | None:
    """Return the stub of a compiled module."""
    package = Path(ygg_c.__path__[0])
    path = package.joinpath(*name.split(".")[1:]).with_suffix(".pyi")
    return path if name.startswith("ygg_c.") and path.exists() else None


def described_by_stub(name: str, stub: Path) -> str:
    """Return what the stub of a module says."""
    lines = [f".. py:module:: {name}", "", literals(importlib.import_module(name).__doc__ or "").split("; see ")[0], ""]
    return "\n".join([*lines, *body(ast.parse(stub.read_text(encoding="utf-8")).body, "", "")])


def body(statements: list[ast.stmt], indent: str, within: str) -> Iterator[str]:
    """Yield the lines that describe a module's or a class's body."""
    texts = dict(assignments(statements))
    for node in once(statements):
        if name_of(node).startswith("_"):
            continue
        if isinstance(node, ast.ClassDef):
            bases = "".join(f"Bases: `{ast.unparse(base)}`\n\n" for base in node.bases)
            yield from entry(indent, f"py:class:: {node.name}", bases + (ast.get_docstring(node) or ""))
            yield from body(node.body, indent + "   ", "class")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from function(node, indent, within)
        elif isinstance(node, ast.AnnAssign):
            name, kind = name_of(node), "py:attribute" if within else "py:data"
            yield from entry(indent, f"{kind}:: {name}", texts[name], f":type: {ast.unparse(node.annotation)}")


def name_of(node: ast.stmt) -> str:
    """Return the name that a statement defines, if it does that."""
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    return getattr(node, "name", "")


def once(statements: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements, and of those that define the same name only the first: the others are overloads and setters."""
    seen: set[str] = set()
    for node in statements:
        name = name_of(node)
        if not name or name not in seen:
            yield node
        seen.add(name)


def function(node: ast.FunctionDef | ast.AsyncFunctionDef, indent: str, within: str) -> Iterator[str]:
    """Yield the lines that describe a function, a method or a property."""
    marks = [ast.unparse(mark) for mark in node.decorator_list]
    result = ast.unparse(node.returns) if node.returns else "None"
    if "property" in marks:
        yield from entry(indent, f"py:property:: {node.name}", ast.get_docstring(node), f":type: {result}")
        return
    arguments = ast.unparse(node.args)
    if within and "staticmethod" not in marks:
        arguments = re.sub(r"^(self|cls)(, )?(/, )?", "", arguments)
    options = [f":{mark}:" for mark in marks if mark in ("staticmethod", "classmethod")]
    kind = "py:method" if within else "py:function"
    yield from entry(indent, f"{kind}:: {node.name}({arguments}) -> {result}", ast.get_docstring(node), *options)


def entry(indent: str, head: str, text: str | None, *options: str) -> Iterator[str]:
    """Yield the lines of one directive."""
    yield f"{indent}.. {head}"
    yield from (f"{indent}   {option}" for option in options)
    yield ""
    yield textwrap.indent(literals(text or ""), indent + "   ")
    yield ""


# All pages


def contents(title: str, names: list[str]) -> str:
    """Return a page that lists others."""
    entries = "\n".join(f"   {name}" for name in names)
    return f"{title}\n{'=' * len(title)}\n\n.. toctree::\n   :maxdepth: 1\n\n{entries}\n"


def write(folder: Path = DOCS / "reference") -> None:
    """Write all pages."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    public, internal, pages = public_modules(), internal_modules(), Pages()
    for name in (*public, *internal):
        (folder / f"{name}.rst").write_text(pages.page(name), encoding="utf-8")
    (folder / "public.rst").write_text(contents("Public modules", public), encoding="utf-8")
    (folder / "internal.rst").write_text(contents("Internal modules", internal), encoding="utf-8")
