"""A link: frames in, frames out, timers, and what closes it."""

import contextlib

import pytest

from tests.c.farside import ANNOUNCE, BLOOM, EMPTY_FILTER, MAX, SECOND, SIG_REQ, SIG_RES, TRAFFIC, FarSide
from ygg_c.link import wire
from ygg_c.link.link import Link, PySink

KEY = b"\x55" * 32


def traffic(payload: bytes, dest: bytes = KEY, path: tuple[int, ...] = (), watermark: int = MAX) -> bytes:
    """Return a framed Traffic message."""
    fields = {"path": list(path), "from": [9], "source": KEY, "dest": dest, "watermark": watermark, "payload": payload}
    body = wire.encode(TRAFFIC, **fields)
    return wire.encode_frame(TRAFFIC, body)


def test_a_link_opens_with_a_request_and_an_empty_filter(clock):
    """SigReq, BloomFilter, and our record, in this order, at once."""
    far = FarSide(clock, 3, polite=False)
    assert [kind for kind, _ in far.frames] == [SIG_REQ, BLOOM, ANNOUNCE]
    assert far.got(BLOOM) == [EMPTY_FILTER]
    assert far.link.port == 1
    assert far.link.key == far.key


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\x00", "ErrEmptyMessage"),
        (wire.encode_uv(131071), "ErrOversizedMessage"),
        (b"\xff" * 10, "ErrDecode"),
        (b"\x80" * 10, "ErrDecode"),
        (b"\x01\x0a", "ErrUnrecognizedMessage"),
        (b"\x01\xff", "ErrUnrecognizedMessage"),
        *[(wire.encode_frame(kind, b""), "ErrDecode") for kind in range(SIG_REQ, TRAFFIC + 1)],
        (wire.encode_frame(SIG_REQ, b"\x01\x02\x03"), "ErrDecode"),
        (wire.encode_frame(BLOOM, b"\xff" * 32), "ErrDecode"),
        (wire.encode_frame(TRAFFIC, b"\x01" * 1025 + b"\0" + bytes(100)), "ErrDecode"),
        (wire.encode_frame(ANNOUNCE, KEY + KEY[:31] + b"\0" + b"\x01\x01\x00" + bytes(128)), "ErrBadMessage"),
        (wire.encode_frame(ANNOUNCE, KEY + KEY + b"\x01\x01\x00" + bytes(128)), "ErrBadMessage"),
    ],
)
def test_what_breaks_the_protocol_closes_only_this_link(clock, data, error):
    """The link closes under the bare name of the error; another stays."""
    other, far = FarSide(clock, 4), FarSide(clock, 3)
    assert not far.raw(data)
    assert far.link.closed
    assert far.link.error == error
    assert not other.link.closed
    assert [peer["key"] for peer in clock.router.peers()] == [other.key]
    assert not far.link.receive(b"\x01\x01")


def test_frames_may_come_in_any_pieces(clock):
    """Byte by byte or all at once, in length fields longer than needed too: the same messages arrive."""
    frames = [traffic(bytes([number]) * number * 300, dest=clock.router.key) for number in range(9)]
    frames.append(b"\x81\x00\x01")                                   # a keepalive whose length takes two bytes
    far = FarSide(clock, 3)
    expected = [(KEY, bytes([number]) * number * 300) for number in range(9)]
    far.raw(b"".join(frames))
    assert clock.router.take_delivered() == expected
    for byte in b"".join(frames):
        assert far.link.receive(bytes([byte]))
    assert clock.router.take_delivered() == expected
    for start in range(0, 12000, 5000):
        assert far.link.receive(b"".join(frames)[start : start + 5000])
    assert clock.router.take_delivered() == expected


def test_the_largest_frame_passes(clock):
    """A frame of 131070 bytes is taken, in reads as small as a packet."""
    far = FarSide(clock, 3)
    room = 131070 - (len(traffic(b"")) - 1)
    data = traffic(b"z" * room, dest=clock.router.key)
    assert len(data) == 131073
    for start in range(0, len(data), 1460):
        assert far.link.receive(data[start : start + 1460])
    assert clock.router.take_delivered() == [(KEY, b"z" * room)]


def test_reading_into_the_links_buffer(clock):
    """What is read straight into the buffer counts like what is received."""
    far = FarSide(clock, 3)
    before = far.link.rx_bytes
    data = traffic(b"direct", dest=clock.router.key)
    for part in (data[:50], data[50:]):
        space = far.link.get_buffer()
        assert len(space) >= 1 << 17
        space[: len(part)] = part
        assert far.link.buffer_updated(len(part))
    assert clock.router.take_delivered() == [(KEY, b"direct")]
    assert far.link.rx_bytes == before + len(data)
    far.link.close()
    with pytest.raises(ConnectionError):
        far.link.get_buffer()


def test_a_flood_that_is_not_read_is_bounded(clock):
    """Transit to a peer that stops reading is dropped past the limit; the link's memory stays bounded."""
    far, source = FarSide(clock, 3), FarSide(clock, 4)
    far.become_child()
    clock.pass_time(1)
    port = far.link.port
    far.stuck = True
    for _ in range(200):
        source.raw(traffic(bytes(60000), path=(*clock.router.coords, port)))
    assert far.link.blocked
    assert far.link.queued < 5 << 20
    assert far.link.dropped == clock.router.counters()["queue_dropped"] > 0


def test_what_waits_when_a_link_closes_is_counted(clock):
    """As is what is given to one that is about to close; the count outlives the link."""
    far, source = FarSide(clock, 3), FarSide(clock, 4)
    far.become_child()
    clock.pass_time(1)
    port = far.link.port
    far.stuck = True
    before = clock.router.counters()
    for _ in range(20):
        source.raw(traffic(bytes(60000), path=(*clock.router.coords, port)))
    assert far.link.blocked
    assert far.link.lost == 0
    far.link.close()
    after = clock.router.counters()
    sent = 20 * 60000 - far.link.tx_bytes
    assert after["forwarded"] - before["forwarded"] == 20
    assert after["links_lost"] == far.link.lost >= sent // 60000


def test_control_overtakes_what_is_queued(clock):
    """An answer leaves before the packets that were waiting for room."""
    far, source = FarSide(clock, 3), FarSide(clock, 4)
    far.become_child()
    clock.pass_time(1)
    far.stuck = True
    for _ in range(20):
        source.raw(traffic(bytes(60000), path=(*clock.router.coords, far.link.port)))
    far.frames.clear()
    far.send(SIG_REQ, seq=9, nonce=9)
    far.stuck = far.link.blocked = False
    far.link.want_flush()
    clock.turn()
    kinds = [kind for kind, _ in far.frames]
    assert kinds.index(SIG_RES) <= 6
    assert kinds.count(TRAFFIC) == 20


def test_output_is_taken_in_any_pieces(clock):
    """take() gives the stream in the sizes asked, and counts it."""
    taken = bytearray()

    def bite(link: Link) -> None:
        while link.queued:
            part = link.take(7)
            assert 0 < len(part) <= 7
            taken.extend(part)

    link = clock.router.add_link(KEY, 0, PySink(bite))
    clock.turn()
    assert bytes(taken[:2]) == bytes((len(taken) - 2 - 33, SIG_REQ)) or taken[1] == SIG_REQ
    assert bytes((0x21, BLOOM)) + EMPTY_FILTER in bytes(taken)
    assert link.tx_bytes == len(taken)
    assert link.take() == b""


def test_a_sink_that_fails_closes_its_link(clock):
    """An error in a callback is shown and ends the link, not the router."""
    seen = []

    def fail(link: Link) -> None:
        raise RuntimeError("no transport")

    with contextlib.ExitStack() as stack:
        import sys

        stack.callback(setattr, sys, "unraisablehook", sys.unraisablehook)
        sys.unraisablehook = seen.append
        link = clock.router.add_link(KEY, 0, PySink(fail))
        clock.turn()
    assert link.error == "ErrUndefined"
    assert [str(item.exc_value) for item in seen] == ["no transport"]
    seen.clear()


def test_counters_and_rates(clock):
    """Bytes count both ways; the rate is that of the last second."""
    far = FarSide(clock, 3)
    clock.pass_time(3)
    sent = far.link.rx_bytes
    far.raw(b"\x64\x00" + bytes(99))
    assert far.link.rx_bytes == sent + 101
    clock.pass_time(1)
    assert far.link.rx_rate == 101
    clock.pass_time(1)
    assert far.link.rx_rate == 0
    far.link.rx_bytes += 123
    assert clock.router.peers()[0]["rx_bytes"] == sent + 224


def test_closing_twice_is_closing_once(clock):
    """The first reason stays."""
    far = FarSide(clock, 3)
    far.link.close()
    far.link.close("ErrClosed")
    assert far.link.error == "EOF"
    assert clock.router.peers() == []


def test_latency_is_the_round_trip(clock):
    """The time from a signature request to its answer, and the cost that follows from it."""
    far = FarSide(clock, 3, rtt=0.016)
    assert far.link.latency == 16_000_000
    assert far.link.cost == 32
    assert FarSide(clock, 4, polite=False).link.cost == 4294


def test_a_link_needs_a_key_that_is_not_ours(clock):
    """A link to oneself, or to no key at all, is refused."""
    for key, priority in ((clock.router.key, 0), (b"short", 0), (KEY, 256), (KEY, -1)):
        with pytest.raises(ValueError, match=r"self|32 bytes|priority"):
            clock.router.add_link(key, priority, PySink(print))
    assert clock.deadline is not None
    assert clock.deadline <= clock.now + SECOND
