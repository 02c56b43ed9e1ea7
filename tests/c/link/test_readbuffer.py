"""What links have brought and is not handled yet takes bounded memory over all of them, and none once closed."""

import ctypes
import gc
from collections.abc import Callable

import pytest

from tests.c.farside import ANNOUNCE, SIG_REQ, SIG_RES, Clock, FarSide, announce
from ygg.testing import secret_key
from ygg_c.link import wire
from ygg_c.link.link import Link

MIB = 1 << 20
KEEPALIVE = b"\x01\x01"


class _Mallinfo(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"))


@pytest.fixture
def allocated() -> Callable[[], int]:
    """Return what tells the bytes that malloc() has given out."""
    try:
        mallinfo = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        pytest.skip("only glibc since 2.33 tells how much memory is in use")
    mallinfo.restype = _Mallinfo

    def count() -> int:
        gc.collect()
        info = mallinfo()
        return int(info.uordblks + info.hblkhd)

    return count


def root_record(number: int) -> bytes:
    """Return the announcement of a root, framed."""
    secret = secret_key(number)
    return wire.encode_frame(ANNOUNCE, wire.encode(ANNOUNCE, **announce(secret, secret, 1, 1, 0)))


def fill(link: Link) -> None:
    """Read once, from a socket that always has more."""
    if not link.held:
        space = link.get_buffer()
        space[:] = (KEEPALIVE * len(space))[: len(space)]
        link.buffer_updated(len(space))


def test_links_that_are_read_hold_little_together(clock: Clock, allocated: Callable[[], int]) -> None:
    """Two hundred and fifty-six neighbours bring more than can be handled, all at once, and go on."""
    links = [FarSide(clock, number).link for number in range(10, 266)]
    before = allocated()
    most = 0
    for step in range(300):
        for link in links:
            fill(link)
        if step % 10 == 0:
            most = max(most, allocated() - before)
        clock.now += 1_000_000
        clock.turn()
    assert all(link.held for link in links)
    assert not any(link.closed for link in links)
    assert most < 20 * MIB


def test_transports_that_do_not_pause_are_closed_greediest_first(clock: Clock, allocated: Callable[[], int]) -> None:
    """They may bring more than is read of others; when it is too much in all, an honest one that waits is spared."""
    honest = FarSide(clock, 9)
    greedy = [FarSide(clock, number).link for number in range(10, 266)]
    before = allocated()
    for index, link in enumerate(greedy):
        link.receive(KEEPALIVE * 150_000)
        if index == 20:
            honest.frames.clear()
            honest.link.receive(KEEPALIVE * 5000 + wire.encode_frame(SIG_REQ, wire.encode(SIG_REQ, seq=9, nonce=9)))
            assert honest.link.held
        clock.now += 1000
    clock.turn()
    assert allocated() - before < 48 * MIB
    assert sum(link.error == "too much that it has brought waits" for link in greedy) > 100
    assert not honest.link.closed
    while honest.link.held:
        clock.pass_time(0.01)
    assert [answer["nonce"] for answer in honest.got(SIG_RES)] == [9]


def test_neighbours_that_repeat_what_all_know_cost_little(clock: Clock, allocated: Callable[[], int]) -> None:
    """Of each record that a neighbour has told nothing is kept but that it knows it."""
    frames = [root_record(number) for number in range(1000, 2500)]
    far = [FarSide(clock, number) for number in range(10, 74)]
    far[0].link.receive(b"".join(frames))
    clock.pass_time(2)
    assert len(clock.router.tree_records()) > 1500
    before = allocated()
    for other in far[1:]:
        for start in range(0, len(frames), 50):
            other.link.receive(b"".join(frames[start : start + 50]))
            while other.link.held:
                clock.pass_time(0.001)
    for _ in range(3):
        clock.pass_time(0.5)
        for other in far:
            other.raw(KEEPALIVE)
            other.frames.clear()
    assert not any(other.link.held or other.link.closed for other in far)
    assert allocated() - before < 5 * MIB


def test_a_closed_link_keeps_nothing_of_what_waited(clock: Clock, allocated: Callable[[], int]) -> None:
    """Not even while an application still holds it."""
    frames = b"".join(root_record(number) for number in range(1000, 1200))
    far = [FarSide(clock, number, polite=False) for number in range(10, 110)]
    links = [other.link for other in far]
    before = allocated()
    for link in links:
        link.receive(frames[:32000])
    assert allocated() - before > 3 * MIB
    for link in links:
        link.close()
    del far
    assert allocated() - before < MIB
    assert all(link.closed for link in links)


def test_links_that_wait_for_the_rest_of_a_frame_share_one_buffer(clock: Clock, allocated: Callable[[], int]) -> None:
    """What has come of a short one is kept in a few bytes; of a long one in the buffer itself."""
    far = [FarSide(clock, number) for number in range(10, 110)]
    before = allocated()
    short, long = (wire.encode_frame(0, bytes(size)) for size in (3000, 100_000))

    def receive(data: bytes) -> int:
        for other in far:
            assert other.link.receive(data)
            clock.turn()
        return allocated() - before

    assert receive(short[:2000]) < len(far) * 5000 + 300_000
    assert 50_000 < receive(short[2000:] + long[:50_000]) // len(far) < 300_000
    assert receive(long[50_000:]) < len(far) * 5000 + 300_000
