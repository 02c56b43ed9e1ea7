"""ygg.transport.pattern: which hosts a pattern matches, and which pattern wins."""

import pytest

from ygg.errors import URLError
from ygg.transport.pattern import HostPattern, normal


@pytest.mark.parametrize(
    ("pattern", "host", "matches"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("[::1]", "0:0::1", True),
        ("::1", "[::1]", True),
        ("fe80::1", "fe80::1%eth0", True),
        ("A.Example.", "a.example", True),
        ("a.example", "b.a.example", False),
        ("*.onion", "abc.Onion", True),
        ("*.onion", "onion", False),
        ("*.onion", "a.onion.example", False),
        ("*", "", True),
        ("a*c.x", "abbc.x", True),
        ("a.c*", "axcd", False),
        ("10.0.0.0/8", "10.255.0.1", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("10.0.0.0/8", "::1", False),
        ("10.0.0.0/8", "ten.example", False),
        ("fd00::/8", "fd12::1", True),
        ("", "", True),
    ],
)
def test_matching(pattern: str, host: str, matches: bool) -> None:
    assert HostPattern(pattern).matches(normal(host)) is matches


def test_the_more_specific_comes_first() -> None:
    texts = ["10.0.0.1", "10.0.0.0/24", "10.0.0.0/8", "10.*.1", "10.*", "*"]
    patterns = [HostPattern(text) for text in texts]
    assert all(pattern.matches("10.0.0.1") for pattern in patterns)
    assert sorted(patterns, key=lambda pattern: pattern.specificity, reverse=True) == patterns


def test_one_pattern_has_one_spelling() -> None:
    assert HostPattern("10.1.2.3/8").text == HostPattern("10.0.0.0/8").text
    assert HostPattern("*.ONION").text == HostPattern("*.onion.").text


@pytest.mark.parametrize("pattern", ["10.0.0.0/33", "a.example/8", "/"])
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(URLError):
        HostPattern(pattern)
