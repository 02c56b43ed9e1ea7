"""ygg chat, two processes."""

import asyncio
from pathlib import Path

import pytest

from tests.aio import on_loops
from tests.cli.command import start
from tests.cli.test_send import code_of, ended, relay


@on_loops
async def test_two_people_talk(tmp_path: Path) -> None:
    async with relay() as url:
        with start(tmp_path, "chat", "--peer", url) as waiting:
            address = await code_of(waiting)
            with start(tmp_path, "chat", address, "--peer", url) as calling:
                for process, text in ((waiting, "y\nwelcome\n"), (calling, "hello \x1b[2J\n")):
                    assert process.stdin is not None
                    process.stdin.write(text)
                    process.stdin.flush()
                assert calling.stdout is not None
                assert waiting.stdout is not None
                assert await asyncio.to_thread(calling.stdout.readline) == "> welcome\n"
                assert await asyncio.to_thread(waiting.stdout.readline) == "> hello �[2J\n"
                _, error = await ended(calling)     # the end of its input
            await ended(waiting)
    assert error.endswith("ygg: the chat has ended\n")


@on_loops
async def test_the_end_of_input_ends_the_wait_for_a_call(tmp_path: Path) -> None:
    async with relay() as url:
        with start(tmp_path, "chat", "--peer", url) as waiting:
            await code_of(waiting)
            _, error = await ended(waiting)
    assert error.endswith("ygg: the chat has ended\n")


@on_loops
async def test_letters_that_the_terminal_lacks_do_not_end_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    async with relay() as url:
        with start(tmp_path, "chat", "--peer", url) as waiting:
            address = await code_of(waiting)
            monkeypatch.delenv("PYTHONIOENCODING")
            with start(tmp_path, "chat", address, "--peer", url) as calling:
                for process, text in ((waiting, "y\n"), (calling, "gr\u00fc\u00df\nhello\n")):
                    assert process.stdin is not None
                    process.stdin.write(text)
                    process.stdin.flush()
                assert waiting.stdout is not None
                lines = [await asyncio.to_thread(waiting.stdout.readline) for _ in range(2)]
                await ended(calling)
            await ended(waiting)
    assert lines == ["> gr??\n", "> hello\n"]
