"""docs/architecture.md has a room for each module, and no room imports one that stands above it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def rooms(title: str) -> list[list[str]]:
    """Return the modules of each room below a title, as paths from the package without suffix; a folder ends in `/`."""
    section = TEXT.split(f"## {title}\n")[1].split("\n## ")[0]
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return [[name.replace("…", "") for name in re.findall(r"`([^`]+)`", row[1])] for row in rows[1:]]


ROOMS = {"ygg_c": rooms("Rooms of the engine"), "ygg": rooms("Rooms of `ygg`")}


def modules(package: str) -> list[str]:
    """Return a package's modules as paths from it without suffix, but for `__init__`."""
    found = {path.relative_to(ROOT / package).with_suffix("").as_posix()
             for path in (ROOT / package).rglob("*") if path.suffix in (".py", ".pyx", ".pxd")}
    return sorted(name for name in found if not name.endswith("__init__"))


def level(package: str, module: str) -> int | None:
    """Return how high a module's room is."""
    for height, names in enumerate(ROOMS[package]):
        if any(module == name or (name.endswith("/") and module.startswith(name)) for name in names):
            return height
    return None


def imports(path: Path) -> Iterator[str]:
    """Yield the modules of ours that a file imports or cimports by absolute names, dotted."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module:
                yield node.module
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            elif isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
        return
    for module, names in re.findall(r"^\s*from ([\w.]+) c?import (.+)$", text, re.M):
        yield module
        yield from (f"{module}.{name.strip()}" for name in names.split(","))
    yield from re.findall(r"^\s*c?import ([\w.]+)", text, re.M)


def upward(package: str) -> Iterator[tuple[str, str]]:
    """Yield each import of a room by one below it."""
    for module in modules(package):
        height = level(package, module)
        for suffix in (".py", ".pyx", ".pxd"):
            path = ROOT / package / f"{module}{suffix}"
            for name in imports(path) if path.exists() else ():
                other = level(package, name.removeprefix(f"{package}.").replace(".", "/"))
                if name.startswith(f"{package}.") and height is not None and other is not None and other > height:
                    yield f"{package}.{module}".replace("/", "."), name


@pytest.mark.parametrize("package", ROOMS)
def test_each_module_has_one_room(package: str) -> None:
    names = [name for room in ROOMS[package] for name in room]
    assert len(names) == len(set(names))
    assert [module for module in modules(package) if level(package, module) is None] == []
    assert [name for name in names if not list((ROOT / package).glob(f"{name.rstrip('/')}*"))] == []


@pytest.mark.parametrize("package", ROOMS)
def test_no_room_imports_a_higher_one(package: str) -> None:
    assert list(upward(package)) == []


def test_the_engine_does_not_know_what_is_above_it() -> None:
    known = {name.split(".")[0] for path in (ROOT / "ygg_c").rglob("*.p[yx][xd]") for name in imports(path)}
    assert "ygg_c" in known
    assert "ygg" not in known


def test_upward_imports_are_found() -> None:
    """The check sees what it is for: with the order of rooms turned round nearly all imports lead upward."""
    rooms_of = ROOMS["ygg_c"]
    ROOMS["ygg_c"] = rooms_of[::-1]
    try:
        assert len(set(upward("ygg_c"))) > 50
    finally:
        ROOMS["ygg_c"] = rooms_of


def contributing() -> list[tuple[str, str]]:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Which file does it\n")[1]
    return re.findall(r"^\| (.+\?) \| `([^`]+)` \|$", text, re.M)


def test_the_ten_questions_have_their_files() -> None:
    answers = contributing()
    assert len(answers) == 10
    assert [path for _, path in answers if not (ROOT / path).is_file()] == []
