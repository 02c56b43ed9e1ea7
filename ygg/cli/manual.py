"""Manual pages (man(7)) made from the parsers: one of `ygg`, one of each command."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ygg.cli.parser import Parser


def pages(whole: Parser, known: dict[str, Parser]) -> dict[str, str]:
    """Return the pages by file name."""
    found = {"ygg.1": page("ygg", whole, known)}
    return found | {f"ygg-{name}.1": page(f"ygg-{name}", parser, {}) for name, parser in known.items()}


def _summary(parser: Parser) -> str:
    """Return the first sentence of its description, without the stop."""
    return (parser.description or "").partition(". ")[0].rstrip(".")


def page(name: str, parser: Parser, commands: Mapping[str, Parser]) -> str:
    """Return a page."""
    lines = [f'.TH {name.upper()} 1 "" "ygg" "User Commands"']
    lines += [".SH NAME", f"{_text(name)} \\- {_text(_summary(parser))}"]
    lines += [".SH SYNOPSIS", *_synopsis(name, parser, commands), ".SH DESCRIPTION", _text(parser.description or "")]
    if arguments := list(_arguments(parser)):
        lines += [".SH OPTIONS", *arguments]
    if commands:
        lines.append(".SH COMMANDS")
        for command, one in commands.items():
            lines += [".TP", f".BR ygg\\-{_text(command)} (1)", _text(_summary(one) + ".")]
    lines += [".SH EXIT STATUS", "0: done. 1: it did not work; a line says why. 2: the command makes no sense. "
              "130: interrupted."]
    if not commands:
        lines += [".SH SEE ALSO", ".BR ygg (1)"]
    return "\n".join(lines) + "\n"


def _synopsis(name: str, parser: Parser, commands: Mapping[str, Parser]) -> Iterator[str]:
    words = [_named(action) if action.required and not _is_list(action) else f"[{_named(action)}]"
             for action in parser.arguments()]
    yield f".B {_text(name.replace('-', ' ', 1))}"
    yield " ".join([*words, *(["COMMAND ..."] if commands else [])])


def _is_list(action: argparse.Action) -> bool:
    return action.nargs in ("?", "*")


def _arguments(parser: Parser) -> Iterator[str]:
    for action in parser.arguments():
        yield ".TP"
        yield f".B {', '.join(map(_text, action.option_strings)) or _value(action)}" + (
            f" {_value(action)}" if action.option_strings and action.nargs != 0 else "")
        yield _text((action.help or "").replace("%%", "%"))


def _named(action: argparse.Action) -> str:
    if not action.option_strings:
        return _value(action)
    return _text(action.option_strings[-1]) + (f" {_value(action)}" if action.nargs != 0 else "")


def _value(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return _text(action.metavar)
    return _text("{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper())


def _text(text: str) -> str:
    """Return text that roff takes as it is: no escape, no request at the begin of a line, dashes that are dashes."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("'", "\\(aq")
    return re.sub(r"^\.", "\\&.", text)
