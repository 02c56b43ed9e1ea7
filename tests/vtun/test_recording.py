"""A file that is written now and then, in virtual time."""

import asyncio
import errno
import io
from pathlib import Path

import pytest

from tests.aio import in_virtual_time
from ygg.vtun.recording import Recording


class Times(Recording):
    """Writes the second of each flush."""

    def flush(self) -> None:
        self._write(b"%d " % asyncio.get_running_loop().time())

    def _last(self) -> None:
        self._write(b"end")


class Full(io.BytesIO):
    """A file on a disk that is full after some bytes."""

    def write(self, data: object) -> int:
        if self.tell() > 3:
            raise OSError(errno.ENOSPC, "full")
        return super().write(data)  # type: ignore[arg-type]


@in_virtual_time
async def test_it_writes_at_each_interval_and_at_the_end() -> None:
    file = io.BytesIO()
    with Times(file, 10) as recording:
        await asyncio.sleep(25)
        assert file.getvalue() == b"10 20 "
    assert recording.closed
    assert recording.error is None
    recording.close()
    await asyncio.sleep(25)
    assert file.getvalue() == b"10 20 25 end"
    assert not file.closed


@in_virtual_time
async def test_a_file_of_its_own_is_closed(tmp_path: Path) -> None:
    Times(tmp_path / "times", 10).close()
    assert (tmp_path / "times").read_bytes() == b"0 end"


@in_virtual_time
async def test_it_ends_when_the_file_cannot_be_written(caplog: pytest.LogCaptureFixture) -> None:
    file = Full()
    recording = Times(file, 1)
    await asyncio.sleep(5)
    assert recording.closed
    assert recording.error is not None
    assert recording.error.errno == errno.ENOSPC
    assert file.getvalue() == b"1 2 "
    recording.close()
    assert "Recording ended" in caplog.text
