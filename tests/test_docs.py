"""The Python in docs/ is Python, imports what there is, and quotes the examples as they are."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from benchmarks import table
from tests import nodes
from tests.aio import run
from ygg import Gateway, LoopbackNetwork
from ygg_c.base.clock import Clock
from ygg_c.io.tunpump import TunPump

ROOT = Path(__file__).parent.parent
BLOCKS = [
    pytest.param(text, id=f"{page.stem}-{number}")
    for page in sorted((ROOT / "docs").glob("*.md"))
    for number, text in enumerate(re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S))
]


PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_lines_have_at_most_120_columns(page: Path) -> None:
    """But for tables, and what is quoted."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    assert [line for line in text.splitlines() if len(line) > 120 and not line.startswith("|")] == []


@pytest.mark.parametrize("page", PAGES[:-1], ids=lambda page: page.stem)
def test_the_files_that_are_named_exist(page: Path) -> None:
    """By their path, or a test by its name alone; x and y stand for any."""
    folders = [ROOT / folder for folder in ("ygg", "ygg_c", "tests", "fuzz", "tools", "examples", "docs")]
    names = {path.name for folder in folders for path in folder.rglob("*")}
    text = page.read_text(encoding="utf-8")
    for path in re.findall(r"`((?:ygg|ygg_c|tests|fuzz|tools|examples|docs)/[\w./-]+)", text):
        assert (ROOT / path).exists() or "x/" in path, path
    for name in re.findall(r"`(test_\w+\.py)", text):
        assert name in names, name


@pytest.mark.parametrize("text", BLOCKS)
def test_block(text: str) -> None:
    tree = compile(text, "docs", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(str(node.module))
            assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


def test_the_network_of_ones_own_is_that_of_the_example() -> None:
    quoted = re.findall(r"^class LimitedNetwork.*?^```", (ROOT / "docs/networks.md").read_text(), re.M | re.S)
    assert quoted
    assert quoted[0].removesuffix("```") in (ROOT / "examples/own_network.py").read_text()


def test_the_counters_that_are_named_exist() -> None:
    page = (ROOT / "docs/logging.md").read_text(encoding="utf-8")
    named = re.findall(r"`([a-z…]+_[a-z_…]*)`", page[page.index("## What is counted") :])
    known = {f"device_{name}" for name in TunPump(-1, 1500, print, print, Clock()).counters()} | {"device_dropped"}

    async def main() -> None:
        async with nodes.node(1, LoopbackNetwork()) as core:
            gateway = Gateway(core)
            known.update(core.counters())
            gateway.close()

    run(main())
    assert len(named) > 10
    for name in named:
        pattern = re.escape(name).replace("…", ".+")
        assert any(re.fullmatch(pattern, counter) for counter in known), name


def shape(cell: str) -> str:
    """Return a cell, or the format of one, with all numbers alike."""
    return re.sub(r"\{[^}]*\}|\d[\d,.]*", "#", cell)


@pytest.mark.parametrize("page", ["README.md", "docs/performance.md"])
def test_the_daemon_is_set_beside_ygg_as_the_benchmark_prints_it(page: str) -> None:
    """A comparison is of one run: no other table speaks of the daemon."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    named = re.compile(r"\|.*\b(yggdrasil|reference|daemon)\b.*\|$")
    heads = [number for number, line in enumerate(lines) if named.match(line)]
    (start,) = (number for number in heads if lines[number + 1].startswith("|---"))
    assert re.fullmatch(r"\| \| ygg \| yggdrasil [\d.]+ \|", lines[start])
    rows = [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in lines[start + 2 :]]
    expected = [[name, *[shape(cell)] * 2] for name, cell in table.ROWS.items()]
    assert [[name, *map(shape, cells)] for name, *cells in rows[: len(expected)]] == expected
    assert not lines[start + 2 + len(expected)]


def test_each_word_of_the_glossary_has_a_meaning_and_a_relative() -> None:
    rows = re.findall(r"^\| (\*\*.+) \|$", (ROOT / "docs/glossary.md").read_text(encoding="utf-8"), re.M)
    sources = "\n".join(path.read_text(encoding="utf-8").lower() for folder in ("ygg", "ygg_c")
                        for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".pyx", ".pxd"))
    assert len(rows) > 50
    for row in rows:
        word, meaning, relative = row.split(" | ")
        assert meaning.strip()
        assert relative.strip()
        for one in re.findall(r"\*\*([^*]+)\*\*", word):
            assert one.split()[0].lower() in sources, one


def test_links_lead_somewhere() -> None:
    """Links between pages and to files are relative to the page that has them."""
    for page in (*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"
