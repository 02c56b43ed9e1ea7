"""ygg send, with ygg receive as a process beside it: a file by a code, and what happens when either is killed."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.aio import on_loops, until
from tests.cli.command import start
from tests.nodes import node
from ygg import NativeNetwork
from ygg.cli import main

SIZE = 64 << 20


@contextlib.asynccontextmanager
async def relay() -> AsyncIterator[str]:
    """A node that both commands go through; gives its URL."""
    async with NativeNetwork() as network, node(1, network) as middle:
        listener = await middle.listen("tcp://127.0.0.1:0")
        yield f"tcp://{listener.address}"


async def ended(process: "subprocess.Popen[str]") -> tuple[str, str]:
    out, error = await asyncio.to_thread(process.communicate, timeout=60)
    assert process.returncode == 0, error
    assert "Traceback" not in error
    return out, error


async def code_of(sender: "subprocess.Popen[str]") -> str:
    assert sender.stdout is not None
    return (await asyncio.to_thread(sender.stdout.readline)).strip()


@pytest.mark.slow
@pytest.mark.parametrize("killed", ["sender", "receiver"])
@on_loops
async def test_a_file_comes_whole_though_a_program_is_killed(killed: str, tmp_path: Path) -> None:
    path, part, there = tmp_path / "a.bin", tmp_path / "in/.a.bin.part", tmp_path / "in/a.bin"
    path.write_bytes(os.urandom(SIZE))
    (tmp_path / "in").mkdir()
    async with relay() as url:
        def sends(*more: str) -> "subprocess.Popen[str]":
            return start(tmp_path, "send", "a.bin", "--peer", url, *more)

        def receives() -> "subprocess.Popen[str]":
            return start(tmp_path, "receive", code, "--peer", url, "--yes", "--folder", "in")

        with contextlib.ExitStack() as stack:
            sender = stack.enter_context(sends())
            code = await code_of(sender)
            receiver = stack.enter_context(receives())
            await until(lambda: part.exists() and part.stat().st_size > 1 << 20)
            gone = sender if killed == "sender" else receiver
            gone.send_signal(signal.SIGKILL)
            await asyncio.to_thread(gone.communicate)
            assert not there.exists()
            had = part.stat().st_size
            if killed == "sender":
                sender = stack.enter_context(sends("--code", code))
            else:
                receiver = stack.enter_context(receives())
            await until(lambda: there.exists() or part.stat().st_size >= had)
            out, _ = await ended(receiver)
            _, error = await ended(sender)
    assert out == "in/a.bin\n"
    assert "the other side has the whole file" in error
    assert there.read_bytes() == path.read_bytes()


@on_loops
async def test_a_file_to_an_address(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("words")
    async with relay() as url:
        with start(tmp_path, "receive", "--peer", url, "--name", "b.txt", "--identity", "me.key") as receiver:
            address = await code_of(receiver)
            with start(tmp_path, "send", "a.txt", "--peer", url, "--to", address) as sender:
                assert receiver.stdin is not None
                receiver.stdin.write("y\n")
                receiver.stdin.flush()
                await ended(sender)
            out, error = await ended(receiver)
    assert out == "b.txt\n"
    assert "take 'b.txt', 5 bytes, from 2" in error
    assert (tmp_path / "b.txt").read_text() == "words"
    assert (tmp_path / "me.key").exists()


@pytest.mark.parametrize(("arguments", "status", "text"), [
    (["absent", "--local"], 1, "is no file; name one that is there"),
    ([".", "--local"], 1, ". is a folder: pack it first"),
    (["a", "--local", "--code", "nonsense"], 1, "this is no code"),
    (["a"], 2, "say how to join the network: --peer"),
    (["a", "--peer", "nonsense"], 2, "'nonsense': missing or malformed scheme in URL"),
    (["a", "--code", "x", "--to", "y"], 2, "not allowed with"),
])  # fmt: skip
def test_what_makes_no_sense(
    arguments: list[str], status: int, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").touch()
    assert main(["send", *arguments]) == status
    assert text in capsys.readouterr().err
