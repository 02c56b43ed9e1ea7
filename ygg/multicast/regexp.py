"""Interface patterns, in the syntax of Go's regexp package that the stock daemon's configuration files are written in.

RE2, which has that syntax, finds them where it is installed (extra `re2`). Without it they are rewritten for Python's
`re`, which spells some of it otherwise and reads some of it as something else: `$` and `[[:alpha:]]` pass there, and
mean other names. What cannot be rewritten so that the same names are found is refused.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata
from collections.abc import Callable
from types import ModuleType

Ranges = list[tuple[int, int]]
"""A set of characters: first and last code point of each range."""


@functools.lru_cache(maxsize=256)
def finder(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a name has the pattern anywhere in it. Raises `ValueError` for a pattern that is none.

    Only with RE2 does the time it takes grow with the length of the name alone; `re` may try all ways to match.
    """
    re2 = _re2()
    search = by_translation(pattern) if re2 is None else _by_re2(re2, pattern)
    return lambda name: search(name) is not None


def _re2() -> ModuleType | None:
    try:
        import re2
    except ImportError:
        return None
    return re2  # type: ignore[no-any-return, unused-ignore]


def _by_re2(re2: ModuleType, pattern: str) -> Callable[[str], object]:
    options = re2.Options()
    options.log_errors = False  # to standard error
    try:
        return re2.compile(pattern, options).search  # type: ignore[no-any-return]
    except re2.error as error:
        reason = error.args[0]
    raise ValueError(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason))


def by_translation(pattern: str) -> Callable[[str], object]:
    """Return what searches for a pattern of Go's by a translation into Python's. Raises `ValueError`."""
    try:
        return re.compile(translate(pattern)).search
    except (RecursionError, OverflowError):
        raise ValueError("it is nested too deeply") from None


def translate(pattern: str) -> str:
    """Return the pattern that finds the same in Python's `re`. Raises `ValueError` where there is none."""
    return _Translator(pattern).run()


_MOST_REPEATS = 1000
_LAST = sys.maxunicode

_NUMBER = "(0|[1-9][0-9]*)"
_REPEAT = re.compile(rf"(?:([*+?])|\{{{_NUMBER}(?:(,){_NUMBER}?)?\}})\??")
_SET_FLAGS = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?\)")
_FLAG_GROUP = re.compile(r"\(\?([imsU]*)(?:-([imsU]+))?:")
_NAMED_GROUP = re.compile(r"\(\?P?<([A-Za-z0-9_]+)>")
_QUOTED = re.compile(r"\\Q(.*?)(?:\\E|\Z)", re.DOTALL)
_OCTAL = re.compile(r"[1-7][0-7]{1,2}|0[0-7]{0,2}")
_HEXADECIMAL = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]+)\})")
_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ASSERTIONS = {"A": r"\A", "z": r"\Z", "b": r"(?a:\b)", "B": r"(?!(?a:\b))"}
_POSIX_CLASS = re.compile(r"\[:(\^?)(.*?):\]", re.DOTALL)
_CATEGORY = re.compile(r"([pP])(?:([A-Za-z])|\{(\^?)([A-Za-z_]+)\})")


def _ranges(text: str) -> Ranges:
    """Return the set that is written as pairs of first and last characters."""
    return [(ord(first), ord(last)) for first, last in zip(text[::2], text[1::2], strict=True)]


_PERL = {"d": _ranges("09"), "s": _ranges("\t\n\f\r  "), "w": _ranges("09AZ__az")}
_POSIX = {
    "alnum": _ranges("09AZaz"),
    "alpha": _ranges("AZaz"),
    "ascii": _ranges("\0\x7f"),
    "blank": _ranges("\t\t  "),
    "cntrl": _ranges("\0\x1f\x7f\x7f"),
    "digit": _ranges("09"),
    "graph": _ranges("!~"),
    "lower": _ranges("az"),
    "print": _ranges(" ~"),
    "punct": _ranges("!/:@[`{~"),
    "space": _ranges("\t\r  "),
    "upper": _ranges("AZ"),
    "word": _ranges("09AZ__az"),
    "xdigit": _ranges("09AFaf"),
}


class _Translator:
    """Reads a pattern once, left to right. Captures and greediness are dropped: only whether something is found counts.

    The flags that are in force are passed along as the set of their letters.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._place = 0
        self._names: set[str] = set()

    def run(self) -> str:
        text = self._alternatives(frozenset())
        if self._place < len(self._pattern):
            raise ValueError("a ) closes no group")
        return text

    def _take(self, expected: re.Pattern[str]) -> re.Match[str] | None:
        found = expected.match(self._pattern, self._place)
        if found is not None:
            self._place = found.end()
        return found

    def _took(self, text: str) -> bool:
        took = self._pattern.startswith(text, self._place)
        self._place += len(text) if took else 0
        return took

    def _character(self) -> str:
        self._place += 1
        return self._pattern[self._place - 1 : self._place]

    def _alternatives(self, flags: frozenset[str]) -> str:
        """Translate what stands before the end of the group; flags that are set in it hold up to there."""
        branches: list[list[str]] = [[]]
        repeated = False
        while self._place < len(self._pattern) and self._pattern[self._place] != ")":
            repeat = self._take(_REPEAT)
            if repeat is not None:
                if repeated or not branches[-1]:
                    raise ValueError(f"{repeat[0]} has nothing to repeat")
                branches[-1][-1] = f"(?:{branches[-1][-1]}){_repetition(repeat)}"
            elif found := self._take(_SET_FLAGS):
                flags = _flags(flags, found)
            elif self._took("|"):
                branches.append([])
            else:
                branches[-1] += self._atoms(flags)
            repeated = repeat is not None
        return "|".join("".join(branch) for branch in branches)

    def _atoms(self, flags: frozenset[str]) -> list[str]:
        """Translate what a repetition would count; quoted text is as many atoms as characters."""
        if found := self._take(_QUOTED):
            return [_literal(character, flags) for character in found[1]]
        character = self._character()
        if character == "(":
            self._place -= 1
            return [self._group(flags)]
        if character == "[":
            return [_set(self._class(flags))]
        if character == ".":
            return ["(?s:.)" if "s" in flags else "[^\n]"]
        if character == "^":
            return ["(?m:^)" if "m" in flags else r"\A"]
        if character == "$":
            return ["(?m:$)" if "m" in flags else r"\Z"]
        return [self._escape(flags) if character == "\\" else _literal(character, flags)]

    def _group(self, flags: frozenset[str]) -> str:
        if found := self._take(_FLAG_GROUP):
            flags = _flags(flags, found)
        elif found := self._take(_NAMED_GROUP):
            if found[1] in self._names:
                raise ValueError(f"two groups are named {found[1]}")
            self._names.add(found[1])
        elif self._took("(?"):
            raise ValueError("a group begins with (? and what does not follow it")
        else:
            self._took("(")
        text = self._alternatives(flags)
        if not self._took(")"):
            raise ValueError("a ) is missing")
        return f"(?:{text})"

    def _escape(self, flags: frozenset[str]) -> str:
        """Translate what follows a backslash, outside brackets."""
        letter = self._pattern[self._place : self._place + 1]
        if letter in _ASSERTIONS:
            self._place += 1
            return _ASSERTIONS[letter]
        known = self._known_set(flags)
        return _literal(self._escaped(), flags) if known is None else _set(known)

    def _known_set(self, flags: frozenset[str]) -> Ranges | None:
        r"""Take a set that an escape names, such as \d, \PL or \p{Lu}; None where there is none."""
        if found := self._take(_CATEGORY):
            if "i" in flags:
                raise _needs_re2("a Unicode class without regard to case")
            ranges = _category(found[2] or found[4])
            return _complement(ranges) if (found[1] == "P") != bool(found[3]) else ranges
        letter = self._pattern[self._place : self._place + 1]
        if letter.lower() not in _PERL:
            return None
        self._place += 1
        ranges = _folded(_PERL[letter.lower()], flags)
        return _complement(ranges) if letter.isupper() else ranges

    def _escaped(self) -> str:
        """Take the character that an escape stands for."""
        if found := self._take(_OCTAL):
            return chr(int(found[0], 8))
        if found := self._take(_HEXADECIMAL):
            digits = (found[1] or found[2]).lstrip("0")
            if len(digits) > 6 or int(digits or "0", 16) > _LAST:
                raise ValueError(f"\\{found[0]} is no character")
            return chr(int(digits or "0", 16))
        letter = self._character()
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if not letter.isascii() or letter.isalnum() or not letter:
            raise ValueError(f"there is no escape \\{letter}")
        return letter

    def _class(self, flags: frozenset[str]) -> Ranges:
        """Take what stands in brackets."""
        negated = self._took("^")
        ranges: Ranges = []
        first = True
        while first or not self._took("]"):
            ranges += self._item(flags)
            first = False
        return _complement(ranges) if negated else ranges

    def _item(self, flags: frozenset[str]) -> Ranges:
        if found := self._take(_POSIX_CLASS):
            if found[2] not in _POSIX:
                raise ValueError(f"there is no class {found[0]}")
            ranges = _folded(_POSIX[found[2]], flags)
            return _complement(ranges) if found[1] else ranges
        if self._took("\\"):
            known = self._known_set(flags)
            if known is not None:
                return known
            self._place -= 1
        low = self._member()
        high = low
        if self._pattern.startswith("-", self._place) and not self._pattern.startswith("-]", self._place):
            self._place += 1
            high = self._member()
        if high < low:
            raise ValueError(f"{low}-{high} is no range")
        return _folded([(ord(low), ord(high))], flags)

    def _member(self) -> str:
        if self._place >= len(self._pattern):
            raise ValueError("a ] is missing")
        return self._escaped() if self._took("\\") else self._character()


def _flags(flags: frozenset[str], change: re.Match[str]) -> frozenset[str]:
    return (flags | set(change[1])) - set(change[2] or "")


def _repetition(repeat: re.Match[str]) -> str:
    operator, least, comma, most = repeat.groups()
    if operator:
        return str(operator)
    bounds = [least, most] if most else [least]
    if any(len(bound) > 4 or int(bound) > _MOST_REPEATS for bound in bounds) or int(bounds[-1]) < int(least):
        raise ValueError(f"{repeat[0]} repeats too often, or never")
    return f"{{{least}{comma or ''}{most or ''}}}"


def _literal(character: str, flags: frozenset[str]) -> str:
    return _set(_folded([(ord(character), ord(character))], flags)) if "i" in flags else re.escape(character)


def _set(ranges: Ranges) -> str:
    """Write a set for `re`, with nothing in it that `re` would read otherwise."""
    text = "".join(rf"\U{low:08x}-\U{high:08x}" for low, high in ranges)
    return f"[{text}]" if text else "(?!)"


def _complement(ranges: Ranges) -> Ranges:
    outside, start = [], 0
    for low, high in sorted(ranges):
        if low > start:
            outside.append((start, low - 1))
        start = max(start, high + 1)
    return [*outside, (start, _LAST)] if start <= _LAST else outside


# What stands for the same letter beyond ASCII: the long s and the sign of the kelvin (Unicode, CaseFolding.txt).
_ALIKE = {"s": "ſ", "S": "ſ", "ſ": "sS", "k": "\u212a", "K": "\u212a", "\u212a": "kK"}


def _folded(ranges: Ranges, flags: frozenset[str]) -> Ranges:
    """Add what differs from a set in case alone, where the flag i says so."""
    if "i" not in flags:
        return ranges
    more: Ranges = []
    for low, high in ranges:
        if high > 127 and not (low == high and chr(low) in _ALIKE):
            raise _needs_re2("a letter beyond ASCII without regard to case")
        for character in map(chr, range(low, high + 1)):
            more += [(ord(other), ord(other)) for other in character.swapcase() + _ALIKE.get(character, "")]
    return ranges + more


@functools.cache
def _category(name: str) -> Ranges:
    """Return the characters of a general category of Unicode, such as L or Lu, as this Python knows them."""
    if name == "Any":
        return [(0, _LAST)]
    if name[0] not in "CLMNPSZ" or len(name) > 2:
        raise _needs_re2(f"the Unicode class {name}")
    found: Ranges = []
    for point in range(_LAST + 1):
        category = unicodedata.category(chr(point))
        if category.startswith(name) and category != "Cn":
            if found and found[-1][1] == point - 1:
                found[-1] = (found[-1][0], point)
            else:
                found.append((point, point))
    if not found:
        raise ValueError(f"there is no Unicode class {name}")
    return found


def _needs_re2(what: str) -> ValueError:
    return ValueError(f"{what} needs RE2: pip install 'ygg[re2]'")
