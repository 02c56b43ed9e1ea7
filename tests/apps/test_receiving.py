"""ygg.apps.receiving: offers of strangers, and transfers that go on."""

import asyncio
import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from tests.aio import on_loops, settle, until
from tests.apps.pair import streams, two, yes
from tests.apps.test_sending import CODE, a_file
from ygg.apps.messages import PORT, TransferError, read, write
from ygg.apps.partial import Partial
from ygg.apps.receiving import Offer, Refused, receive, receive_by_code, receive_next
from ygg.apps.sending import send_by_code, send_to
from ygg.apps.serving import STRANGERS


@pytest.mark.parametrize("side", ["sender", "receiver"])
@on_loops
async def test_a_transfer_that_was_cut_goes_on(side: str, tmp_path: Path) -> None:
    """What has come is not sent again, whichever side ends, and the person is asked once by each program."""
    path = a_file(tmp_path, 16_000_000)
    begun: list[int] = []
    async with two(CODE.key) as nodes:
        half = asyncio.Event()

        def cut(done: int, size: int) -> None:
            begun.append(done)
            if done >= 1_000_000:
                half.set()

        sender = asyncio.create_task(send_by_code(nodes.a, CODE, path, lambda *_: None, nodes.tell))
        receiver = asyncio.create_task(receive_by_code(nodes.b, CODE, tmp_path / "in", yes, cut, nodes.tell))
        await half.wait()
        ended = sender if side == "sender" else receiver
        ended.cancel()
        await asyncio.gather(ended, return_exceptions=True)
        if side == "sender":  # what it had not sent yet is not sent any more
            await until(lambda: any("the sender is not there" in text for text in nodes.told))
        assert not (tmp_path / "in" / "a.bin").exists()
        begun.clear()
        if side == "sender":
            sender = asyncio.create_task(send_by_code(nodes.a, CODE, path, lambda *_: None, nodes.tell))
        else:
            receiver = asyncio.create_task(receive_by_code(nodes.b, CODE, tmp_path / "in", yes, cut, nodes.tell))
        await asyncio.gather(sender, receiver)
    assert begun[0] >= 1_000_000
    assert (tmp_path / "in" / "a.bin").read_bytes() == path.read_bytes()
    assert os.listdir(tmp_path / "in") == ["a.bin"]


@on_loops
async def test_a_link_that_is_cut_and_comes_back_costs_nothing(tmp_path: Path) -> None:
    path = a_file(tmp_path, 16_000_000)
    async with two(CODE.key) as nodes:
        half, link = asyncio.Event(), "tcp://127.0.0.1:7000"

        def cut(done: int, size: int) -> None:
            if done >= 1_000_000 and not half.is_set():
                nodes.b.remove_peer(link)
                half.set()

        sender = asyncio.create_task(send_by_code(nodes.a, CODE, path, tell=nodes.tell))
        receiver = asyncio.create_task(receive_by_code(nodes.b, CODE, tmp_path / "in", yes, cut, nodes.tell))
        await half.wait()
        await until(lambda: not nodes.a.peers() and not nodes.b.peers())
        assert not receiver.done()
        nodes.b.add_peer(link)
        await asyncio.gather(sender, receiver)
    assert (tmp_path / "in" / "a.bin").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("offer", [
    {}, {"name": "a"}, {"name": 1, "size": 1}, {"name": "a", "size": -1}, {"name": "a", "size": 1 << 64},
    {"name": "a", "size": "1"},
])  # fmt: skip
@on_loops
async def test_a_nonsensical_offer_is_not_shown(offer: dict[str, Any], tmp_path: Path) -> None:
    async def ask(offer: Offer) -> bool:
        raise AssertionError

    async with two() as nodes:
        (reader, writer), (_, back) = await streams(nodes.a, nodes.b)
        write(back, **offer)
        with pytest.raises(TransferError):
            await receive(reader, writer, tmp_path, ask, lambda *_: None)
        writer.close()
        back.close()
    assert os.listdir(tmp_path) == []


@on_loops
async def test_a_name_that_leads_out_of_the_folder_stays_in_it(tmp_path: Path) -> None:
    asked: list[Offer] = []

    async def ask(offer: Offer) -> bool:
        asked.append(offer)
        return False

    async with two() as nodes:
        (reader, writer), (there, back) = await streams(nodes.a, nodes.b)
        write(back, name="../../.ssh/\x1b[2Jauthorized_keys", size=1)
        with pytest.raises(Refused):
            await receive(reader, writer, tmp_path, ask, lambda *_: None)
        assert "refused" in await read(there)
        writer.close()
        back.close()
    assert asked == [Offer("_[2Jauthorized_keys", 1, nodes.b.public_key)]
    assert os.listdir(tmp_path) == []


@on_loops
async def test_what_is_not_what_was_sent_is_removed(tmp_path: Path) -> None:
    async with two() as nodes:
        (reader, writer), (there, back) = await streams(nodes.a, nodes.b)
        write(back, name="a", size=3)
        write(back, start=0)
        back.write(b"abc")
        write(back, digest="0" * 128)
        with pytest.raises(TransferError, match="not what was sent"):
            await receive(reader, writer, tmp_path, yes, lambda *_: None)
        assert (await read(there))["have"] == 0
        assert await read(there) == {"done": False}
        writer.close()
        back.close()
    assert os.listdir(tmp_path) == []


@on_loops
async def test_a_full_disk_is_told_and_what_came_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Partial, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Partial, "write", full)
    async with two() as nodes:
        (reader, writer), (_, back) = await streams(nodes.a, nodes.b)
        write(back, name="a", size=3)
        write(back, start=0)
        back.write(b"abc")
        with pytest.raises(TransferError, match="No space left on device; what came is kept"):
            await receive(reader, writer, tmp_path, yes, lambda *_: None)
        writer.close()
        back.close()
    assert os.listdir(tmp_path) == [".a.part"]


@pytest.mark.parametrize("trouble", ["a name that is too long", "a folder in its place"])
@on_loops
async def test_trouble_of_the_folder_is_not_tried_again(trouble: str, tmp_path: Path) -> None:
    path = a_file(tmp_path, 10)
    (tmp_path / "in" / ".a.bin.part").mkdir()
    name = "n" * 252 if trouble == "a name that is too long" else None
    async with two(CODE.key) as nodes:
        sender = asyncio.create_task(send_by_code(nodes.a, CODE, path, tell=nodes.tell))
        with pytest.raises(TransferError, match=r"cannot write .*(too long|directory)"):
            await receive_by_code(nodes.b, CODE, tmp_path / "in", yes, lambda *_: None, nodes.tell, name=name)
        with pytest.raises(TransferError, match="cannot be kept there"):
            await sender


@on_loops
async def test_strangers_that_say_nothing_or_nonsense_keep_no_one_out(tmp_path: Path) -> None:
    path = a_file(tmp_path, 10)
    async with two() as nodes, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(receive_next(nodes.a, tmp_path / "in", yes, lambda *_: None))
        await settle()
        ends = [await nodes.b.open_connection(nodes.a.public_key, PORT, timeout=30) for _ in range(2 * STRANGERS)]
        nonsense = b"{}\n", b'{"name": "a", "size": -1}\n', b"x" * 5000 + b"\n"
        for (_, writer), line in zip(ends, nonsense, strict=False):
            writer.write(line)
        await send_to(nodes.b, str(nodes.a.address), path)
        assert (await task).read_bytes() == path.read_bytes()
        for _, writer in ends:
            writer.close()


@on_loops
async def test_after_a_file_no_other_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the first connection takes its time to end."""
    asked: list[Offer] = []
    closing = asyncio.Event()

    async def close(writer: asyncio.StreamWriter) -> None:
        await closing.wait()
        writer.close()

    async def ask(offer: Offer) -> bool:
        asked.append(offer)
        return True

    monkeypatch.setattr("ygg.apps.receiving._close", close)
    async with two() as nodes, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(receive_next(nodes.a, tmp_path, ask, lambda *_: None))
        await settle()
        one, other = [await nodes.b.open_connection(nodes.a.public_key, PORT, timeout=30) for _ in range(2)]
        write(one[1], name="a", size=0)
        assert (await read(one[0]))["have"] == 0
        write(one[1], start=0)
        write(one[1], digest=hashlib.blake2b().hexdigest())
        assert await read(one[0]) == {"done": True}
        write(other[1], name="b", size=0)
        assert await read(other[0]) == {"refused": "another file is being received"}
        closing.set()
        for _, writer in (one, other):
            writer.close()
        assert (await task).name == "a"
    assert [offer.name for offer in asked] == ["a"]


@on_loops
async def test_after_a_refusal_the_next_is_waited_for(tmp_path: Path) -> None:
    path = a_file(tmp_path, 10)
    answers = iter([False, True])

    async def ask(offer: Offer) -> bool:
        return next(answers)

    async with two() as nodes, asyncio.TaskGroup() as tasks:
        task = tasks.create_task(receive_next(nodes.a, tmp_path / "in", ask, lambda *_: None))
        await settle()
        with pytest.raises(TransferError, match="it is not wanted"):
            await send_to(nodes.b, str(nodes.a.address), path)
        await send_to(nodes.b, str(nodes.a.address), path)
        assert (await task).read_bytes() == path.read_bytes()
