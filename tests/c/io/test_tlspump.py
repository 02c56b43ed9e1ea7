"""ygg_c.io.tlspump: a link over a socket that carries TLS, without an event loop."""

import os
from collections.abc import Iterator

import pytest

from tests.pumphost import KEEPALIVE, REQUEST, UNKNOWN, Host
from tests.tlssides import plain_text, shaken
from ygg_c.io.tlspump import TlsPump


class TlsHost(Host):
    """A host whose socket carries TLS."""

    def make_pump(self) -> TlsPump:
        self.theirs, self.ours = shaken()
        return TlsPump(self.node, self.inside.fileno(), self.blocked.append, self.ours, self.paused.append)

    def say(self, data: bytes) -> None:
        self.theirs.encrypt(data)
        self.outside.send(self.theirs.take())
        self.pump.readable()

    def hear(self) -> bytes:
        self.theirs.feed(self.drain())
        return plain_text(self.theirs)


def kinds(data: bytes) -> list[int]:
    """Return the kinds of the frames, of less than 128 bytes each, that `data` holds, whole."""
    found = []
    while data:
        assert len(data) > data[0]
        found.append(data[1])
        data = data[data[0] + 1 :]
    return found


@pytest.fixture
def host() -> Iterator[TlsHost]:
    host = TlsHost()
    yield host
    host.close()


def test_a_link_speaks_in_its_first_turn(host: TlsHost) -> None:
    host.start()
    frames = host.hear()
    assert frames[1] == 2
    assert frames[frames[0] + 2] == 5


def test_what_the_handshake_left_over_is_taken_first(host: TlsHost) -> None:
    host.theirs.encrypt(KEEPALIVE * 3)
    host.ours.feed(host.theirs.take())
    host.start(KEEPALIVE)
    assert host.link.rx_bytes == 8


def test_frames_across_records_and_records_across_reads(host: TlsHost) -> None:
    host.start()
    host.hear()
    host.theirs.encrypt(REQUEST[:5])
    host.theirs.encrypt(REQUEST[5:] + REQUEST)
    for byte in host.theirs.take():
        host.outside.send(bytes((byte,)))
        host.pump.readable()
    assert host.link.rx_bytes == 2 * len(REQUEST)
    answers = host.hear()
    assert answers[1] == 3
    assert not host.link.closed


def test_a_close_notify_ends_the_link(host: TlsHost) -> None:
    host.start()
    host.theirs.close_notify()
    host.outside.send(host.theirs.take())
    host.pump.readable()
    assert host.ended == ["EOF"]


def test_an_end_without_close_notify_ends_the_link(host: TlsHost) -> None:
    host.start()
    host.hear()
    host.outside.close()
    host.pump.readable()
    assert host.ended == ["EOF"]


def test_a_forged_record_ends_the_link(host: TlsHost) -> None:
    host.start()
    host.say(KEEPALIVE)
    host.outside.send(b"\x17\x03\x03\x00\x20" + bytes(32))
    host.pump.readable()
    assert host.link.rx_bytes == 2
    assert host.ended == ["TLS: decryption failed or bad record mac"]
    host.pump.readable()
    host.pump.writable()


def test_bad_frames_end_the_link(host: TlsHost) -> None:
    host.start()
    host.say(UNKNOWN)
    assert host.ended == ["ErrUnrecognizedMessage"]


def test_a_full_socket_asks_for_the_writer_and_what_waits_stays_whole(host: TlsHost) -> None:
    host.start()
    heard = bytearray()
    host.link.blocked = True
    host.ours.encrypt(KEEPALIVE * 100_000)      # more than the socket takes
    host.link.blocked = False
    host.say(REQUEST)
    assert host.blocked == [True]
    assert host.link.blocked
    for _ in range(1000):
        if host.blocked != [True]:
            break
        heard += host.hear()
        host.say(KEEPALIVE)                     # on a busy machine this takes longer than a link may be silent
        host.pump.writable()
    assert host.blocked == [True, False]
    assert not host.link.blocked
    heard += host.hear()
    _, waited, rest = heard.rpartition(KEEPALIVE * 100_000)     # what is before them may end as they do
    assert waited
    assert kinds(bytes(rest)).count(3) == 1
    assert not host.link.closed


def test_answers_to_a_side_that_reads_nothing_are_bounded(host: TlsHost) -> None:
    """OpenSSL answers key updates by itself; here that is what the pump finds waiting."""
    host.start()
    host.link.blocked = True
    host.ours.encrypt(bytes((1 << 20) + 1))
    host.say(KEEPALIVE)
    assert host.ended == ["TLS: the other side asks and reads no answers"]


def test_closing_is_idempotent_and_frees_the_descriptor(host: TlsHost) -> None:
    host.start()
    descriptor = host.pump.fileno()
    host.pump.close()
    host.pump.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    host.pump.readable()
    host.pump.writable()
