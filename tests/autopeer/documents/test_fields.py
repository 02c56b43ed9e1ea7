"""ygg.autopeer.documents.fields: members of JSON objects, and what is wrong with them."""

import pytest

from ygg.autopeer.documents.fields import check_parts, field, number
from ygg.autopeer.peer import PeerRejected, check_peer


def test_a_member_of_its_type() -> None:
    assert field({"a": "x"}, "a", str) == "x"
    assert field({"a": None}, "a", str, "other") == field({}, "a", str, "other") == "other"


@pytest.mark.parametrize(("holder", "kind", "reason"), [
    ([], str, "the entry is no object"),
    ({}, str, "`a` is missing"),
    ({"a": None}, str, "`a` is missing"),
    ({"a": 5}, str, "`a` is not of type str"),
    ({"a": True}, int, "`a` is not of type int"),
])
def test_a_member_that_is_refused(holder: object, kind: type, reason: str) -> None:
    with pytest.raises(PeerRejected, match=f"^{reason}$"):
        field(holder, "a", kind)


def test_a_number_in_its_range() -> None:
    assert number({"a": 5}, "a", least=5, most=5) == 5.0
    assert number({"a": None}, "a") is number({}, "a") is None


@pytest.mark.parametrize(("value", "reason"), [
    ("5", "`a` is not a number"),
    (True, "`a` is not a number"),
    (4, "`a` is out of range"),
    (101, "`a` is out of range"),
    (float("nan"), "`a` is out of range"),
])
def test_a_number_that_is_refused(value: object, reason: str) -> None:
    with pytest.raises(PeerRejected, match=f"^{reason}$"):
        number({"a": value}, "a", least=5, most=100)


def test_a_number_that_is_far_too_large() -> None:
    with pytest.raises(PeerRejected, match="out of range"):
        number({"a": 10**400}, "a")


def test_parts_are_those_of_the_url() -> None:
    peer = check_peer("tls://[2001:db8::1]:443", country="germany")
    check_parts({}, "protocol", peer)
    check_parts({"protocol": "TLS", "host": "[2001:DB8::1]", "port": 443}, "protocol", peer)
    with pytest.raises(PeerRejected, match=r"^`port` is not the URL's 443$"):
        check_parts({"port": 444}, "protocol", peer)
