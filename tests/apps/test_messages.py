"""ygg.apps.messages: lines of JSON."""

import asyncio
from typing import Any

import pytest

from tests.aio import in_virtual_time, run
from ygg.apps.messages import LONGEST, TransferError, read, text, whole


async def read_from(data: bytes, *, ended: bool = True) -> dict[str, Any]:
    reader = asyncio.StreamReader(limit=1 << 20)
    reader.feed_data(data)
    if ended:
        reader.feed_eof()
    return await read(reader, 10)


def test_a_line_is_a_message() -> None:
    assert run(read_from(b'{"a": 1}\nrest')) == {"a": 1}


@pytest.mark.parametrize("data", [
    b"\n", b"[]\n", b"{\n", b"1\n", b"\xff\n", b"[" * 4000 + b"\n", b'{"a": ' + b"1" * LONGEST + b"}\n",
    b"x" * (1 << 21),
])  # fmt: skip
def test_what_is_none_is_an_error(data: bytes) -> None:
    with pytest.raises(TransferError):
        run(read_from(data))


def test_an_end_is_a_lost_connection() -> None:
    with pytest.raises(ConnectionResetError):
        run(read_from(b'{"a": '))


@in_virtual_time
async def test_who_says_nothing_has_so_much_time() -> None:
    with pytest.raises(TimeoutError):
        await read_from(b"", ended=False)


@pytest.mark.parametrize("value", [-1, 1 << 63, True, 1.5, "1", None])
def test_a_number_of_bytes_is_one(value: object) -> None:
    assert whole({"size": 7}, "size") == 7
    with pytest.raises(TransferError):
        whole({"size": value}, "size")


def test_a_text_is_one() -> None:
    assert text({"a": "b"}, "a") == "b"
    with pytest.raises(TransferError):
        text({"a": 1}, "a")
