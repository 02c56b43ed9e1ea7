"""Changing one list of a configuration where it stands: all else keeps its place, its form and its comments.

`added` and `removed` return the changed text. It is read again before, by the parser of configurations: what that makes
of it is what was there before and the one change, or `ConfigError` says that it has to be done by hand.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from typing import Any

from ygg.config import spans
from ygg.config.document import parse_document
from ygg.config.spans import Span
from ygg.errors import ConfigError

Path = tuple[str, ...]
"""Name of a member of the configuration, and of one inside it: `("InterfacePeers", "eth0")`."""

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_END_OF_LINE = re.compile(r"[ \t]*,?[ \t]*(?:(?:#|//)[^\r\n]*)?(?=\r?\n)")
_COMMA = re.compile(r"[ \t]*,")


def added(content: bytes, path: Path, value: str) -> bytes:
    """Return a configuration with `value` at the end of a list, which is made where it is missing."""
    return _changed(content, path, lambda texts: [*texts, value], lambda text: _add(text, path, value))


def removed(content: bytes, path: Path, is_it: Callable[[str], bool]) -> bytes:
    """Return a configuration without those elements of a list for which `is_it` holds."""

    def without(texts: list[str]) -> list[str]:
        return [text for text in texts if not is_it(text)]

    def edit(text: str) -> str:
        found = _find(text, path)
        if found is None:
            return text
        texts = _list_in(parse_document(content), path)
        places = spans.elements(text, found)
        if len(places) != len(texts):
            raise _by_hand("its list is not understood")
        for number in reversed([number for number, one in enumerate(texts) if is_it(one)]):
            text = _remove(text, spans.elements(text, found), number)
        return text

    return _changed(content, path, without, edit)


def texts(content: bytes, path: Path) -> list[str]:
    """Return the strings of a list; an empty one where it is missing. Raises `ConfigError`."""
    return _list_in(parse_document(content), path)


def _changed(
    content: bytes, path: Path, change: Callable[[list[str]], list[str]], edit: Callable[[str], str]
) -> bytes:
    bom, encoding = next(((bom, name) for bom, name in _BOMS if content.startswith(bom)), (b"", "utf-8"))
    text = content[len(bom) :].decode(encoding, "surrogateescape" if encoding == "utf-8" else "strict")
    wanted = change(texts(content, path))
    made = edit(text)
    result = bom + made.encode(encoding, "surrogateescape" if encoding == "utf-8" else "strict")
    try:
        read, before = parse_document(result), parse_document(content)
    except ConfigError as error:
        raise _by_hand(str(error)) from None
    if _list_in(read, path) != wanted or _without(read, path) != _without(before, path):
        raise _by_hand("its form is not understood")
    if _is_json(text) and not _is_json(made):
        raise _by_hand("it would be no JSON any more")
    return result


def _by_hand(why: str) -> ConfigError:
    return ConfigError(f"the configuration has to be changed by hand: {why}")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _member(document: dict[str, Any], name: str, *, exact: bool) -> Any:
    found = None
    for known, value in document.items():
        if known == name or (not exact and known.lower() == name.lower()):
            found = value
    return found


def _list_in(document: dict[str, Any], path: Path) -> list[str]:
    value: Any = document
    for depth, name in enumerate(path):
        if not isinstance(value, dict):
            raise _by_hand(f"{path[0]} is not an object")
        value = _member(value, name, exact=depth > 0)
        if value is None:
            return []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _by_hand(f"{path[0]} is not a list of strings")
    return [str(one) for one in value]


def _without(document: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a document without the list of a path, and what is empty or missing without it."""
    if len(path) == 1:
        return {name: value for name, value in document.items() if name.lower() != path[0].lower()}
    inner = _member(document, path[0], exact=False) or {}
    rest = {name: value for name, value in inner.items() if name != path[1]}
    return _without(document, path[:1]) | ({path[0]: rest} if rest else {})


def _find(text: str, path: Path) -> Span | None:
    """Return the list of a path; None where it is missing. Of several the last counts, as where it is read."""
    value: Span | None = spans.root(text)
    for depth, name in enumerate(path):
        found = spans.members(text, value) if value else []
        same = [one for one in found if one.name == name or (not depth and one.name.lower() == name.lower())]
        value = same[-1] if same else None
        if value is not None and text[value.start] not in "{[":
            return None
    return value


def _add(text: str, path: Path, value: str) -> str:
    found = _find(text, path)
    if found is not None:
        return _append(text, found, json.dumps(value, ensure_ascii=False))
    for depth in range(len(path) - 1, -1, -1):
        inside = _find(text, path[:depth])
        if inside is not None:
            return _add_member(text, inside, path[depth:], value)
    raise _by_hand("it is no object")


def _add_member(text: str, inside: Span, path: Path, value: str) -> str:
    """Put a member with the new list at the beginning of an object, or in place of one that is null."""
    made: Any = [value]
    for name in reversed(path[1:]):
        made = {name: made}
    known = spans.members(text, inside)
    same = [one for one in known if one.name.lower() == path[0].lower()]
    line = _new_line(text)
    braced = text.startswith("{", inside.start)
    indent = _indent(text, inside.start) + ("  " if braced else "")
    written = json.dumps(made, indent=2, ensure_ascii=False).replace("\n", line + indent)
    if same:
        if text[same[-1].start : same[-1].end] != "null":
            raise _by_hand(f"{path[0]} is not understood")
        return text[: same[-1].start] + written + text[same[-1].end :]
    member = f"{json.dumps(path[0], ensure_ascii=False)}: {written}"
    if not braced:
        return member + line + text
    after = inside.start + 1
    if not known:
        return f"{text[:after]}{line}{indent}{member}{line}{text[after:]}"
    return f"{text[:after]}{line}{indent}{member},{text[after:]}"


def _append(text: str, found: Span, value: str) -> str:
    known = spans.elements(text, found)
    line = _new_line(text)
    if not known:
        indent = _indent(text, found.start)
        inside = text[found.start + 1 : found.end - 1]
        end = "" if inside.rstrip(" \t").endswith("\n") else line + indent
        return f"{text[: found.start + 1]}{line}{indent}  {value}{inside.rstrip(' ') if end else inside}{end}" + (
            text[found.end - 1 :]
        )
    last = known[-1]
    comma = "" if last.plain or _COMMA.match(text, last.end) else ","
    rest = _END_OF_LINE.match(text, last.end)
    if rest is None:  # the list, or another element, goes on in this line
        return f"{text[: last.end]}, {value}{text[last.end :]}"
    indent = _indent(text, last.start)
    if text[: last.start].rstrip(" \t").endswith(("[", ",")):  # the first of its line stands elsewhere
        indent = _indent(text, found.start) + "  "
    return f"{text[: last.end]}{comma}{text[last.end : rest.end()]}{line}{indent}{value}{text[rest.end() :]}"


def _remove(text: str, known: list[Span], number: int) -> str:
    start, end = known[number].start, known[number].end
    comma = _COMMA.match(text, end)
    if comma is not None and not known[number].plain:
        end = comma.end()
    elif number and number == len(known) - 1:
        # It was the last, and the one before has a comma that JSON does not allow at the end.
        before = _COMMA.match(text, known[number - 1].end)
        if before is not None and not known[number - 1].plain:
            gap = before.end() - before.start()
            text = text[: before.start()] + text[before.end() :]
            start, end = start - gap, end - gap
    line = text.rfind("\n", 0, start) + 1
    rest = re.compile(r"[ \t]*\r?\n").match(text, end)
    if rest is not None and not text[line:start].strip():
        return text[:line] + text[rest.end() :]
    return text[:start] + text[end:].removeprefix(" ")


def _indent(text: str, at: int) -> str:
    line = text.rfind("\n", 0, at) + 1
    return re.match(r"[ \t]*", text[line:at])[0]  # type: ignore[index]


def _new_line(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
