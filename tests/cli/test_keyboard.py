"""ygg.cli.keyboard: lines of standard input."""

import io

import pytest

from tests.aio import run
from ygg.cli.keyboard import Keyboard


async def lines() -> list[str]:
    return [line async for line in Keyboard()]


async def answers(count: int) -> list[bool]:
    keyboard = Keyboard()
    return [await keyboard.agrees("ready?") for _ in range(count)]


def test_lines_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("one\ntwo\r\n\nthree"))
    assert run(lines()) == ["one", "two", "", "three"]


def test_only_a_yes_is_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\nYES \nn\n\nyep\n"))
    assert run(answers(6)) == [True, True, False, False, False, False]
    assert capsys.readouterr().err == "ready? [y/N] " * 6
