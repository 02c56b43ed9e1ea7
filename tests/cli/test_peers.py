"""ygg peers."""

import pytest

from ygg.autopeer import builtin_document
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
