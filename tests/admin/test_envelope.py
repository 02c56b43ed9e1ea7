"""Objects out of a stream, and replies as the stock daemon writes them."""

import json
from typing import Any

import pytest

from ygg.admin.envelope import DEPTH_MAX, Objects, encoded, reply
from ygg.admin.errors import EnvelopeError


def objects(data: bytes, size: int = 1 << 20, limit: int = 1000) -> list[Any]:
    """Return the objects of `data`, fed in pieces of `size` bytes."""
    stream = Objects(limit)
    found = []
    for at in range(0, len(data), size):
        stream.feed(data[at : at + size])
        while (value := stream.next()) is not None:
            found.append(value)
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("values", [
    [{}], [{"a": 1}, {"b": [1, {"c": "}"}]}], [{'"\\{': 'x"}\\'}, {"é": "\u2028"}], [{"a": {"b": {"c": [[], {}]}}}],
])  # fmt: skip
def test_objects_one_after_another_in_pieces_of_any_size(values: list[Any], size: int) -> None:
    for between in ("", "\n", " \t\r\n "):
        text = between.join(json.dumps(value, ensure_ascii=False) for value in values)
        assert objects(between.encode() + text.encode(), size) == values


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(("data", "text"), [
    (b"GET / HTTP/1.1\r\n", "failed to find request"), (b"{x", "failed to find request"),
    (b'{"a":1,}', "failed to find request"), (b'{"a":]}', "failed to find request"),
    (b'{"a":NaN}', "failed to find request"), (b"\xef\xbb\xbf{}", "failed to find request"),
    (b"}", "failed to find request"), (b"5 ", "failed to unmarshal request"), (b"[]", "failed to unmarshal request"),
    (b'"a"', "failed to unmarshal request"), (b'{"a":' + b"[" * DEPTH_MAX, "it is nested too deeply"),
    (b'{"a":"' + b"x" * 1000, "it is longer than 1000 bytes"),
    (b'{"a":"' + b"x" * 1000 + b'"}', "it is longer than 1000 bytes"),
    (b'{"a":' + b"9" * 5000, "it is longer than 1000 bytes"),
])  # fmt: skip
def test_what_is_none_is_refused_at_once(data: bytes, text: str, size: int) -> None:
    with pytest.raises(EnvelopeError, match=rf"^{text}$"):
        objects(data, size)


def test_what_is_not_utf_8_is_replaced_and_a_huge_number_is_no_request() -> None:
    assert objects(b'{"a":"\xff"}') == [{"a": "\ufffd"}]
    with pytest.raises(EnvelopeError):
        objects(b'{"a":' + b"9" * 5000 + b"}", limit=10000)


def test_pending_tells_of_a_part() -> None:
    stream = Objects(10)
    assert not stream.pending
    stream.feed(b" \n")
    assert not stream.pending
    stream.feed(b"{")
    assert stream.pending
    assert stream.next() is None


def test_a_reply_is_written_as_the_stock_daemon_does() -> None:
    written = encoded(reply({"request": "a<b&\u2028é", "arguments": {}}, error="no"))
    assert written.decode() == (
        '{\n  "status": "error",\n  "error": "no",\n  "request": {\n'
        '    "request": "a\\u003cb\\u0026\\u2028é",\n    "arguments": {}\n  },\n  "response": null\n}\n'
    )
    assert encoded(reply({"request": "x"}, {"a": []}), indent=None) == (
        b'{"status":"success","request":{"request":"x"},"response":{"a":[]}}\n'
    )


def test_half_of_a_surrogate_pair_goes_back_as_it_came() -> None:
    assert json.loads(encoded({"a": "\ud800"})) == {"a": "\ud800"}
