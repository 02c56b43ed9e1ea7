"""ygg_c.io.transportpump: bytes between links and asyncio transports, without an event loop."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from tests.c.io.test_pump import UNSENT_TIME, needs_linux, unsent
from tests.pumphost import KEEPALIVE, REQUEST, UNKNOWN, proof, signed_record
from ygg.testing import private_key, public_key
from ygg_c.io.pump import run_turn
from ygg_c.io.transportpump import TransportPump
from ygg_c.node.node import Node


class Wire:
    """As much of a transport as a pump uses."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.reading: list[bool] = []
        self.error: Exception | None = None

    def write(self, data: bytes) -> None:
        if self.error:
            raise self.error
        self.written.append(data)

    def pause_reading(self) -> None:
        self.reading.append(False)

    def resume_reading(self) -> None:
        self.reading.append(True)


class Carried:
    def __init__(self) -> None:
        self.node = Node(private_key(1).secret)
        self.ended: list[str] = []
        self.node.on_link_closed = lambda link, reason: self.ended.append(reason)
        self.wire = Wire()
        self.pump = TransportPump(self.node, self.wire)  # type: ignore[arg-type]
        self.link = self.pump.start(public_key(2), 0, b"")


@pytest.fixture
def carried() -> Iterator[Carried]:
    carried = Carried()
    yield carried
    carried.node.close()
    carried.pump.close()
    vars(carried).clear()


def test_a_transport_is_given_whole_batches(carried: Carried) -> None:
    assert len(carried.wire.written) == 1
    assert carried.wire.written[0][1] == 2


def test_a_transport_may_give_buffers_or_bytes(carried: Carried) -> None:
    carried.pump.data_received(KEEPALIVE)
    buffer = carried.pump.get_buffer(-1)
    buffer[:2] = KEEPALIVE
    carried.pump.buffer_updated(2)
    assert carried.link.rx_bytes == 4
    assert not carried.ended


def test_nothing_is_written_while_the_transport_is_full(carried: Carried) -> None:
    before = len(carried.wire.written)
    carried.pump.pause_writing()
    carried.pump.data_received(REQUEST)
    assert len(carried.wire.written) == before
    carried.pump.resume_writing()
    assert len(carried.wire.written) == before + 1
    assert carried.wire.written[-1][1] == 3


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (None, "remote side closed the connection"),
        (ConnectionResetError(104, "Connection reset by peer"), "connection reset by peer"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_the_loss_of_the_transport_ends_the_link(carried: Carried, error: Exception | None, reason: str) -> None:
    carried.pump.connection_lost(error)
    assert carried.ended == [reason]
    carried.pump.connection_lost(None)
    assert len(carried.ended) == 1


def test_the_end_of_the_transports_stream_ends_the_link(carried: Carried) -> None:
    assert not carried.pump.eof_received()
    assert carried.ended == ["EOF"]


def test_a_transport_that_raises_ends_the_link_and_nothing_else(carried: Carried) -> None:
    carried.wire.error = RuntimeError("my own transport")
    carried.pump.data_received(REQUEST)
    run_turn(carried.node, carried.node.clock)
    assert carried.ended == ["my own transport"]


def test_what_comes_after_the_end_is_thrown_away(carried: Carried) -> None:
    carried.pump.data_received(UNKNOWN)
    assert carried.ended == ["ErrUnrecognizedMessage"]
    carried.pump.data_received(KEEPALIVE)
    buffer = carried.pump.get_buffer(10)
    buffer[:2] = KEEPALIVE
    carried.pump.buffer_updated(2)
    carried.pump.pause_writing()
    carried.pump.resume_writing()
    carried.pump.close()
    carried.pump.connection_lost(None)
    assert len(carried.ended) == 1


# What waits below the link


class OverSocket(Wire):
    """A transport whose socket is full: nobody reads at its other end, so that nothing more is sent."""

    def __init__(self) -> None:
        super().__init__()
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.socket = socket.socket()
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            self.socket.connect(server.getsockname())
            self.far, _ = server.accept()
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while not unsent(self.socket):
                self.socket.send(bytes(1 << 16))
        self.before = unsent(self.socket)

    def write(self, data: bytes) -> None:
        super().write(data)
        assert self.socket.send(data) == len(data)

    def close(self) -> None:
        self.socket.close()
        self.far.close()


class CarriedOverSocket(Carried):
    """A node whose link runs over such a transport."""

    wire: OverSocket

    def __init__(self) -> None:
        self.node = Node(private_key(1).secret)
        self.ended = []
        self.wire = OverSocket()
        self.blocked: list[bool] = []
        fd = self.wire.socket.fileno()
        self.pump = TransportPump(self.node, self.wire, None, fd, self.blocked.append)  # type: ignore[arg-type]
        self.link = self.pump.start(public_key(2), 0, b"")

    def fill(self) -> None:
        """Ask for more answers than the kernel may hold."""
        self.pump.data_received(proof(self.node.key, self.wire.written[0]) + signed_record(5))
        while not self.link.queued and len(self.wire.written) < 1000:
            self.pump.data_received(signed_record(4) * 20)

    def close(self) -> None:
        self.node.close()
        self.pump.close()
        self.wire.close()


@needs_linux
def test_a_transport_is_given_nothing_while_the_socket_below_holds_enough() -> None:
    """The transport itself would take any amount: its socket adds to the packet that it is filling."""
    carried = CarriedOverSocket()
    wire, link = carried.wire, carried.link
    carried.fill()
    assert link.blocked
    assert carried.blocked == [True]
    assert unsent(wire.socket) <= wire.before + link.drain_rate * UNSENT_TIME
    wire.far.setblocking(True)
    while carried.blocked != [True, False]:
        wire.far.recv(1 << 20)
        if not unsent(wire.socket):
            carried.pump.writable()
    assert not link.queued
    assert carried.ended == []
    carried.close()
    assert carried.pump.fileno() == -1


@needs_linux
def test_room_in_the_socket_is_of_no_use_while_its_transport_is_full() -> None:
    carried = CarriedOverSocket()
    carried.fill()
    assert carried.blocked == [True]
    carried.pump.pause_writing()
    written = len(carried.wire.written)
    carried.pump.writable()
    assert carried.blocked == [True, False]
    assert len(carried.wire.written) == written
    carried.close()


def test_a_flood_pauses_its_transport(carried: Carried) -> None:
    """And a transport that cannot pause may bring a few megabytes more, which are kept."""
    carried.pump.data_received(KEEPALIVE * 40000)
    assert carried.wire.reading == [False]
    carried.pump.data_received(REQUEST)
    sent = len(carried.wire.written)
    while carried.link.held:
        run_turn(carried.node, carried.node.clock)
    assert carried.wire.reading == [False, True]
    assert len(carried.wire.written) == sent + 1
    for _ in range(9):
        carried.pump.data_received(KEEPALIVE * 300000)
    assert carried.ended == ["its transport does not pause"]
