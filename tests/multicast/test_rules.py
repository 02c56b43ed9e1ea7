"""ygg.multicast.rules: which rule an interface falls under, and which rules are refused."""

import pytest

from ygg.multicast.rules import InterfaceRule, first_match


def test_pattern_is_searched_for_anywhere() -> None:
    assert InterfaceRule("th", listen=True).matches("eth0")
    assert not InterfaceRule("^th", listen=True).matches("eth0")


def test_first_match_decides() -> None:
    rules = [InterfaceRule("^lo$", listen=True), InterfaceRule("eth", beacon=True), InterfaceRule(".*", listen=True)]
    assert first_match(rules, "eth1") is rules[1]
    assert first_match(rules, "wlan0") is rules[2]
    assert first_match(rules[:2], "wlan0") is None


def test_rule_that_does_nothing_is_skipped() -> None:
    rules = [InterfaceRule(".*"), InterfaceRule("eth", listen=True)]
    assert first_match(rules, "eth0") is rules[1]
    assert first_match(rules[:1], "eth0") is None


def test_password_is_not_shown() -> None:
    assert "secret" not in repr(InterfaceRule(".*", listen=True, password="secret"))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"pattern": "("}, "pattern"),
        ({"port": -1}, "port"),
        ({"port": 65536}, "port"),
        ({"priority": 256}, "priority"),
        ({"password": "x" * 65}, "password is longer"),
        ({"password": "ö" * 33}, "password is longer"),
    ],
)
def test_refused(fields: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        InterfaceRule(**({"pattern": ".*", "listen": True} | fields))  # type: ignore[arg-type]
