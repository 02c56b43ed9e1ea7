"""The envelope of requests and replies: JSON objects in a stream, one after another, without framing.

`Objects` cuts a stream into its objects and looks at each byte once, however small the pieces in which it comes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ygg.admin.errors import EnvelopeError

DEPTH_MAX = 64
"""Objects and lists inside each other; what nests deeper is refused."""

_SPACE = b" \t\r\n"
_MARK = re.compile(rb'["{}\[\]]')
_IN_STRING = re.compile(rb'["\\]')
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_ESCAPE = str.maketrans(_ESCAPED)


class Objects:
    """The JSON objects of a stream. An object has at most `limit` bytes.

    `feed` raises nothing; `next` raises `EnvelopeError` for what is no object, as soon as its first byte shows that:
    a web browser's request is refused before its end.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._at = 0
        self._depth = 0
        self._in_string = False

    @property
    def pending(self) -> bool:
        """Whether a part of an object has come whose end is missing."""
        return bool(self._buffer.strip(_SPACE))

    def feed(self, data: bytes) -> None:
        """Take what was read."""
        self._buffer += data

    def next(self) -> dict[str, Any] | None:
        """Return the next object, None where it has not come whole."""
        if not self._depth:
            self._begin()
        end = self._end()
        if end is None:
            if len(self._buffer) > self._limit:
                raise EnvelopeError(f"it is longer than {self._limit} bytes")
            return None
        if end > self._limit:
            raise EnvelopeError(f"it is longer than {self._limit} bytes")
        text = self._buffer[:end].decode("utf-8", "replace")
        del self._buffer[:end]
        self._at = 0
        return _decoded(text)

    def _begin(self) -> None:
        self._buffer = self._buffer.lstrip(_SPACE)
        self._at = 0
        if not self._buffer:
            return
        first = self._buffer[:1]
        if first != b"{":
            # A value that is no object is one all the same; what follows it is not read.
            raise EnvelopeError("failed to unmarshal request" if first in b'["-0123456789tfn' else None)

    def _end(self) -> int | None:
        """Return where the object ends, None where it does not yet."""
        while True:
            mark = (_IN_STRING if self._in_string else _MARK).search(self._buffer, self._at)
            if mark is None:
                self._at = len(self._buffer)
                self._check_second()
                return None
            if mark[0] == b"\\" and mark.end() == len(self._buffer):
                self._at = mark.start()  # what it escapes has not come
                return None
            self._at = mark.end() + (mark[0] == b"\\")
            if mark[0] == b'"':
                self._in_string = not self._in_string
            elif mark[0] in b"{[":
                self._depth += 1
                if self._depth > DEPTH_MAX:
                    raise EnvelopeError("it is nested too deeply")
            elif mark[0] in b"}]":
                self._depth -= 1
                if not self._depth:
                    return self._at

    def _check_second(self) -> None:
        rest = self._buffer[1:64].lstrip(_SPACE)
        if rest and rest[:1] not in b'"}':
            raise EnvelopeError


def _decoded(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise EnvelopeError from None
    if not isinstance(value, dict):
        raise EnvelopeError("failed to unmarshal request")
    return value


def _refuse(name: str) -> None:
    raise ValueError(name)


def pieces(value: Any, indent: int | None = 2) -> Iterator[str]:
    """Yield the text of a JSON value piece by piece, as the stock daemon writes it: indented by two spaces."""
    separators = None if indent else (",", ":")
    encoder = json.JSONEncoder(ensure_ascii=False, indent=indent, separators=separators, default=str)
    for piece in encoder.iterencode(value):
        yield piece.translate(_ESCAPE)


def encoded(value: Any, indent: int | None = 2) -> bytes:
    """Return a JSON value and a line feed, as the stock daemon writes them."""
    return to_bytes("".join(pieces(value, indent)))


def to_bytes(text: str) -> bytes:
    """Return a JSON text and a line feed; half of a surrogate pair becomes an escape, which JSON has for it."""
    return text.encode("utf-8", "backslashreplace") + b"\n"


def reply(request: dict[str, Any], response: Any = None, error: str = "") -> dict[str, Any]:
    """Return a reply, its members in the stock daemon's order. `request` is what `echo` returns."""
    if error:
        return {"status": "error", "error": error, "request": request, "response": None}
    return {"status": "success", "request": request, "response": response}
