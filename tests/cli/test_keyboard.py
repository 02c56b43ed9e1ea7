"""ygg.cli.keyboard: lines of standard input."""

import asyncio
import io
import threading
from collections.abc import Iterator

import pytest

from tests.aio import run, settle
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


def test_after_the_end_each_question_is_answered_by_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run(answers(2)) == [False, False]


class Terminal(io.StringIO):
    """A terminal at which the second line is typed when the question has been asked."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.taken, self.asked = threading.Event(), threading.Event()

    def isatty(self) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:    # type: ignore[override]
        yield self.readline()
        self.taken.set()
        self.asked.wait()
        while line := self.readline():
            yield line


def test_what_was_typed_before_a_question_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal("y\nn\n")
    monkeypatch.setattr("sys.stdin", terminal)

    async def answer() -> bool:
        keyboard = Keyboard()
        await asyncio.to_thread(terminal.taken.wait)
        await settle()
        asked = asyncio.ensure_future(keyboard.agrees("ready?"))
        await settle()
        terminal.asked.set()
        return await asked

    assert not run(answer())


@pytest.mark.parametrize(("terminal", "text", "read", "over"), [
    (False, "", 0, True), (False, "a\n", 0, False), (False, "a\n", 1, True), (True, "a\nb\n", 0, True),
])  # fmt: skip
def test_it_is_over_when_no_line_is_left(
    terminal: bool, text: str, read: int, over: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program may have written ahead; a person who ends their input wants no more."""
    stdin = Terminal(text) if terminal else io.StringIO(text)
    if isinstance(stdin, Terminal):
        stdin.asked.set()
    monkeypatch.setattr("sys.stdin", stdin)

    async def is_over() -> bool:
        before = set(threading.enumerate())
        keyboard = Keyboard()
        for thread in set(threading.enumerate()) - before:
            await asyncio.to_thread(thread.join)
        await settle()
        for _ in range(read):
            await keyboard.agrees("ready?")
        return keyboard.over.is_set()

    assert run(is_over()) is over
