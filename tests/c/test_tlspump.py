"""ygg_c.tlspump: a link over a socket that carries TLS, without an event loop."""

import contextlib
import os
import socket
from collections.abc import Iterator

import pytest

from tests.nodes import key
from tests.tlssides import plain_text, shaken
from ygg_c.node import Node
from ygg_c.tlspump import TlsPump

KEEPALIVE = b"\x01\x01"
REQUEST = bytes.fromhex("0b0201ef9bafcdf8acd19101")      # for a signature, which is given


class Host:
    """A node with one link, over a socket whose other end is the test's."""

    def __init__(self) -> None:
        self.node = Node(key(1).secret)
        self.inside, self.outside = socket.socketpair()
        self.outside.setblocking(False)
        self.theirs, self.ours = shaken()
        self.blocked: list[bool] = []
        self.ended: list[str] = []
        self.node.on_link_closed = lambda link, reason: self.ended.append(reason)
        self.pump = TlsPump(self.node, self.inside.fileno(), self.blocked.append, self.ours)
        self.inside.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

    def start(self, data: bytes = b"") -> None:
        self.link = self.pump.start(key(2).public_key, 0, data)

    def say(self, data: bytes) -> None:
        self.theirs.encrypt(data)
        self.outside.send(self.theirs.take())
        self.pump.readable()

    def hear(self) -> bytes:
        with contextlib.suppress(BlockingIOError):
            while piece := self.outside.recv(1 << 20):
                self.theirs.feed(piece)
        return plain_text(self.theirs)

    def close(self) -> None:
        self.node.close()
        self.pump.close()
        self.inside.close()
        self.outside.close()
        vars(self).clear()      # pytest holds fixtures longer than the search for what is left behind


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.close()


def test_a_link_speaks_in_its_first_turn(host: Host) -> None:
    host.start()
    frames = host.hear()
    assert frames[1] == 2
    assert frames[frames[0] + 2] == 5


def test_what_the_handshake_left_over_is_taken_first(host: Host) -> None:
    host.theirs.encrypt(KEEPALIVE * 3)
    host.ours.feed(host.theirs.take())
    host.start(KEEPALIVE)
    assert host.link.rx_bytes == 8


def test_frames_across_records_and_records_across_reads(host: Host) -> None:
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


def test_a_goodbye_ends_the_link(host: Host) -> None:
    host.start()
    host.theirs.goodbye()
    host.outside.send(host.theirs.take())
    host.pump.readable()
    assert host.ended == ["EOF"]


def test_an_end_without_goodbye_ends_the_link(host: Host) -> None:
    host.start()
    host.hear()
    host.outside.close()
    host.pump.readable()
    assert host.ended == ["EOF"]


def test_a_forged_record_ends_the_link(host: Host) -> None:
    host.start()
    host.say(KEEPALIVE)
    host.outside.send(b"\x17\x03\x03\x00\x20" + bytes(32))
    host.pump.readable()
    assert host.link.rx_bytes == 2
    assert host.ended == ["TLS: decryption failed or bad record mac"]
    host.pump.readable()
    host.pump.writable()


def test_bad_frames_end_the_link(host: Host) -> None:
    host.start()
    host.say(b"\x02\x63\x00")
    assert host.ended == ["ErrUnrecognizedMessage"]


def test_a_full_socket_asks_for_the_writer_and_what_waits_stays_whole(host: Host) -> None:
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
        host.pump.writable()
    assert host.blocked == [True, False]
    assert not host.link.blocked
    heard += host.hear()
    _, waited, answer = heard.partition(KEEPALIVE * 100_000)
    assert waited
    assert answer[1] == 3
    assert len(answer) == answer[0] + 1
    assert not host.link.closed


def test_answers_to_a_side_that_reads_nothing_are_bounded(host: Host) -> None:
    """OpenSSL answers key updates by itself; here that is what the pump finds waiting."""
    host.start()
    host.link.blocked = True
    host.ours.encrypt(bytes((1 << 20) + 1))
    host.say(KEEPALIVE)
    assert host.ended == ["TLS: the other side asks and reads no answers"]


def test_closing_is_idempotent_and_frees_the_descriptor(host: Host) -> None:
    host.start()
    descriptor = host.pump.fileno()
    host.pump.close()
    host.pump.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    host.pump.readable()
    host.pump.writable()
