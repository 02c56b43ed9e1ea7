"""ygg.multicast.regexp: patterns in Go's syntax, found by RE2 and by what they are rewritten to for Python's `re`."""

import sys
from collections.abc import Iterator

import pytest

from ygg.multicast import regexp
from ygg.multicast.regexp import finder

# Pattern, names it finds, names it does not.
CASES = [
    ("", ["", "eth0"], []),
    ("th", ["eth0"], ["lo"]),
    ("^th|0$", ["eth0", "th"], ["eth1"]),
    (".*", ["", "eth0", "a\nb"], []),
    (r"\Aeth\d+\z", ["eth0", "eth12"], ["eth", "xeth0", "eth0\n", "eth٣"]),
    ("^eth0$", ["eth0"], ["eth0\n"]),
    (r"^\pL+$", ["eth", "grün"], ["eth0", "", "-"]),
    (r"^\PL+$", ["012-"], ["eth", "0ü"]),
    (r"^\p{Lu}\p{^Lu}", ["Eth", "Ü0"], ["eth", "ETH"]),
    (r"^[\p{Ll}_\PL]+$", ["a_0-"], ["A"]),
    (r"\p{Any}", ["x"], [""]),
    ("(?i)^ETH", ["eth0", "EtH0"], ["lo"]),
    ("^e(?i)TH|LO$", ["eth0", "eTh0", "lo"], ["Eth0"]),
    ("(?i:E)th", ["eth", "Eth"], ["eTh"]),
    ("(?i)e(?-i)TH", ["eTH", "ETH"], ["eth"]),
    ("(?i)e(?-i:t)h", ["EtH"], ["ETH"]),
    ("(?i)[d-f]TH[^0]", ["eth1", "DTHx"], ["eth0", "gth1"]),
    ("(?i)^k$", ["k", "K", "\u212a"], ["x"]),
    (r"(?i)^\W$", ["-"], ["k", "s", "\u212a", "ſ"]),
    ("(?s)^a.b$", ["a\nb"], []),
    ("^a.b$", ["a-b"], ["a\nb"]),
    ("(?m)^b$", ["a\nb\nc", "b"], ["ab"]),
    ("(?U)^(a+)$", ["aaa"], ["b"]),
    ("^(?U:a+?)(?ims-U:B)$", ["aab", "aaB"], ["b"]),
    ("^(?<n>eth)(?P<m>[0-9])$", ["eth0"], ["eth"]),
    (r"\Qa.b*\E+$", ["a.b*", "a.b***"], ["axb*"]),
    (r"^\Q[x", ["[x"], ["x"]),
    (r"^\x{65}th$", ["eth"], ["x{65}th"]),
    (r"^\x65\164h\x{000030}$", ["eth0"], ["eth"]),
    (r"^[\x{61}-\x63\n]+$", ["abc\n"], ["d"]),
    ("^[[:alpha:]]+$", ["eth"], ["eth0", ":", "a]"]),
    ("^[[:^alpha:]0-9_]$", ["0", ":"], ["e"]),
    ("^[^[:digit:][:space:]]+$", ["eth"], ["e0", "e "]),
    ("^[[:word:]]+$", ["e_0"], ["-"]),
    ("^[:alpha:]+$", ["pal:ah"], ["eth"]),
    ("^[]a]+$", ["]a"], ["b"]),
    ("^[^]a]$", ["b"], ["]", "a"]),
    ("^[a-]+$", ["a-"], ["b"]),
    ("^[a||b&&c~~d[e-]+$", ["a|&~["], ["x"]),
    ("^[+--]+$", ["+,-"], ["."]),
    (r"^[\w-]+$", ["eth-0"], ["eth 0"]),
    (r"^\w\s\S$", ["a\tb", "a b"], ["a\vb", "ü b"]),
    (r"\beth\b", ["x eth"], ["eth0"]),
    (r"^\B-", ["-x"], []),
    (r"eth\B", ["eth0"], ["eth"]),
    ("^a{2}$", ["aa"], ["a", "aaa"]),
    ("^a{1,2}b{2,}$", ["abb", "aabbb"], ["ab", "aaabb"]),
    ("^a{,2}$", ["a{,2}"], ["a", "aa"]),
    ("^a{01}$", ["a{01}"], ["a"]),
    ("^a{x$", ["a{x"], ["a"]),
    ("^(a|b)*?c+?d??$", ["abcd", "c"], ["a"]),
    ("^(?:^)*a()*$", ["a"], ["b"]),
    ("^(|a)+$", ["", "aa"], ["b"]),
    (r"^\.\-\/\_\ $", [".-/_ "], []),
    (r"^\a\f\n\r\t\v$", ["\a\f\n\r\t\v"], []),
    (r"[^\x{0}-\x{10FFFF}]", [], ["", "a"]),
]

REFUSED = [
    "(", ")", "a)", "(?:a", "[", "[a", "[^", "[]", r"[\\", "\\", "*", "+a", "|*", "(*)", "a**", "a*+", "a++",
    "a+?*", "a{2}{3}", "a{1001}", "a{2,1}", "a{1,99999}", "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?>a)",
    "(?P=n)", "(?P>n)", "(?#x)", "(?(1)a|b)", "(?-)", "(?i-)", "(?a)", "(?x)", "(?L)", "(?u)a", "(?i",
    "(?i:a", "(?<n>a", "(?<>a)", "(?<1-2>a)", r"\1", r"\8", r"\Z", r"\G", r"\K", r"\R", r"\h", r"\e",
    r"\N{BULLET}", r"\u0061", r"\x6", r"\x{}", r"\x{110000}", r"\x{999999999}", r"\é", r"[\b]", r"[\A]",
    r"[a-\d]", "[b-a]", "[[:foo:]]", "[[:^:]]", "[[:a]b:]", r"\p", r"\p{", r"\p{Lx}", r"\pX",
]  # fmt: skip


@pytest.fixture(params=["translated", "RE2"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Find by one of the two."""
    finder.cache_clear()
    if request.param == "RE2":
        pytest.importorskip("re2")
    else:
        monkeypatch.setattr(regexp, "_re2", lambda: None)
    yield request.param
    finder.cache_clear()


@pytest.mark.parametrize(("pattern", "found", "not_found"), CASES)
def test_what_is_found(pattern: str, found: list[str], not_found: list[str], engine: str) -> None:
    find = finder(pattern)
    assert [name for name in found if not find(name)] == []
    assert [name for name in not_found if find(name)] == []


@pytest.mark.parametrize("pattern", REFUSED)
def test_what_is_no_pattern_is_refused(pattern: str, engine: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        finder(pattern)
    assert not isinstance(caught.value, UnicodeError)
    assert capfd.readouterr().err == ""  # RE2 has a log of its own


@pytest.mark.parametrize("pattern", [r"\p{Greek}", r"(?i)\pL", "(?i)ü", "(?i)[à-ü]", r"(?i)[\p{Lu}]"])
def test_what_cannot_be_rewritten_names_the_extra(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    finder.cache_clear()
    with monkeypatch.context() as changed:
        changed.setattr(regexp, "_re2", lambda: None)
        with pytest.raises(ValueError, match=r"needs RE2: pip install 'ygg\[re2\]'"):
            finder(pattern)
    pytest.importorskip("re2")
    assert not finder(pattern)("0")


def test_without_the_binding_patterns_are_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)  # makes importing it fail
    finder.cache_clear()
    assert finder("^[[:alpha:]]+$")("eth")
    finder.cache_clear()


@pytest.mark.parametrize("text", ["(", "[", "(?i:"])
def test_depth_is_bounded(text: str, engine: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        finder(text * 100_000)


def test_deep_groups_are_refused_where_recursion_ends() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        regexp.by_translation("(" * 20_000 + ")" * 20_000)
