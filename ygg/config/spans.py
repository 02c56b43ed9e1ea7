"""Where the values of an HJSON text stand: members of its objects and elements of its lists, with comments left alone.

It finds places only. What a value means says the parser (`ygg.config.document`), and who changes a text has the parser
read the result: a text that is taken apart wrongly here is never written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ygg.errors import ConfigError

_FILLER = re.compile(r"(?:[\s,]|#[^\n]*|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_SPACE = re.compile(r"(?:\s|#[^\n]*|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_QUOTED = re.compile(r"'''.*?'''|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'", re.DOTALL)
_NAME = re.compile(r"[^\s,:\[\]{}]+")
_LITERAL = re.compile(r"(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?=[ \t]*(?:[,\]}\r\n]|#|//|/\*|\Z))")
_LINE = re.compile(r"[^\r\n]*")
DEPTH_MAX = 64
"""Objects and lists inside each other."""


@dataclass(frozen=True, slots=True)
class Span:
    """A value in a text."""

    start: int
    """Index of its first character."""
    end: int
    """Index behind its last."""
    name: str = ""
    """Of a member: its name, as it is written, without quotes."""
    plain: bool = False
    """Whether it is a text without quotes, which goes on to the end of its line."""


def root(text: str) -> Span:
    """Return the object that a text is; its braces may be missing. Raises `ConfigError`."""
    start = _SPACE.match(text).end()  # type: ignore[union-attr]
    return _value(text, start, 0) if text.startswith("{", start) else Span(0, len(text))


def members(text: str, span: Span) -> list[Span]:
    """Return the members of an object, in their order. Raises `ConfigError`."""
    return list(_members(text, span, 0))


def elements(text: str, span: Span) -> list[Span]:
    """Return the elements of a list, in their order. Raises `ConfigError`."""
    return list(_elements(text, span, 0))


def _members(text: str, span: Span, depth: int) -> Iterator[Span]:
    braced = text.startswith("{", span.start)
    at = _skip(_FILLER, text, span.start + braced)
    while at < len(text) and text[at] != "}":
        name = _QUOTED.match(text, at) or _NAME.match(text, at)
        if name is None:
            raise _wrong(text, at)
        colon = _skip(_SPACE, text, name.end())
        if not text.startswith(":", colon):
            raise _wrong(text, colon)
        value = _value(text, _skip(_SPACE, text, colon + 1), depth)
        yield Span(value.start, value.end, name[0].strip("\"'"), value.plain)
        at = _skip(_FILLER, text, value.end)
    if braced != (at < len(text)):
        raise _wrong(text, at)


def _elements(text: str, span: Span, depth: int) -> Iterator[Span]:
    at = _skip(_FILLER, text, span.start + 1)
    while at < len(text) and text[at] != "]":
        value = _value(text, at, depth)
        yield value
        at = _skip(_FILLER, text, value.end)
    if at >= len(text):
        raise _wrong(text, at)


def _value(text: str, start: int, depth: int) -> Span:
    if depth >= DEPTH_MAX:
        raise ConfigError("nested too deeply")
    first = text[start : start + 1]
    if first in ("{", "["):
        inside = (_members if first == "{" else _elements)(text, Span(start, start), depth + 1)
        end = start + 1
        for one in inside:
            end = one.end
        return Span(start, _skip(_FILLER, text, end) + 1)
    if found := _QUOTED.match(text, start) or _LITERAL.match(text, start):
        return Span(start, found.end())
    line = _LINE.match(text, start)
    if not line or not line[0] or first in "]},:":
        raise _wrong(text, start)
    return Span(start, start + len(line[0].rstrip()), plain=True)


def _skip(what: re.Pattern[str], text: str, at: int) -> int:
    return what.match(text, at).end()  # type: ignore[union-attr]


def _wrong(text: str, at: int) -> ConfigError:
    return ConfigError(f"line {text.count(chr(10), 0, at) + 1} is not understood")
