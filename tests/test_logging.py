"""docs/logging.md lists each message the library logs, with its logger and level, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
LEVELS = {"debug": "DEBUG", "info": "INFO", "warning": "WARNING", "error": "ERROR", "exception": "ERROR"}


def logged() -> Iterator[tuple[str, str, str]]:
    """Yield (logger, level, message) of each call in ygg; the level is "?" where it is computed."""
    for path in (ROOT / "ygg").rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = [ast.literal_eval(call.args[0]) for call in calls if ast.unparse(call.func) == "logging.getLogger"]
        for call in calls:
            owner, _, method = ast.unparse(call.func).rpartition(".")
            if owner not in ("log", "_log", "logger"):
                continue
            computed = method == "log"
            text = call.args[computed]
            assert isinstance(text, ast.Constant), f"{path}:{call.lineno}: the message is not a literal"
            yield names[0], "?" if computed else LEVELS[method], text.value


def listed() -> Iterator[tuple[str, str, str]]:
    """Yield what the table has, a row for each level."""
    for line in (ROOT / "docs" / "logging.md").read_text().splitlines():
        if row := re.match(r"\| `(ygg\.\w+)` \| ([A-Z]+)(?: or ([A-Z]+))? \| `([^`]*)` \|", line):
            logger, first, second, message = row.groups()
            yield from ((logger, level, message) for level in (first, second) if level)


def test_the_table_has_every_message_and_no_other() -> None:
    table = set(listed())
    calls = set(logged())
    computed = {(logger, message) for logger, level, message in calls if level == "?"}
    assert {(logger, message) for logger, _, message in table} >= computed
    plain = {call for call in calls if call[1] != "?"}
    rows = {row for row in table if (row[0], row[2]) not in computed}
    missing, stale = sorted(plain - rows), sorted(rows - plain)
    assert not missing, "logged and not in docs/logging.md"
    assert not stale, "in docs/logging.md and not logged"


def test_loggers_are_the_librarys() -> None:
    assert all(logger.startswith("ygg.") for logger, _, _ in logged())
