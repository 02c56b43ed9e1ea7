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
    return [re.findall(r"`([^`]+)`", row[1]) for row in rows_of(title)]


def rows_of(title: str) -> list[list[str]]:
    """Return the cells of each row of the table below a title, without its head."""
    section = TEXT.split(f"## {title}\n")[1].split("\n## ")[0]
    return [line.split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]


ENGINE = {re.sub(r"[|` ]", "", row[0]): re.findall(r"`([^`]+)`", row[1]) for row in rows_of("Rooms of the engine")}
"""The modules of each room of the engine; the table does not name those of `tcp/`."""

ROOMS = {"ygg_c": [[room] for room in ENGINE], "ygg": rooms("Rooms of `ygg`")}


def modules(package: str) -> list[str]:
    """Return a package's modules as paths from it without suffix; its own `__init__`, which has all, is none."""
    found = {path.relative_to(ROOT / package).with_suffix("").as_posix()
             for path in (ROOT / package).rglob("*") if path.suffix in (".py", ".pyx", ".pxd")}
    return sorted(found - {"__init__"})


def level(package: str, module: str) -> int | None:
    """Return how high a module's room is."""
    for height, names in enumerate(ROOMS[package]):
        if any(module == name.rstrip("/") or (name.endswith("/") and module.startswith(name)) for name in names):
            return height
    return None


def imports(path: Path) -> Iterator[str]:
    """Yield what a file imports or cimports, dotted: modules, and names with their modules."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                assert node.module, f"{path}: a relative import"
                assert not node.level, f"{path}: a relative import"
                yield node.module
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            elif isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
        return
    for module, names in re.findall(r"^\s*from ([\w.]+) c?import (\([^)]*\)|.+)$", text, re.M):
        assert not module.startswith("."), f"{path}: a relative import"
        yield module
        yield from (f"{module}.{name}" for name in re.findall(r"\w+", names))
    for names in re.findall(r"^\s*c?import (.+)$", text, re.M):
        yield from re.findall(r"[\w.]+", names)


def upward_of(package: str, module: str, path: Path) -> Iterator[str]:
    """Yield what a file imports from rooms above its module's. Names of the package itself stand with programs."""
    height = level(package, module)
    for name in imports(path):
        _, _, inside = name.partition(f"{package}.")
        if height is None or not inside or not name.startswith(f"{package}."):
            continue
        other = level(package, inside.replace(".", "/"))
        if other is None and "." not in inside:
            other = len(ROOMS[package]) - 1
        if other is not None and other > height:
            yield name


def upward(package: str) -> Iterator[tuple[str, str]]:
    """Yield each import of a room by one below it."""
    for module in modules(package):
        for path in (ROOT / package / f"{module}{suffix}" for suffix in (".py", ".pyx", ".pxd")):
            if path.exists():
                yield from ((f"{package}.{module}".replace("/", "."), name)
                            for name in upward_of(package, module, path))


@pytest.mark.parametrize("package", ROOMS)
def test_each_module_has_one_room(package: str) -> None:
    names = [name for room in ROOMS[package] for name in room]
    assert len(names) == len(set(names))
    assert [module for module in modules(package) if level(package, module) is None] == []
    assert [name for name in names if not list((ROOT / package).glob(f"{name.rstrip('/')}*"))] == []


@pytest.mark.parametrize("package", ROOMS)
def test_no_room_imports_a_higher_one(package: str) -> None:
    assert list(upward(package)) == []


@pytest.mark.parametrize("room", [room for room in ENGINE if room != "tcp/"])
def test_the_table_names_each_module_of_the_engine(room: str) -> None:
    found = {path.stem for path in (ROOT / "ygg_c" / room).rglob("*.p[yx][xd]")} - {"__init__"}
    assert found == set(ENGINE[room])


@pytest.mark.parametrize("folder", [
    *(f"ygg_c/{room}".rstrip("/") for room in ENGINE),
    *sorted(path.parent.relative_to(ROOT).as_posix() for path in (ROOT / "ygg").rglob("*/__init__.py")),
])
def test_each_room_says_what_it_is_for(folder: str) -> None:
    """Three sentences at least: what it is for, what it takes and gives, and who may use it."""
    text = ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert len(re.findall(r"[.:](?=\s|$)", text)) >= 3, text


def circles(imported: dict[str, set[str]]) -> list[set[str]]:
    """Return the groups of modules that import each other, directly or by others."""
    reached = {name: set(names) for name, names in imported.items()}
    for middle in reached:
        for names in reached.values():
            if middle in names:
                names |= reached[middle]
    found = [{other for other in names if name in reached[other]} for name, names in reached.items() if name in names]
    return [group for index, group in enumerate(found) if group not in found[:index]]


def test_modules_import_each_other_in_one_direction() -> None:
    """Imports for the type checker and those inside functions count; a package's `__init__` is no module of it."""
    paths = {f"ygg.{module}".replace("/", "."): ROOT / "ygg" / f"{module}.py" for module in modules("ygg")}
    known = {name: path for name, path in paths.items() if path.is_file() and not name.endswith(".__init__")}
    imported = {name: set(imports(path)) & set(known) - {name} for name, path in known.items()}
    assert sum(map(len, imported.values())) > 300
    assert circles(imported) == []


@pytest.mark.parametrize(("imported", "found"), [
    ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
    ({"a": {"b"}, "b": {"a"}, "c": {"a"}}, [{"a", "b"}]),
    ({"a": {"b"}, "b": {"c"}, "c": {"a"}}, [{"a", "b", "c"}]),
])
def test_circles_are_found(imported: dict[str, set[str]], found: list[set[str]]) -> None:
    assert circles(imported) == found


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


@pytest.mark.parametrize(("name", "text", "found"), [
    ("x.py", "from ygg.vtun import VTun", {"ygg.vtun", "ygg.vtun.VTun"}),
    ("x.py", "from ygg import vtun, errors", {"ygg.vtun"}),
    ("x.py", "def late():\n    import ygg.vtun", {"ygg.vtun"}),
    ("x.py", "from ygg import VTun", {"ygg.VTun"}),
    ("x.py", "from ygg.errors import YggError\nfrom vtun import ygg", set()),
    ("x.pyx", "from ygg_c.io.pump cimport Pump", {"ygg_c.io.pump", "ygg_c.io.pump.Pump"}),
    ("x.pyx", "from ygg_c.io cimport (\n    tls,\n    pump,\n)", {"ygg_c.io", "ygg_c.io.tls", "ygg_c.io.pump"}),
    ("x.pyx", "cimport ygg_c.base.clock, ygg_c.io.pump", {"ygg_c.io.pump"}),
])
def test_each_form_of_an_upward_import_is_found(tmp_path: Path, name: str, text: str, found: set[str]) -> None:
    (tmp_path / name).write_text(text)
    package, module = ("ygg", "network/base") if name == "x.py" else ("ygg_c", "routing/router")
    assert set(upward_of(package, module, tmp_path / name)) == found


@pytest.mark.parametrize(("name", "text"), [
    ("x.py", "from . import pump"), ("x.py", "from ..io import pump"),
    ("x.pyx", "from . cimport pump"), ("x.pyx", "from ..io.pump cimport (\n    Pump,\n)"),
])
def test_a_relative_import_is_refused(tmp_path: Path, name: str, text: str) -> None:
    """It would lead upward without being seen."""
    (tmp_path / name).write_text(text)
    with pytest.raises(AssertionError, match="a relative import"):
        list(imports(tmp_path / name))


def contributing() -> list[tuple[str, str]]:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Which file does it\n")[1]
    return re.findall(r"^\| (.+\?) \| `([^`]+)` \|$", text, re.M)


def test_the_ten_questions_have_their_files() -> None:
    answers = contributing()
    assert len(answers) == 10
    assert [path for _, path in answers if not (ROOT / path).is_file()] == []


C_HEADERS = {"errno.h", "math.h", "stddef.h", "stdint.h", "stdlib.h", "string.h"}
"""Of C itself, which every system has."""
SYSTEM = {"ygg_c/base/clock.pyx", "ygg_c/io/kernel.pxd"}
"""The modules that ask the system: for the time, and for all that pumps want, which a build may leave out."""


def test_the_engine_asks_the_system_in_two_modules() -> None:
    for path in sorted((ROOT / "ygg_c").rglob("*.p[yx][xd]")):
        text, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
        headers = set(re.findall(r'(?:#include\s*|extern from ")<([^>]+)>', text))
        assert name in SYSTEM or headers <= C_HEADERS, name
        assert not re.search(r"\bposix\b.* cimport|\bssize_t\b", re.sub(r"Py_ssize_t", "", text)), name
