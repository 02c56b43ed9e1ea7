"""ygg.multicast.rules: which rule an interface falls under, and which rules are refused."""

import copy
import pickle
from typing import Any

import pytest

from ygg.config.config import MulticastInterface
from ygg.errors import ConfigError
from ygg.multicast.rules import InterfaceRule, first_match, rules_from


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
    ("pattern", "name", "found"),
    [
        ("[[:alpha:]]$", "eth", True),
        ("[[:alpha:]]$", "a]", False),
        (r"\Aeth0\z", "eth0", True),
        ("^eth0$", "eth0\n", False),
        (r"^\Qeth.0\E$", "eth.0", True),
        ("^e(?i)TH", "eth0", True),
    ],
)
def test_pattern_has_gos_syntax(pattern: str, name: str, found: bool) -> None:
    assert InterfaceRule(pattern, listen=True).matches(name) is found


def test_rule_is_a_value() -> None:
    rule = InterfaceRule(r"\Aeth", listen=True)
    assert copy.deepcopy(rule) == pickle.loads(pickle.dumps(rule)) == rule


def test_configuration_with_a_rule_that_is_none_is_refused() -> None:
    """Without the first, the second would find peers on what the first keeps out of it."""
    entries = [MulticastInterface("^(?!eth)"), MulticastInterface(".*", beacon=True, listen=True, password="x")]
    with pytest.raises(ConfigError, match=r"MulticastInterfaces, rule 1: interface pattern .* is invalid"):
        rules_from(entries)
    with pytest.raises(ConfigError, match="MulticastInterfaces, rule 1: interface password is longer"):
        rules_from([MulticastInterface(password="x" * 65)])
    assert rules_from(entries[1:]) == [InterfaceRule(".*", True, True, password="x")]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"pattern": "("}, "pattern"),
        ({"pattern": "\ud800"}, "no text"),
        ({"password": "\udfff"}, "no text"),
        ({"password": "\0"}, "NUL"),
        ({"port": -1}, "port"),
        ({"port": 65536}, "port"),
        ({"priority": 256}, "priority"),
        ({"password": "x" * 65}, "password is longer"),
        ({"password": "ö" * 33}, "password is longer"),
    ],
)
def test_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        InterfaceRule(**{"pattern": ".*", "listen": True, **fields})
