"""Arguments of commands: every value may come as a string, for `yggdrasilctl` writes all of them so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ygg.admin.errors import AdminError
from ygg.errors import DurationError, KeyFormatError
from ygg.identity.keys import PUBLIC_SIZE
from ygg.url import parse_duration

_FLAGS = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}


class Arguments:
    """The arguments of one request; names count without regard to case. Values of a wrong type raise `AdminError`."""

    def __init__(self, members: Mapping[str, Any] | None = None) -> None:
        self._members = {name.lower(): value for name, value in (members or {}).items()}

    def __contains__(self, name: str) -> bool:
        return self._members.get(name) is not None

    def unknown(self, known: tuple[str, ...]) -> list[str]:
        """Return the names that are not among `known`."""
        return [name for name in self._members if name not in known]

    def text(self, name: str, default: str = "") -> str:
        """Return a string; a number or a flag counts as it is written in JSON."""
        value = self._members.get(name)
        if value is None:
            return default
        if isinstance(value, (dict, list)):
            raise AdminError(f"{name} must be a string")
        return value if isinstance(value, str) else json.dumps(value)

    def number(self, name: str, default: float = 0.0) -> float:
        """Return a number that is not negative."""
        try:
            value = float(self.text(name, str(default)))
        except ValueError:
            value = -1.0
        if not 0 <= value < float("inf"):
            raise AdminError(f"{name} must be a number")
        return value

    def integer(self, name: str, default: int = 0) -> int:
        """Return an integer that is not negative."""
        value = self.number(name, default)
        if value != int(value):
            raise AdminError(f"{name} must be an integer")
        return int(value)

    def seconds(self, name: str, default: float) -> float:
        """Return seconds: a number, or a duration in Go's notation, such as `1h30m`."""
        text = self.text(name)
        try:
            value = parse_duration(text) if text and text[-1].isalpha() else self.number(name, default)
        except DurationError:
            value = 0.0
        if not value > 0:
            raise AdminError(f"{name} must be a duration, such as 90 or 1m30s")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """Return true or false."""
        text = self.text(name).lower()
        if text and text not in _FLAGS:
            raise AdminError(f"{name} must be true or false")
        return _FLAGS.get(text, default)

    def names(self, name: str) -> list[str]:
        """Return a list of strings: a JSON list, the same in a string, or names with commas between them."""
        value = self._members.get(name)
        if isinstance(value, str):
            value = self.json(name) if value.lstrip().startswith("[") else value.split(",")
        if not isinstance(value, list | None) or not all(isinstance(item, str) for item in value or ()):
            raise AdminError(f"{name} must be a list of names")
        return [item.strip() for item in value or () if item.strip()]

    def json(self, name: str) -> Any:
        """Return a JSON value, or the one that a string holds; None where there is none."""
        value = self._members.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value, parse_constant=_no_number)
        except (ValueError, RecursionError):
            raise AdminError(f"{name} must be JSON") from None

    def key(self, name: str = "key") -> bytes:
        """Return a public key, written in hex."""
        try:
            key = bytes.fromhex(self.text(name))
        except ValueError as error:
            raise KeyFormatError(f"failed to decode public key: {error}") from None
        if len(key) != PUBLIC_SIZE:
            raise KeyFormatError("invalid public key length")
        return key


def _no_number(name: str) -> None:
    raise ValueError(name)
