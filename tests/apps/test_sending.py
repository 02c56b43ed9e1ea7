"""ygg.apps.sending: files offered, to the receiver of ygg.apps.receiving and to strangers."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.aio import on_loops, run, settle
from tests.apps.pair import streams, two, yes
from ygg.apps.code import Code
from ygg.apps.messages import PORT, TransferError, read, write
from ygg.apps.receiving import receive_by_code, receive_next
from ygg.apps.sending import send, send_by_code, send_to
from ygg.apps.serving import STRANGERS

CODE = Code(b"\x07" * 9)


def a_file(folder: Path, size: int) -> Path:
    (folder / "out").mkdir()
    (folder / "in").mkdir()
    path = folder / "out" / "a.bin"
    path.write_bytes(os.urandom(size))
    return path


@on_loops
async def test_a_file_by_a_code(tmp_path: Path) -> None:
    path = a_file(tmp_path, 3_000_000)
    async with two(CODE.key) as nodes, asyncio.TaskGroup() as tasks:
        tasks.create_task(send_by_code(nodes.a, CODE, path, nodes.progress, nodes.tell))
        there = await receive_by_code(nodes.b, CODE, tmp_path / "in", yes, lambda *_: None, nodes.tell)
    assert there == tmp_path / "in" / "a.bin"
    assert there.read_bytes() == path.read_bytes()
    assert os.listdir(tmp_path / "in") == ["a.bin"]
    assert nodes.steps[0] == (0, 3_000_000)
    assert nodes.steps[-1] == (3_000_000, 3_000_000)


@on_loops
async def test_an_empty_file_to_an_address(tmp_path: Path) -> None:
    path = a_file(tmp_path, 0)
    async with two() as nodes, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(receive_next(nodes.a, tmp_path / "in", yes, lambda *_: None, name="b"))
        await settle()
        await send_to(nodes.b, str(nodes.a.address), path)
        assert (await task) == tmp_path / "in" / "b"


@on_loops
async def test_who_does_not_have_the_code_gets_nothing(tmp_path: Path) -> None:
    """Not even the name of the file."""
    path = a_file(tmp_path, 10)
    async with two(CODE.key) as nodes, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(send_by_code(nodes.a, CODE, path, tell=nodes.tell))
        for proof in ("0" * 64, CODE.proof(b"x" * 32), "\ud800", 1, None):
            reader, writer = await nodes.b.open_connection(nodes.a.public_key, PORT, timeout=30)
            write(writer, proof=proof)
            assert await reader.read() == b""
            writer.close()
        assert nodes.told == []
        await receive_by_code(nodes.b, CODE, tmp_path / "in", yes, lambda *_: None, nodes.tell)
        await task


@on_loops
async def test_those_who_say_nothing_keep_no_one_with_the_code_out(tmp_path: Path) -> None:
    """The oldest of them goes; it is not waited for until their time is up."""
    path = a_file(tmp_path, 10)
    async with two(CODE.key) as nodes, asyncio.TaskGroup() as tasks:
        tasks.create_task(send_by_code(nodes.a, CODE, path, tell=nodes.tell))
        silent = [await nodes.b.open_connection(nodes.a.public_key, PORT, timeout=30) for _ in range(STRANGERS)]
        await receive_by_code(nodes.b, CODE, tmp_path / "in", yes, lambda *_: None, nodes.tell)
        assert await silent[0][0].read() == b""
        for _, writer in silent:
            writer.close()
    assert nodes.told == ["the other side has connected"]


@on_loops
async def test_of_receivers_that_come_together_one_is_sent_to_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_file(tmp_path, 10)
    now = most = 0

    async def offer(*_: object) -> None:
        nonlocal now, most
        now += 1
        most = max(now, most)
        try:
            await asyncio.sleep(0.1)
        finally:
            now -= 1

    monkeypatch.setattr("ygg.apps.sending.send", offer)
    async with two(CODE.key) as nodes, asyncio.TaskGroup() as tasks:
        tasks.create_task(send_by_code(nodes.a, CODE, path, tell=nodes.tell))
        pairs = [await nodes.b.open_connection(nodes.a.public_key, PORT, timeout=30) for _ in range(4)]
        for _, writer in pairs:
            write(writer, proof=CODE.proof(nodes.b.public_key))
        for reader, writer in pairs:
            assert await reader.read() == b""
            writer.close()
    assert most == 1


@on_loops
async def test_a_refusal_at_the_end_is_told(tmp_path: Path) -> None:
    path = a_file(tmp_path, 10)
    async with two() as nodes:
        (reader, writer), (_, back) = await streams(nodes.a, nodes.b)
        write(back, have=0, digest="")
        write(back, refused="the disk is full")
        with pytest.raises(TransferError, match="does not take it: the disk is full"):
            await send(reader, writer, path)
        writer.close()
        back.close()


@on_loops
async def test_a_file_that_has_become_shorter_is_told(tmp_path: Path) -> None:
    path = a_file(tmp_path, 3_000_000)
    async with two() as nodes:
        (reader, writer), (there, back) = await streams(nodes.a, nodes.b)
        task = asyncio.create_task(send(reader, writer, path))
        assert (await read(there))["size"] == 3_000_000
        os.truncate(path, 10)
        write(back, have=0, digest="")
        with pytest.raises(TransferError, match="shorter"):
            await task
        writer.close()
        back.close()


@pytest.mark.parametrize("answer", [
    {"have": -1, "digest": ""}, {"have": 0}, {}, {"have": True, "digest": ""}, {"refused": 1},
])  # fmt: skip
@on_loops
async def test_nonsense_ends_it(answer: dict[str, object], tmp_path: Path) -> None:
    path = a_file(tmp_path, 10)
    async with two() as nodes:
        (reader, writer), (_, back) = await streams(nodes.a, nodes.b)
        write(back, **answer)
        with pytest.raises(TransferError):
            await send(reader, writer, path)
        writer.close()
        back.close()


@on_loops
async def test_a_part_that_is_another_files_is_sent_anew(tmp_path: Path) -> None:
    path = a_file(tmp_path, 10)
    async with two() as nodes:
        (reader, writer), (there, back) = await streams(nodes.a, nodes.b)
        task = asyncio.create_task(send(reader, writer, path))
        assert (await read(there))["name"] == "a.bin"
        write(back, have=5, digest="0" * 128)
        assert await read(there) == {"start": 0}
        assert await there.readexactly(10) == path.read_bytes()
        await read(there)
        write(back, done=False)
        with pytest.raises(TransferError, match="send it again"):
            await task
        writer.close()
        back.close()


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match="cannot read"):
        run(send(None, None, tmp_path / "absent"))  # type: ignore[arg-type]
