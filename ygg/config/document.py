"""Reading HJSON: bytes to checked values, with errors that name the member and never quote its value."""

from __future__ import annotations

import codecs
import logging
import math
import re
from collections.abc import Mapping
from typing import Any, overload

from ygg.errors import ConfigError
from ygg.strings import check_strings

log = logging.getLogger("ygg.config")

_FOREIGN = re.compile("[\udc80-\udcff]")
_KEY = re.compile(r"\s*(-----BEGIN |[0-9a-fA-F]{128}\s*\Z)")
_MISSING = object()


class _Number(str):
    """A number as it was written: a password `0123` or `1e5` without quotes is a text, not a number."""

    __slots__ = ()

    def __int__(self) -> int:
        # hjson turns 1.0 into 1 when int(number) == number: unequal to every text, this keeps the text.
        return 0


def parse_document(content: str | bytes) -> dict[str, Any]:
    """Parse one HJSON (or JSON) object; numbers are kept as written until `Members` says what they are.

    What is not UTF-8 does no harm in a comment, and is told; `Members` refuses it in a value.
    """
    import hjson

    text = content if isinstance(content, str) else _decode(content)
    if _KEY.match(text):
        raise ConfigError("it is a key by itself, not a configuration; a configuration can name it as PrivateKeyPath")
    foreign = _FOREIGN.search(text)
    line = text.count("\n", 0, foreign.start()) + 1 if foreign else 0
    if foreign:
        log.warning("Line %d of the configuration is not UTF-8", line)
    problem = ""
    try:
        document = hjson.loads(text, parse_int=_Number, parse_float=_Number, object_pairs_hook=dict)
    except hjson.HjsonDecodeError as error:
        problem = f"line {error.lineno}, column {error.colno}: not HJSON"
    except RecursionError:
        problem = "nested too deeply"
    except (ValueError, IndexError, TypeError):
        problem = "not HJSON"
    if problem:  # raised out here so that no chained exception carries the document
        raise ConfigError(f"{problem}; line {line} is not UTF-8 text" if foreign else problem)
    if not isinstance(document, dict):
        raise ConfigError("the configuration is not an object")
    return document


def _decode(content: bytes) -> str:
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16", "surrogatepass") if wide else content.decode("utf-8-sig", "surrogateescape")
    except UnicodeDecodeError as error:
        place = error.start
    raise ConfigError(f"not UTF-16 text: byte {place} makes no sense")


class Members:
    """The members of one object. A missing or null member gives its default, one of the wrong type `ConfigError`.

    Names are matched without regard to case, and the last of several counts, as in the daemon.
    """

    def __init__(self, members: Mapping[str, Any], prefix: str) -> None:
        self._members = {name.lower(): value for name, value in members.items()}
        self._prefix = prefix

    def _get(self, name: str, default: Any = None) -> Any:
        return self._members.get(name.lower(), default)

    def _wrong(self, name: str, wanted: str) -> ConfigError:
        return ConfigError(f"{self._prefix}{name} must be {wanted}")

    def _checked(self, name: str, value: Any) -> Any:
        check_strings(value, f"{self._prefix}{name}")
        return value

    @overload
    def text(self, name: str, default: str) -> str: ...
    @overload
    def text(self, name: str, default: None) -> str | None: ...
    def text(self, name: str, default: str | None) -> str | None:
        """Return a string; what stands there without quotes counts as it was written, null too, as in the daemon."""
        value = self._get(name, _MISSING)
        if value is _MISSING:
            return default
        text = _as_text(value)
        if text is None:
            raise self._wrong(name, "a string")
        return str(self._checked(name, text))

    def text_unless_null(self, name: str) -> str | None:
        """Return a string, or None for null and where the member is missing."""
        return None if self._get(name) is None else self.text(name, None)

    def integer(self, name: str, default: int, most: int) -> int:
        """Return an integer from 0 to `most`."""
        value = self._get(name)
        if value is None:
            return default
        # Ten digits hold every value asked for here, and spare int() a line of thousands.
        if not isinstance(value, _Number) or not value.isdecimal() or len(value) > 10 or int(str(value)) > most:
            raise self._wrong(name, f"an integer from 0 to {most}")
        return int(str(value))

    def flag(self, name: str, default: bool = False) -> bool:
        """Return true or false."""
        value = self._get(name)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return default if value is None else bool(value)

    def texts(self, name: str) -> list[str]:
        """Return a list of strings."""
        return self._texts(name, self._get(name))

    def text_lists(self, name: str) -> dict[str, list[str]]:
        """Return an object of lists of strings."""
        value = self._get(name) or {}
        if not isinstance(value, dict):
            raise self._wrong(name, "an object of lists")
        return {str(self._checked(name, key)): self._texts(name, uris) for key, uris in value.items()}

    def objects(self, name: str, hint: str) -> list[Members] | None:
        """Return a list of objects, none for null, or None when the member is missing; null among them is an empty one.

        The error for a list of strings ends with the hint.
        """
        value = self._get(name, _MISSING)
        if value is _MISSING or value is None:
            return [] if value is None else None
        if not isinstance(value, list) or not all(isinstance(item, dict | None) for item in value):
            old = isinstance(value, list) and all(isinstance(item, str) for item in value)
            raise self._wrong(name, f"a list of objects{hint if old else ''}")
        return [Members(item or {}, f"{self._prefix}{name}.") for item in value]

    def json_object(self, name: str) -> dict[str, Any] | None:
        """Return an object with whatever it holds, or None."""
        value = self._get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._wrong(name, "an object")
        try:
            plain = {str(key): _plain(item) for key, item in value.items()}
        except (ValueError, RecursionError):
            plain = None
        if plain is None:
            raise self._wrong(name, "an object of JSON values")
        return dict(self._checked(name, plain))

    def _texts(self, name: str, value: Any) -> list[str]:
        if value is None:
            return []
        texts = [_as_text(item) for item in value] if isinstance(value, list) else [None]
        if None in texts:
            raise self._wrong(name, "a list of strings")
        return [str(self._checked(name, text)) for text in texts]


def _as_text(value: Any) -> str | None:
    """Return a string, or the word that stands in its place; None for what is neither."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return None


def _plain(value: Any) -> Any:
    if isinstance(value, _Number):
        text = str(value)
        number = int(text) if text.lstrip("-").isdecimal() else float(text)
        if math.isinf(number):  # JSON has no way to write it
            raise ValueError
        return number
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
