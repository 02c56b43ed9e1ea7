"""docs/troubleshooting.md has each error's text and each refusal of the command line, and nothing that is not said."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from ygg import errors

ROOT = Path(__file__).parent.parent
ROWS = [line for line in (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")]
MESSAGES = [message for row in ROWS for message in re.findall(r"`([^`]+)`", row.split(" | ")[0])]
ANY = "…"
ERRORS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)
          if issubclass(kind, errors.YggError) and "text" in vars(kind) and kind is not errors.YggError]


def spoken(node: ast.AST) -> str | None:
    """Return a string as it is written, with `…` for what is put in; None for what is none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else ANY for part in node.values)
    return None


def strings(folder: str) -> set[str]:
    return {text for path in (ROOT / folder).rglob("*.py")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if (text := spoken(node))}


def plain(text: str) -> str:
    """Return a message of the source as a page may have it: its examples are not in back-ticks there."""
    return re.sub(r"%[sdr]|…+", ANY, text)


SAID = {plain(text) for text in strings("ygg")}


def test_there_is_something_to_look_for() -> None:
    assert len(MESSAGES) > 80
    assert len(set(MESSAGES)) == len(MESSAGES)


@pytest.mark.parametrize("message", MESSAGES)
def test_each_message_is_said_somewhere(message: str) -> None:
    """Parts of it between what is put in follow each other in one string of the source."""
    parts = [part for part in message.split(ANY) if part.strip()]
    pattern = re.compile(".*".join(map(re.escape, parts)), re.S)
    assert parts
    assert any(pattern.search(text) for text in SAID)


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_each_error_has_its_line(kind: type[errors.YggError]) -> None:
    assert any(message.startswith(kind.text) for message in MESSAGES)


REFUSALS = ("CommandError", "UsageError", "TransferError", "CodeError", "MissingExtraError")
BY_ITSELF = ("cannot write", "cannot read", "peer …", "is a folder", "is no file;", "there is no folder", "is no name",
             "try another peer")
"""Parts of refusals that need no explanation, or are of another message that is explained."""


def refusals(folder: str) -> set[str]:
    """Return what the errors say that are made in a folder."""
    nodes = [node for path in (ROOT / folder).glob("*.py")
             for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    made = [node for node in nodes if isinstance(node.func, ast.Name) and node.func.id in REFUSALS and node.args]
    return {plain(text) for node in made if (text := spoken(node.args[0]))}


@pytest.mark.parametrize("folder", ["ygg/cli", "ygg/apps"])
def test_each_refusal_of_the_commands_has_its_line(folder: str) -> None:
    explained = [re.compile(re.escape(message).replace(ANY, ".*")) for message in MESSAGES]
    said = {text for text in refusals(folder) if not any(part in text for part in BY_ITSELF)}
    assert len(said) > 5
    assert [text for text in said if not any(message.fullmatch(text) for message in explained)] == []
