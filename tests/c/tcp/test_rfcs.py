"""The page that says RFC by RFC what is implemented names files and tests that exist, and leaves no RFC out."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/tcp.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("| RFC |")[2].partition("\n\n")[0].splitlines()[2:]
ROWS = [line.strip("| ").split(" | ") for line in TABLE if line.startswith("| ")]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def in_tree(test: str) -> bool:
    """Whether a script, a file of tests or `file::name` exists."""
    file, _, name = test.partition("::")
    if not file.endswith(".py"):
        return (ROOT / f"tests/c/tcp/scripts/{file}.tcp").exists()
    found = [path for folder in ("tests/c", "fuzz") for path in (ROOT / folder).rglob(file)]
    return any(re.search(rf"^ *(def|class) {name}\b", path.read_text(encoding="utf-8"), re.MULTILINE) for path in found)


def test_there_are_rows() -> None:
    assert len(ROWS) > 30
    assert {len(row) for row in ROWS} == {4}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_a_row_names_exists(row: list[str]) -> None:
    _, _, where, tests = row
    assert [name for name in names(where) if not (ROOT / "ygg_c/tcp" / f"{name}.pyx").exists()] == []
    assert [name for name in names(tests) if not in_tree(name)] == []
    assert bool(names(where)) == bool(names(tests))


def test_what_does_not_exist_is_found() -> None:
    assert not in_tree("99-nothing")
    assert not in_tree("test_rfcs.py::test_that_is_none")
    assert not in_tree("test_that_is_none.py")


def test_every_rfc_that_code_and_scripts_name_is_on_the_page() -> None:
    files = [*(ROOT / "ygg_c/tcp").rglob("*.p*"), *(ROOT / "tests/c/tcp/scripts").iterdir()]
    named = {number for file in files if file.suffix in {".pyx", ".pxd", ".pyi", ".tcp"}
             for number in re.findall(r"RFC (\d+)", file.read_text(encoding="utf-8"))}
    assert sorted(named - set(re.findall(r"\b\d{3,5}\b", PAGE))) == []
    assert len(named) > 20
