"""ygg.node.nodeinfo: what a node tells about itself."""

import json

import pytest

from ygg.errors import AnswerError, ConfigError
from ygg.node import nodeinfo


def test_build_members_override_the_users_unless_private() -> None:
    shown = json.loads(nodeinfo.encode({"name": "x", "buildname": "mine"}))
    assert shown == {"name": "x"} | nodeinfo.build_info()
    assert json.loads(nodeinfo.encode({"buildname": "mine"}, privacy=True)) == {"buildname": "mine"}
    assert nodeinfo.encode(None, privacy=True) == b"{}"


def test_the_limit_is_on_the_serialized_size() -> None:
    room = nodeinfo.LIMIT - len('{"a":""}')
    assert len(nodeinfo.encode({"a": "x" * room}, privacy=True)) == nodeinfo.LIMIT
    with pytest.raises(ConfigError, match="16385 bytes; 16384 are allowed"):
        nodeinfo.encode({"a": "x" * (room + 1)}, privacy=True)


@pytest.mark.parametrize("info", [{"a": "\0"}, {"\ud800": 1}, {"a": [{"b": "x\udfff"}]}, {"a": ("\0",)}])
def test_strings_that_are_no_text_are_refused(info: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=r"^NodeInfo (has a NUL|is no text)"):
        nodeinfo.encode(info)


def test_what_holds_itself_is_refused() -> None:
    info: dict[str, object] = {}
    info["a"] = info
    with pytest.raises(ConfigError, match="nested too deeply"):
        nodeinfo.encode(info)


def test_platform_words_are_those_of_the_stock_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "win32")
    info = nodeinfo.build_info()
    assert (info["buildplatform"], info["buildarch"]) == ("windows", "amd64")
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert nodeinfo.build_info()["buildarch"] == "riscv64"


@pytest.mark.parametrize("text", [b"", b"null", b"[]", b"{", b"\xff", b"[" * 100000, b'{"a":' + b"9" * 5000 + b"}"])
def test_nonsense_is_an_error(text: bytes) -> None:
    with pytest.raises(AnswerError):
        nodeinfo.decode(text)


def test_an_object_is_returned_as_it_is() -> None:
    assert nodeinfo.decode(b'{"a":[1,null]}') == {"a": [1, None]}
