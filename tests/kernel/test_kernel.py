"""Our TCP and the kernel's, with each other over wires of all kinds: what one wrote the other reads, and both end."""

import errno
import hashlib
import os
import random
import socket
import struct
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.c.stackkit import MS
from tests.kernel.namespace import ADDRESS, Namespace, obstacle
from tests.kernel.wire import KERNEL, OURS, Medium, Wire

REASON = obstacle()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.interop,
    pytest.mark.skipif(bool(REASON) and not os.environ.get("CI"), reason=REASON),
]
MTUS = [1280, 1500, 9000, 65535]
DATA = random.Random(7).randbytes(3_000_000)


class Both:
    """A kernel's network and a stack of ours, with a wire between them and threads for what blocks."""

    def __init__(self, mtu: int = 1500, medium: Medium | None = None) -> None:
        self.namespace = Namespace(mtu)
        self.namespace.__enter__()
        self.medium = medium or Medium()
        self.wire = Wire(self.namespace, self.medium)
        self.threads = ThreadPoolExecutor(8, "kernel")
        self.sockets: list[socket.socket] = []

    def close(self) -> None:
        for one in self.sockets:
            one.close()
        self.threads.shutdown()
        self.wire.close()
        self.namespace.__exit__()
        self.__dict__.clear()

    def kernel(self, call: Callable[..., object], *arguments: object) -> "Future[Any]":
        """Have a thread do something that blocks."""
        return self.threads.submit(call, *arguments)

    def finish(self, future: "Future[Any]") -> Any:
        """Carry packets until a thread is done, and return what it says."""
        self.wire.run(future.done)
        return future.result()

    def new_socket(self) -> socket.socket:
        one = self.namespace.socket()
        self.sockets.append(one)
        return one

    def from_us(self) -> tuple[Any, socket.socket]:
        """Return both ends of a connection that we opened: ours and the kernel's."""
        listener = self.new_socket()
        listener.bind(("::", 0))
        listener.listen(1)
        accepting = self.kernel(listener.accept)
        ours = self.wire.stack.connect(KERNEL, listener.getsockname()[1])
        theirs, _ = self.finish(accepting)
        return ours, self._keep(theirs)

    def from_kernel(self) -> tuple[Any, socket.socket]:
        """The same of one that the kernel opened."""
        listener = self.wire.stack.listen(None, 0)
        theirs = self.new_socket()
        self.finish(self.kernel(theirs.connect, (socket.inet_ntop(socket.AF_INET6, OURS), listener.local[1])))
        accepted: list[Any] = []
        self.wire.run(lambda: bool(accepted.extend(filter(None, [listener.accept()])) or accepted))
        listener.close()
        return accepted.pop(), theirs

    def _keep(self, one: socket.socket) -> socket.socket:
        one.settimeout(30)
        self.sockets.append(one)
        return one

    def pair(self, opener: str) -> tuple[Any, socket.socket]:
        return self.from_us() if opener == "ours" else self.from_kernel()

    def read_ours(self, ours: Any) -> bytes:
        """Read our end to its end."""
        got = bytearray()

        def ended() -> bool:
            while piece := ours.recv():
                got.extend(piece)
            return ours.at_eof

        self.wire.run(ended)
        return bytes(got)


def read_all(theirs: socket.socket) -> bytes:
    """Read the kernel's end to its end."""
    got = bytearray()
    while piece := theirs.recv(1 << 18):
        got += piece
    return bytes(got)


def send_all(theirs: socket.socket, data: bytes) -> None:
    """Write and close the kernel's direction."""
    theirs.sendall(data)
    theirs.shutdown(socket.SHUT_WR)


@pytest.fixture
def make() -> Iterator[Callable[..., Both]]:
    """Give a maker of both, which are closed in the end."""
    made: list[Both] = []

    def maker(*arguments: Any) -> Both:
        made.append(Both(*arguments))
        return made[-1]

    yield maker
    while made:
        made.pop().close()


def both_ways(both: Both, opener: str, data: bytes) -> None:
    """Send data each way at once, and end the connection from both sides."""
    ours, theirs = both.pair(opener)
    sending = both.kernel(send_all, theirs, data)
    reading = both.kernel(read_all, theirs)
    ours.write(data)
    ours.shutdown_write()
    assert hashlib.sha256(both.read_ours(ours)).digest() == hashlib.sha256(data).digest()
    both.finish(sending)
    assert hashlib.sha256(both.finish(reading)).digest() == hashlib.sha256(data).digest()
    both.wire.run(lambda: ours.state in ("TIME-WAIT", "CLOSED"))
    assert ours.error == 0


@pytest.mark.parametrize("opener", ["ours", "kernel's"])
@pytest.mark.parametrize("mtu", MTUS)
def test_bulk_both_ways(make, mtu, opener):
    both_ways(make(mtu), opener, DATA)


WIRES = {
    "lossy": Medium(delay=5 * MS, loss=0.01),
    "reordering": Medium(delay=5 * MS, jitter=5 * MS),
    "duplicating": Medium(delay=5 * MS, duplicate=0.2),
    "all of it": Medium(delay=5 * MS, loss=0.01, jitter=5 * MS, duplicate=0.1),
    "narrow with a short queue": Medium(delay=10 * MS, rate=2e6, buffer=20_000),
}


@pytest.mark.parametrize("opener", ["ours", "kernel's"])
@pytest.mark.parametrize("name", WIRES)
def test_bulk_over_a_bad_wire(make, name, opener):
    both_ways(make(1500, WIRES[name]), opener, DATA[:1_000_000])


@pytest.mark.parametrize("opener", ["ours", "kernel's"])
def test_many_short_connections(make, opener):
    """Each asks, is answered, and is gone."""
    both = make(1500, Medium(delay=MS))
    count = 200
    if opener == "ours":
        listener = both.new_socket()
        listener.bind(("::", 0))
        listener.listen(count)
        serving = both.kernel(serve_shortly, listener, count)
        asking = [both.wire.stack.connect(KERNEL, listener.getsockname()[1]) for _ in range(count)]
        for number, connection in enumerate(asking):
            connection.write(b"%d" % number)
            connection.shutdown_write()
        answers = [both.read_ours(connection) for connection in asking]
        both.finish(serving)
    else:
        listener = both.wire.stack.listen(None, 0, count)
        answering = both.kernel(ask_shortly, both.namespace, listener.local[1], count)
        open_ones: list[Any] = []

        def answered() -> bool:
            open_ones.extend(iter(listener.accept, None))
            for connection in [connection for connection in open_ones if connection.at_eof or connection.readable]:
                data = b""
                while piece := connection.recv():
                    data += piece
                if connection.at_eof:
                    connection.write(b"re " + (getattr(connection, "owner", None) or b"") + data)
                    connection.close()
                    open_ones.remove(connection)
                else:
                    connection.owner = (connection.owner or b"") + data
            return answering.done()

        both.wire.run(answered)
        answers = answering.result()
    assert answers == [b"re %d" % number for number in range(count)]
    states = {one.state for one in both.wire.stack.endpoints() if hasattr(one, "state")}
    assert states <= {"TIME-WAIT", "LAST-ACK", "FIN-WAIT-2", "FIN-WAIT-1", "CLOSING"}


def serve_shortly(listener: socket.socket, count: int) -> None:
    """Answer connections one by one."""
    for _ in range(count):
        one, _ = listener.accept()
        with one:
            one.settimeout(30)
            one.sendall(b"re " + read_all(one))


def ask_shortly(namespace: Namespace, port: int, count: int) -> list[bytes]:
    """Open connections, some at a time, and return the answers."""

    def ask(number: int) -> bytes:
        with namespace.socket() as one:
            one.connect((socket.inet_ntop(socket.AF_INET6, OURS), port))
            send_all(one, b"%d" % number)
            return read_all(one)

    with ThreadPoolExecutor(10) as threads:
        return list(threads.map(ask, range(count)))


@pytest.mark.parametrize("opener", ["ours", "kernel's"])
@pytest.mark.parametrize("first", ["ours", "kernel's"])
def test_half_close(make, opener, first):
    """One side ends what it says; the other hears that, and goes on for as long as it likes."""
    both = make()
    ours, theirs = both.pair(opener)
    if first == "ours":
        ours.write(DATA[:100_000])
        ours.shutdown_write()
        assert both.finish(both.kernel(read_all, theirs)) == DATA[:100_000]
        both.wire.run_for(0.3)
        sending = both.kernel(send_all, theirs, DATA)
        assert both.read_ours(ours) == DATA
        both.finish(sending)
    else:
        both.finish(both.kernel(send_all, theirs, DATA[:100_000]))
        assert both.read_ours(ours) == DATA[:100_000]
        both.wire.run_for(0.3)
        ours.write(DATA)
        ours.shutdown_write()
        assert both.finish(both.kernel(read_all, theirs)) == DATA
    both.wire.run(lambda: ours.state in ("TIME-WAIT", "CLOSED"))
    assert ours.error == 0


def errno_of(call: Callable[..., object], *arguments: object) -> int:
    """Return the errno of what fails."""
    try:
        call(*arguments)
    except OSError as error:
        return error.errno or 0
    return 0


@pytest.mark.parametrize("opener", ["ours", "kernel's"])
def test_aborts(make, opener):
    both = make()
    ours, theirs = both.pair(opener)
    ours.abort()
    assert both.finish(both.kernel(errno_of, theirs.recv, 1)) == errno.ECONNRESET
    ours, theirs = both.pair(opener)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    both.wire.run(lambda: ours.closed)
    assert ours.error == errno.ECONNRESET


@pytest.mark.parametrize("opener", ["ours", "kernel's"])
def test_close_with_unread_data_resets(make, opener):
    both = make()
    ours, theirs = both.pair(opener)
    both.finish(both.kernel(theirs.sendall, b"unread"))
    both.wire.run(lambda: ours.readable == 6)
    ours.close()
    assert both.finish(both.kernel(errno_of, theirs.recv, 1)) == errno.ECONNRESET
    ours, theirs = both.pair(opener)
    ours.write(b"unread")
    both.wire.run(lambda: ours.queued == 0)
    theirs.close()
    both.wire.run(lambda: ours.closed)
    assert ours.error == errno.ECONNRESET


def test_refusals(make):
    both = make()
    connection = both.wire.stack.connect(KERNEL, 9)
    both.wire.run(lambda: connection.closed)
    assert connection.error == errno.ECONNREFUSED
    address = (socket.inet_ntop(socket.AF_INET6, OURS), 9)
    assert both.finish(both.kernel(errno_of, both.new_socket().connect, address)) == errno.ECONNREFUSED


@pytest.mark.parametrize("opener", ["ours", "kernel's"])
def test_a_reader_that_stops_stalls_the_writer_and_nothing_is_lost(make, opener):
    both = make()
    both.wire.stack.receive_buffer = both.wire.stack.receive_buffer_max = 60_000
    ours, theirs = both.pair(opener)
    # We do not read.
    sending = both.kernel(send_all, theirs, DATA)
    both.wire.run(lambda: ours.info()["receive_window"] < 3000)
    both.wire.run_for(1.5)
    assert not sending.done()
    assert both.read_ours(ours) == DATA
    both.finish(sending)
    # The kernel does not.
    ours.write(DATA * 3)
    ours.shutdown_write()
    both.wire.run(lambda: ours.info()["send_window"] < 3000)
    both.wire.run_for(1.5)
    assert ours.queued > 0
    assert both.finish(both.kernel(read_all, theirs)) == DATA * 3


@pytest.mark.parametrize("opener", ["ours", "kernel's"])
@pytest.mark.parametrize("silent", [False, True], ids=["told", "silent"])
def test_a_path_that_takes_less_in_the_middle_of_a_transfer(make, silent, opener):
    both = make(9000, Medium(delay=2 * MS, rate=20e6))
    both.namespace.set("net.ipv4.tcp_mtu_probing", 1)
    ours, theirs = both.pair(opener)
    sending = both.kernel(send_all, theirs, DATA)
    reading = both.kernel(read_all, theirs)
    # Where nothing tells the size it is searched for, which takes a while.
    data = DATA * 4 if silent else DATA
    ours.write(data)
    ours.shutdown_write()
    both.wire.run(lambda: ours.info()["bytes_in"] > 300_000 and ours.queued < len(data) - 300_000)
    both.medium.mtu = 1400
    both.medium.silent = silent
    assert both.read_ours(ours) == DATA
    both.finish(sending)
    assert both.finish(reading) == data
    assert both.wire.stack.mtu_to(KERNEL) <= 1400


def test_the_kernels_address_is_that_of_the_device():
    assert socket.inet_pton(socket.AF_INET6, ADDRESS) == KERNEL
