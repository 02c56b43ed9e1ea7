"""Places of values in a text."""

import pytest

from ygg.config import spans
from ygg.errors import ConfigError


def test_members_and_elements_stand_where_they_are_found() -> None:
    text = """{ # a comment: {
      one: 1, "two": [ "x", 'y' // [
        z is plain, and goes on
        null ] /* } */
      three: '''a
      }''' four: {five: true}
    }"""
    found = spans.members(text, spans.root(text))
    assert [one.name for one in found] == ["one", "two", "three", "four"]
    assert [text[one.start : one.end] for one in spans.elements(text, found[1])] == [
        '"x"', "'y'", "z is plain, and goes on", "null",
    ]  # fmt: skip
    assert [one.plain for one in spans.elements(text, found[1])] == [False, False, True, False]
    assert text[found[3].start : found[3].end] == "{five: true}"


def test_braces_may_be_missing_around_all() -> None:
    text = "# first\na: x y z\nb: [1]\n"
    assert [(one.name, text[one.start : one.end]) for one in spans.members(text, spans.root(text))] == [
        ("a", "x y z"), ("b", "[1]"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["{", "{a", "{a:", "{a: [", "{a: [1", "{a: }", "{a: 1]", "a: 1}", "{,:}", "{a: " + "[" * 99]
)
def test_what_is_not_understood_is_an_error(text: str) -> None:
    with pytest.raises(ConfigError):
        spans.members(text, spans.root(text))
