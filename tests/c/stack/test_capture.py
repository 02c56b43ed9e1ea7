"""ygg_c.stack.capture: blocks in memory, within bounds."""

import struct

import pytest

from tests.c.stackkit import MS, A, B, make_stack
from ygg_c.stack.capture import Capture


def request(size: int) -> bytes:
    """Return an echo request from B to A with no valid checksum: a capture looks at none."""
    return struct.pack(">IHBB", 6 << 28, 8 + size, 58, 64) + B + A + bytes([128, 0]) + bytes(6 + size)


def blocks(data: bytes) -> list[bytes]:
    found = []
    while data:
        kind, length = struct.unpack("=II", data[:8])
        assert kind == 6
        assert length % 4 == 0
        assert data[length - 4 : length] == data[4:8]
        found.append(data[:length])
        data = data[length:]
    return found


def given(capture: Capture, *sizes: int) -> None:
    stack, tap = make_stack(A)
    stack.capture = capture
    for size in sizes:
        tap.give([request(size)], 5 * MS)
        tap.poll(5 * MS)
    stack.capture = None
    stack.close()


@pytest.mark.parametrize("size", range(5))
def test_a_block_holds_the_packet_its_length_and_its_time(size):
    capture = Capture(offset=(7 << 32))
    given(capture, size)
    (block,) = blocks(capture.take())
    interface, high, low, kept, length = struct.unpack("=IIIII", block[8:28])
    assert (interface, high, low, kept, length) == (0, 7, 5 * MS, 48 + size, 48 + size)
    assert block[28 : 28 + kept] == request(size)
    assert capture.take() == b""


def test_a_snapshot_is_cut():
    capture = Capture(snaplen=41)
    given(capture, 100)
    (block,) = blocks(capture.take())
    assert struct.unpack("=II", block[20:28]) == (41, 148)
    assert block[28:69] == request(100)[:41]


def test_memory_is_bounded_and_what_is_lost_is_counted():
    capture = Capture(limit=1000)
    given(capture, *[400] * 5)
    assert len(blocks(capture.take())) == 2
    assert (capture.packets, capture.dropped) == (5, 3)
    given(capture, 400)
    assert len(blocks(capture.take())) == 1


def test_the_owner_is_told_at_half_once_until_it_takes():
    told = []
    capture = Capture(limit=984)
    capture.on_ready = lambda: told.append(capture.waiting)
    given(capture, 400, 400)
    assert told == [492]
    capture.take()
    given(capture, 100, 400)
    assert told == [492, 192 + 492]


def test_bounds_of_zero_are_refused():
    for bounds in ({"limit": 0}, {"snaplen": 0}):
        with pytest.raises(ValueError, match="at least"):
            Capture(**bounds)
