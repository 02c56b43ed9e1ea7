"""tests.integrations.table: docs/integrations.md has the table that the tests make; its programs run."""

import ast
import asyncio
import importlib
import inspect
import re
import types
from pathlib import Path

import pytest

from tests.integrations import answering
from tests.integrations.table import table
from tests.sockets.threaded import threaded

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent.parent / "docs" / "integrations.md"
TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = {
    section.splitlines()[0]: "".join(re.findall(r"^```python\n(.*?)^```", section, re.M | re.S))
    for section in TEXT.split("\n## ")[1:]
}
ON_TRIO = [title for title, text in SECTIONS.items() if "trio.run(" in text]


def test_the_table_is_that_of_the_tests() -> None:
    """Where it is not, this prints it."""
    for path in sorted(FOLDER.glob("test_*.py")):
        importlib.import_module(f"tests.integrations.{path.stem}")
    shown = TEXT.split("tests/integrations/table.py -->\n")[1].split("<!-- end -->")[0]
    assert shown == table(), table()


async def answer(reader, writer):
    await reader.read()
    writer.close()


def names_for(pair):
    return {"vtun": pair.b, "other": pair.a, "address": pair.address_b, "app": answering.app, "answer": answer,
            "asyncio": asyncio}


@pytest.mark.parametrize("title", [title for title in SECTIONS if title not in ON_TRIO])
def test_a_program_runs(with_pair, title):
    async def main(pair):
        names = names_for(pair)
        code = compile(SECTIONS[title], str(PAGE), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        running = types.FunctionType(code, names)()
        if inspect.iscoroutine(running):
            await running

    with_pair(main)


@pytest.mark.parametrize("title", ON_TRIO)
def test_a_program_of_trio_runs(title):
    with threaded() as pair:
        names = names_for(pair)
        exec(compile(SECTIONS[title], str(PAGE), "exec"), names)
        names.clear()
    vars(pair).clear()
