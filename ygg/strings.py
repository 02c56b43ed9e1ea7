"""What counts as text: strings that every program which may come to read them can hold."""

from __future__ import annotations

from collections.abc import Iterator

from ygg.errors import ConfigError


def check_strings(value: object, name: str) -> None:
    """Look through the strings of a JSON value, names of members too.

    Raises `ConfigError`, which says `name` and never quotes, for a NUL, which ends a string in C, and for half of a
    surrogate pair, which no encoding writes.
    """
    try:
        for text in _strings(value):
            _check(text, name)
        return
    except RecursionError:
        pass
    raise ConfigError(f"{name} is nested too deeply")


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for item in (*value, *value.values()) if isinstance(value, dict) else value:
            yield from _strings(item)


def _check(text: str, name: str) -> None:
    if "\0" in text:
        raise ConfigError(f"{name} has a NUL character in it")
    try:
        text.encode()
        return
    except UnicodeEncodeError as error:
        # What decoding let through as it was: see the handler surrogateescape of `codecs`.
        foreign = "\udc80" <= text[error.start] <= "\udcff"
    # Raised out here, so that no chained exception carries the text.
    raise ConfigError(f"{name} is not UTF-8" if foreign else f"{name} is no text: half of a surrogate pair is in it")
