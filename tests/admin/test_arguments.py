"""Arguments, which may all come as strings."""

from collections.abc import Callable
from typing import Any

import pytest

from ygg.admin import AdminError, Arguments
from ygg.errors import KeyFormatError


def test_values_and_the_strings_of_them_are_the_same() -> None:
    plain = Arguments({"N": 5, "F": True, "L": ["a", "b"], "J": {"x": 1}, "T": "t"})
    strings = Arguments({"n": "5", "f": "true", "l": "a, b", "j": '{"x": 1}', "t": "t"})
    lists = Arguments({"n": "5.0", "f": "YES", "l": '["a", "b"]', "j": '{"x": 1}', "t": "t"})
    for given in (plain, strings, lists):
        assert given.integer("n") == given.number("n") == 5
        assert given.flag("f")
        assert given.names("l") == ["a", "b"]
        assert given.json("j") == {"x": 1}
        assert given.text("t") == "t"
        assert "n" in given
    assert plain.text("n") == "5"


def test_what_is_missing() -> None:
    given = Arguments({"a": None})
    assert "a" not in given
    assert (given.text("a", "d"), given.integer("a", 3), given.flag("a", True), given.names("a")) == ("d", 3, True, [])
    assert given.json("a") is None
    assert Arguments(None).unknown(("a",)) == []
    assert Arguments({"A": 1, "b": 2}).unknown(("a",)) == ["b"]


@pytest.mark.parametrize(("ask", "value"), [
    (Arguments.text, {}), (Arguments.text, []), (Arguments.number, "x"), (Arguments.number, -1),
    (Arguments.number, "inf"), (Arguments.number, "nan"), (Arguments.integer, "1.5"), (Arguments.flag, "maybe"),
    (Arguments.flag, 2), (Arguments.names, {}), (Arguments.names, [1]), (Arguments.names, "[1"), (Arguments.json, "{"),
    (Arguments.json, "NaN"), (Arguments.json, "[" * 100000),
])  # fmt: skip
def test_wrong_ones_name_the_argument(ask: Callable[[Arguments, str], Any], value: Any) -> None:
    with pytest.raises(AdminError, match=r"^a must be "):
        ask(Arguments({"a": value}), "a")


def test_keys() -> None:
    assert Arguments({"key": "ab" * 32}).key() == b"\xab" * 32
    for wrong, text in (("zz", "failed to decode public key"), ("", "invalid public key length"), ("00", "invalid")):
        with pytest.raises(KeyFormatError, match=text):
            Arguments({"key": wrong}).key()


def test_seconds_are_numbers_or_durations() -> None:
    given = Arguments({"a": "90", "b": "1m30s", "c": 2.5})
    assert [given.seconds(name, 7.0) for name in ("a", "b", "c", "d")] == [90, 90, 2.5, 7]
    for wrong in ("0", "-1", "-5s", "soon", "0s", "inf", "nan"):
        with pytest.raises(AdminError, match="must be a"):
            Arguments({"a": wrong}).seconds("a", 1.0)
