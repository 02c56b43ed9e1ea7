"""ygg.autopeer.sources: one source, what it last gave, and how it is asked again."""

import json
import logging
import os
import sys
import threading
from pathlib import Path

import pytest

from tests.aio import run, until
from tests.autopeer.server import ok, response
from tests.autopeer.test_fetcher import FIRST, NOW, SECOND, hosts, nodes, sites
from ygg.autopeer import BUILTIN, Document, PeerFetcher
from ygg.autopeer.documents import parse_document
from ygg.network import LoopbackNetwork


def test_failure_leaves_the_others_alone_and_the_old_list_in_place() -> None:
    async def main() -> None:
        async with sites() as (server, network):
            fetcher = PeerFetcher([FIRST, SECOND], network=network)
            await fetcher.refresh()
            server.answers["/publicnodes.json"] = response(500, "Content-Length: 0")
            server.answers["/germany.md"] = ok(b"`tcp://d:1`")
            assert hosts(await fetcher.refresh()) == ["a", "b", "d"]
            assert [status.error for status in fetcher.status()] == ["HTTP status 500", ""]

    run(main())


@pytest.mark.parametrize("body", [b"{", b"<html>", b"[1]", b"\xff", b"x" * 2000])
def test_bad_document_is_logged_and_the_old_one_stays(body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with sites() as (server, network):
            fetcher = PeerFetcher([FIRST], network=network, max_size=1000)
            await fetcher.refresh()
            server.answers["/publicnodes.json"] = ok(body)
            assert hosts(await fetcher.refresh()) == ["a", "b"]
            error = fetcher.status()[0].error
            assert error
            assert f"peer list {FIRST}: {error}" in caplog.messages

    run(main())


NO_PEERS = [
    b"{}", b"# Sign in\n", b"<script>fetch(`https://login.example/`)</script>", b'{"germany.md": "oops"}',
    b'{"germany.md": {}}', b'{"format": "ygg-public-peers-1", "date": "", "peers": []}',
]  # fmt: skip


@pytest.mark.parametrize("body", NO_PEERS)
def test_document_without_peers_takes_no_list_away(body: bytes, tmp_path: Path) -> None:
    async def main() -> None:
        page = tmp_path / "germany.md"
        page.write_bytes(nodes("f"))
        async with sites() as (server, network):
            fetcher = PeerFetcher([FIRST, page], network=network)
            await fetcher.refresh()
            server.answers["/publicnodes.json"] = ok(body, 'ETag: "1"')
            page.write_bytes(body)
            for _ in range(2):
                assert hosts(await fetcher.refresh()) == ["a", "b", "f"]
                assert all(status.error for status in fetcher.status())
            assert "if-none-match" not in server.asked[2][1]

    run(main())


def test_document_without_usable_peers_says_why(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with sites() as (server, network):
            server.answers["/germany.md"] = ok(b"`tcp://me@b:1`")
            fetcher = PeerFetcher([SECOND], network=network)
            await fetcher.refresh()
            assert fetcher.status()[0].error == "no usable peers in it"

    with caplog.at_level(logging.INFO, "ygg.autopeer"):
        run(main())
    assert caplog.messages[1:] == [
        f"peer list {SECOND}: tcp://b:1 left out: the URL carries credentials",
        f"peer list {SECOND}: no usable peers in it",
    ]


def test_entries_left_out_are_logged_with_the_reason(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with sites() as (server, network):
            server.answers["/publicnodes.json"] = ok(json.dumps({"x.md": {"tcp://u:p@h:1\n": {}}}).encode())
            await PeerFetcher([FIRST], network=network).refresh()

    with caplog.at_level(logging.INFO, "ygg.autopeer"):
        run(main())
    assert f"peer list {FIRST}: tcp://h:1\\n left out: the URL holds spaces, control or non-ASCII characters" in (
        caplog.messages
    )


def test_logs_leave_out_what_may_be_secret(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with sites() as (_, network):
            for source in (FIRST, "http://nowhere.example/list.json"):
                secret = source.replace("://", "://me:hidden@") + "?token=hidden"
                fetcher = PeerFetcher([secret], network=network)
                await fetcher.refresh()
                (status,) = fetcher.status()
                assert (status.source, status.redacted) == (secret, source)
                assert "hidden" not in repr(status)

    with caplog.at_level(logging.DEBUG, "ygg.autopeer"):
        run(main())
    assert [message.partition(": ")[0] for message in caplog.messages] == [
        f"peer list {FIRST}", "peer list http://nowhere.example/list.json",
    ]
    assert "hidden" not in caplog.text


def test_unchanged_document_is_not_sent_again() -> None:
    async def main() -> None:
        async with sites() as (server, network):

            def answer(headers: dict[str, str]) -> bytes:
                fresh = headers.get("if-none-match") == '"1"'
                return response(304) if fresh else ok(nodes("a"), 'ETag: "1"')

            server.answers["/publicnodes.json"] = answer
            fetcher = PeerFetcher([FIRST], network=network)
            for _ in range(3):
                assert hosts(await fetcher.refresh()) == ["a"]
                assert fetcher.status()[0].error == ""
            assert [headers.get("if-none-match") for _, headers in server.asked] == [None, '"1"', '"1"']

    run(main())


def test_validators_of_a_document_that_was_refused_are_not_kept() -> None:
    async def main() -> None:
        async with sites() as (server, network):
            server.answers["/publicnodes.json"] = ok(b"{", 'ETag: "1"')
            fetcher = PeerFetcher([FIRST], network=network)
            await fetcher.refresh()
            await fetcher.refresh()
            assert "if-none-match" not in server.asked[1][1]

    run(main())


def test_files(tmp_path: Path) -> None:
    page = tmp_path / "europe" / "czech-republic.md"
    page.parent.mkdir()
    page.write_text("`tcp://a:1`")
    fetcher = PeerFetcher([page])
    (peer,) = run(fetcher.refresh())
    assert (peer.host, peer.country, peer.region) == ("a", "czech republic", "europe")
    page.write_text("`tcp://b:1` `tcp://c:1`")
    assert hosts(run(fetcher.refresh())) == ["b", "c"]
    assert hosts(run(PeerFetcher([str(tmp_path)]).refresh())) == ["b", "c"]
    page.unlink()
    assert hosts(run(fetcher.refresh())) == ["b", "c"]
    assert "No such file" in fetcher.status()[0].error


def test_hosts_of_this_machine_are_taken_only_where_allowed(tmp_path: Path) -> None:
    page = tmp_path / "europe" / "germany.md"
    page.parent.mkdir()
    page.write_text("`tcp://127.0.0.1:1` `tcp://b:1`")
    for source in (page, tmp_path):
        assert hosts(run(PeerFetcher([source]).refresh())) == ["b"]
        assert hosts(run(PeerFetcher([source], allow_local=True).refresh())) == ["127.0.0.1", "b"]


def test_file_limits(tmp_path: Path) -> None:
    big, pipe = tmp_path / "europe" / "big.md", tmp_path / "europe" / "pipe.md"
    big.parent.mkdir()
    big.write_text("`tcp://a:1`" * 100)
    os.mkfifo(pipe)
    fetcher = PeerFetcher([big, pipe, tmp_path], max_size=1000)
    assert run(fetcher.refresh()) == ()
    assert [status.error for status in fetcher.status()] == [
        "larger than 1000 bytes", "not a file", "no usable peers in it",
    ]  # fmt: skip


def test_bad_page_of_a_checkout_is_logged_and_the_others_are_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, text in (("germany.md", "`tcp://a:1`"), ("notes.md", "just words"), ("latvia.md", "# Latvia Peers")):
        (tmp_path / "europe").mkdir(exist_ok=True)
        (tmp_path / "europe" / name).write_text(text)
    with caplog.at_level(logging.INFO, "ygg.autopeer"):
        assert hosts(run(PeerFetcher([tmp_path]).refresh())) == ["a"]
    assert [message for message in caplog.messages if "europe/notes.md left out: neither" in message]


def test_path_that_does_not_answer_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    monkeypatch.setattr("ygg.autopeer.sources.read_checkout", lambda *_, **__: answered.wait() and Document("markdown"))

    async def main() -> None:
        fetcher = PeerFetcher([tmp_path], timeout=0.01)
        assert await fetcher.refresh() == ()
        assert fetcher.status()[0].error == "no answer within 0.01 s"
        assert await fetcher.refresh() == ()
        assert fetcher.status()[0].error == "still being read since the last time"

    late = threading.Timer(10, answered.set)
    late.start()
    run(main())
    waited = answered.is_set()
    answered.set()
    late.cancel()
    late.join()
    assert not waited  # neither the loop's end nor the next question waits for the answer


def test_path_is_read_again_once_it_has_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    document = parse_document(b"`tcp://a:1`", now=NOW)
    monkeypatch.setattr("ygg.autopeer.sources.read_checkout", lambda *_, **__: answered.wait() and document)

    async def main() -> None:
        fetcher = PeerFetcher([tmp_path], timeout=0.3)
        assert await fetcher.refresh() == ()
        answered.set()
        await until(lambda: not any(thread.name == "ygg peer list" for thread in threading.enumerate()))
        assert hosts(await fetcher.refresh()) == ["a"]

    run(main())


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ygg.autopeer.http", raising=False)
    monkeypatch.setitem(sys.modules, "httpcore", None)
    fetcher = PeerFetcher([FIRST, BUILTIN], network=LoopbackNetwork())
    assert len(run(fetcher.refresh())) > 300
    assert "ygg[http]" in fetcher.status()[0].error


BAD_INPUT = {
    "huge": (b"`tcp://a:1`" + bytes(100_000), [], "larger than 60000 bytes"),
    "truncated": (b'{"germany.md": {"tcp://a:1": {"up": tr', [], "not JSON: Expecting value"),
    "cut short on the wire": (None, [], "peer closed connection without sending complete message body"),
    "wrong types": (
        b'{"germany.md": {"tcp://a:1": {"up": "yes"}, "tcp://b:1": {}}}', ["b"],
        "tcp://a:1 left out: `up` is not of type bool",
    ),
    "a number too large": (
        b'{"germany.md": {"tcp://a:1": {"response_ms": 1%s}, "tcp://b:1": {}}}' % (b"0" * 400), ["b"],
        "tcp://a:1 left out: `response_ms` is out of range",
    ),
    "unknown fields": (
        b'{"germany.md": {"tcp://a:1": {"up": true, "mood": [{}]}}}', ["a"],
        "1 peers, 0 entries left out, 0 duplicates",
    ),
    "thousands of duplicates": (
        b"`tcp://a:1`" * 5000, ["a"], "1 peers, 0 entries left out, 4999 duplicates",
    ),
    "credentials": (b"`tcp://me:hidden@a:1` `tcp://b:1`", ["b"], "left out: the URL carries credentials"),
    "control characters": (
        b'{"germany.md": {"tcp://a:1\\u001b[2J": {}, "tcp://b:1": {}}}', ["b"],
        "tcp://a:1\\x1b[2J left out: the URL holds spaces, control or non-ASCII characters",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_INPUT)
def test_bad_input_has_a_clear_line_and_the_rest_works(name: str, caplog: pytest.LogCaptureFixture) -> None:
    body, found, text = BAD_INPUT[name]

    async def main() -> None:
        async with sites() as (server, network):
            cut = response(200, "Content-Length: 5000") + b"`tcp://a:1`"
            server.answers["/publicnodes.json"] = cut if body is None else ok(body)
            fetcher = PeerFetcher([FIRST, SECOND], network=network, max_size=60_000)
            assert hosts(await fetcher.refresh()) == [*found, *(host for host in ["b", "c"] if host not in found)]

    with caplog.at_level(logging.INFO, "ygg.autopeer"):
        run(main())
    (line,) = [message for message in caplog.messages if text in message]
    assert line.startswith(f"peer list {FIRST}: ")
    assert line.isprintable()
    assert "hidden" not in caplog.text
