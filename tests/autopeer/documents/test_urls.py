"""Lists of URLs alone: a JSON array, or one a line."""

import pytest

from tests.autopeer.lists import parse, reasons
from ygg.autopeer.documents.urls import lines_of

URLS = ["tls://a.example:443", "tcp://[2001:db8::1]:9?priority=1"]


@pytest.mark.parametrize("text", [
    "tls://a.example:443\ntcp://[2001:db8::1]:9?priority=1\n",
    "# mine\r\n\r\n  tls://a.example:443 # at home\r\ntcp://[2001:db8::1]:9?priority=1",
])
def test_lines(text: str) -> None:
    document = parse(text)
    assert (document.form, [peer.url for peer in document.peers]) == ("urls", URLS)
    assert {peer.country for peer in document.peers} == {""}


def test_a_json_array() -> None:
    document = parse(URLS)
    assert (document.form, [peer.url for peer in document.peers]) == ("urls", URLS)


def test_each_entry_stands_alone_and_a_mistyped_scheme_is_told_with_those_there_are() -> None:
    document = parse(["tsl://a.example:443", 5, URLS[0]])
    assert [peer.url for peer in document.peers] == [URLS[0]]
    assert reasons(document) == [
        "the scheme 'tsl' is none of a public peer's (quic, tcp, tls, ws, wss)", "the URL is not a string"]


@pytest.mark.parametrize("text", [
    "", "# a title\n", "# a title\ntext with tls://a.example:443 in it", "`tls://a:1`", "tls://a:1 b",
])
def test_other_texts_are_not_of_this_form(text: str) -> None:
    assert lines_of(text) is None
