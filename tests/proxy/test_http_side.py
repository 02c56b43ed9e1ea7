"""ygg.proxy.http_side: one connection, parsed, paused where more comes than is handled, and lost."""

import asyncio

import pytest

from tests.aio import in_virtual_time, settle
from ygg.proxy.http_side import MOST_WAITING, Lost, Side, h11


class Wire(asyncio.Transport):
    """Tells whether it is read."""

    reading = True

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


@in_virtual_time
async def test_reading_is_paused_by_what_waits_and_goes_on_when_it_is_handled() -> None:
    wire = Wire()
    side = Side(h11.SERVER, wire)
    side.data_received(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
    assert isinstance(await side.event(), h11.Request)
    side.data_received(bytes(MOST_WAITING + 1))
    assert not wire.reading
    assert isinstance(await side.event(), h11.Data)
    waiting = asyncio.create_task(side.event())
    await settle()
    assert wire.reading
    side.connection_lost(None)
    with pytest.raises(Lost):
        await waiting
