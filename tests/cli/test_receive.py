"""ygg receive; tests/cli/test_send.py has whole transfers."""

from pathlib import Path

import pytest

from tests.aio import run
from ygg.apps.receiving import Offer
from ygg.cli import main
from ygg.cli.receive import Asking
from ygg.testing import public_key

OFFER = Offer("a.txt", 5, public_key(1))


@pytest.mark.parametrize(("arguments", "status", "text"), [
    (["--folder", "absent", "--local"], 2, "there is no folder 'absent'"),
    (["--name", "../a", "--local"], 2, "'../a' is no name of a file"),
    (["--name", "", "--local"], 2, "'' is no name of a file"),
    (["lusab-babad", "--local"], 1, "this is no code: a code has five groups"),
    ([], 2, "say how to join the network"),
])  # fmt: skip
def test_what_makes_no_sense(
    arguments: list[str], status: int, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["receive", *arguments]) == status
    assert text in capsys.readouterr().err


def test_an_offer_that_was_taken_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    questions: list[str] = []

    class Answers:
        async def agrees(self, question: str) -> bool:
            questions.append(question)
            return len(questions) > 1

    monkeypatch.setattr("ygg.cli.receive.Keyboard", Answers)
    asking = Asking(False)
    assert [run(asking(OFFER)) for _ in range(3)] == [False, True, True]
    assert len(questions) == 2
    assert questions[0].startswith("ygg: take 'a.txt', 5 bytes, from 2")


def test_yes_asks_nothing() -> None:
    assert run(Asking(True)(OFFER))
