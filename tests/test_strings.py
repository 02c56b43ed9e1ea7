"""What counts as text, wherever it stands in a JSON value."""

from typing import Any

import pytest

from ygg.errors import ConfigError
from ygg.strings import check_strings


@pytest.mark.parametrize("value", ["", "täxt 😀", ["a", {"b": ("c", 1)}], {"a": None, "b": True}, 7, b"\0"])
def test_text(value: Any) -> None:
    check_strings(value, "it")


@pytest.mark.parametrize("wrap", [
    lambda text: text, lambda text: ["a", text], lambda text: {"a": {"b": text}}, lambda text: {text: 1},
    lambda text: ("a", [text]),
])
@pytest.mark.parametrize(("text", "says"), [
    ("se\0cret", "it has a NUL character in it"), ("se\ud800cret", "it is no text: half of a surrogate pair is in it"),
    ("se\udcffcret", "it is not UTF-8"),
])
def test_no_text(wrap: Any, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_strings(wrap(text), "it")
    assert str(caught.value) == says
    assert caught.value.__context__ is None     # which would carry the text


def test_too_deep() -> None:
    value: Any = "end"
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ConfigError, match="nested too deeply"):
        check_strings(value, "it")
    while isinstance(value, list):              # freed from the outside in, or freeing it would recurse as well
        value = value.pop()
