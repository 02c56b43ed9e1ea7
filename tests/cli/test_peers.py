"""ygg peers."""

import contextlib
import json
import socket
from collections.abc import Iterator

import pytest

import ygg.autopeer
from ygg.autopeer import PublicPeer, builtin_document
from ygg.autopeer.documents.document import Document
from ygg.cli import main

WHOLE = builtin_document()


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[list[list[str]], str]:
    assert main(["peers", *arguments]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    return [line.rsplit(maxsplit=1) for line in lines], last


def test_all_with_count_and_date(capsys: pytest.CaptureFixture[str]) -> None:
    lines, last = shown(capsys)
    assert lines == [[peer.country, peer.url] for peer in WHOLE.peers]
    assert last == f"{len(WHOLE.peers)} public peers, as listed on {WHOLE.date}"


def test_filters_ignore_case_and_dashes_and_may_be_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--country", "United-States", "--country", "germany", "--scheme", "TLS")
    lines, last = shown(capsys, *arguments)
    wanted = [peer for peer in WHOLE.peers if peer.country in ("united states", "germany") and peer.scheme == "tls"]
    assert wanted
    assert lines == [[peer.country, peer.url] for peer in wanted]
    assert last == f"{len(wanted)} of {len(WHOLE.peers)} public peers, as listed on {WHOLE.date}"


@pytest.mark.parametrize(("option", "has"), [("--country", "germany"), ("--scheme", "tls")])
def test_unknown_names_are_errors_that_say_what_there_is(
    option: str, has: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["peers", option, "atlantis"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"ygg: the list has no {option[2:]} 'atlantis'; it has ")
    assert has in error


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["peers", "--country", "germany", "--json"]) == 0
    wanted = [peer for peer in WHOLE.peers if peer.country == "germany"]
    assert json.loads(capsys.readouterr().out) == [
        {"url": peer.url, "country": "germany", "scheme": peer.scheme} for peer in wanted
    ]


@contextlib.contextmanager
def a_list(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[PublicPeer]]:
    """A list of two peers of this machine that answer, one that refuses, and one of QUIC."""
    with contextlib.ExitStack() as stack:
        ports = [stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(2)]
        with socket.create_server(("127.0.0.1", 0)) as gone:
            ports.append(gone.getsockname()[1])
        peers = [
            PublicPeer(f"{scheme}://127.0.0.1:{port}", scheme, "127.0.0.1", port, "germany")
            for scheme, port in zip(("tcp", "tls", "tcp", "quic"), (*ports, ports[0]), strict=True)
        ]
        document = Document("ygg", "2026-01-01", peers)
        monkeypatch.setattr(ygg.autopeer, "builtin_document", lambda: document)
        yield peers


def test_check_lists_those_that_answer_with_their_round_trip(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with a_list(monkeypatch) as peers:
        lines, last = shown(capsys, "--check")
        assert {line[-1] for line in lines} == {peer.url for peer in peers[:2]}
        assert all(line[0].split()[1:] == ["ms", "germany"] for line in lines)
        assert last == "2 of 4 public peers, as listed on 2026-01-01"
        assert main(["peers", "--check", "--json"]) == 0
        times = [entry["round_trip_ms"] for entry in json.loads(capsys.readouterr().out)]
        assert times == sorted(times)
        assert len(times) == 2


def test_near_keeps_so_many(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with a_list(monkeypatch):
        lines, _ = shown(capsys, "--near", "1")
        assert len(lines) == 1
        assert main(["peers", "--near", "0"]) == 2


def test_where_none_answers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with a_list(monkeypatch) as peers:
        del peers[:2]
        assert main(["peers", "--check"]) == 1
        assert capsys.readouterr().err == "ygg: none of these peers answers; is this machine connected?\n"
