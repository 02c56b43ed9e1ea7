"""What an envelope says."""

from typing import Any

import pytest

from ygg.admin.errors import EnvelopeError
from ygg.admin.request import Request


def test_names_of_members_count_in_any_case_and_unknown_ones_nothing() -> None:
    request = Request.of({"Request": "getSelf", "ARGUMENTS": {"a": 1}, "KeepAlive": True, "key": 5, "token": "t"})
    assert request == Request("getSelf", {"a": 1}, True, "t")
    assert request.echo() == {"request": "getSelf", "arguments": {"a": 1}, "keepalive": True}
    assert "token" not in str(request)


def test_what_is_missing() -> None:
    assert Request.of({}) == Request("", {}, False, "")
    assert Request.of({"request": None, "keepalive": None, "arguments": None}).echo() == {
        "request": "", "arguments": None,
    }  # fmt: skip


@pytest.mark.parametrize("members", [{"request": 5}, {"keepalive": "yes"}, {"token": 5}, {"request": ["a"]}])
def test_wrong_types(members: dict[str, Any]) -> None:
    with pytest.raises(EnvelopeError, match="failed to unmarshal request"):
        Request.of(members)
