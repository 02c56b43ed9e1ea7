"""Invariant: any call of the stack, in any state, gives a result or an error that its documentation names, whatever
segments and ICMPv6 errors come in between; and once all is closed nothing is left.

Two stacks over a link, applications that call anything at any time and from event handlers too, and an attacker who has
seen every packet, and sends it again with some fields changed.
"""

import errno
import gc
import struct
from collections import deque

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.c.stackkit import SECOND, A, B, StackPair, Tcp, icmp_packet, parse_tcp
from ygg.simulation import Conditions
from ygg_c.base import live

PIECES = (b"", b"x", bytes(3000), bytearray(5000), memoryview(bytes(100_000)))
OPTIONS = (
    b"", b"\x01", b"\x05\x0a" + bytes(8), b"\x02\x04\x00\x01", b"\x03\x03\xc8", b"\x08\x0a" + bytes(8), b"\x08",
    b"\x05\x00",
)
ENDED = {
    errno.EPIPE, errno.ECONNRESET, errno.ECONNREFUSED, errno.ETIMEDOUT, errno.EACCES, errno.EPROTO, errno.ENETUNREACH,
    errno.EHOSTUNREACH, errno.ENETDOWN,
}
"""What a call on a connection that ended may raise."""
OPENING = {errno.EADDRNOTAVAIL, errno.EADDRINUSE, errno.ENOBUFS, errno.EBADF, errno.ENETUNREACH}
DATAGRAM = {
    errno.EBADF, errno.EMSGSIZE, errno.EDESTADDRREQ, errno.EISCONN, errno.ECONNREFUSED, errno.EACCES, errno.EPROTO,
}

side = st.integers(0, 1)
which = st.integers(0, 1 << 16)
step = st.sampled_from([0, 0, 1, -1, 100, -100, 1220, 70_000, -70_000, 1 << 30, 1 << 31])


def attempt(allowed, call, *arguments):
    """Make a call; None where it raises one of the errors allowed."""
    try:
        return call(*arguments)
    except OSError as error:
        if error.errno not in allowed:
            raise AssertionError(f"{call.__name__}: {error!r}") from error
        return None


class CallsMachine(RuleBasedStateMachine):
    """Anything, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.switch: StackPair | None = None

    @initialize(
        mtu=st.sampled_from([1280, 1500, 9000, 65535]),
        seed=st.integers(0, 2**32),
        buffer=st.sampled_from([2000, 70_000, 1 << 20]),
        backlog=st.sampled_from([1, 8]),
    )
    def open(self, mtu, seed, buffer, backlog):
        gc.collect()
        self.before = live.counts()
        self.switch = StackPair(mtu, seed=seed)
        self.stacks = (self.switch.a, self.switch.b)
        for stack in self.stacks:
            stack.receive_buffer = stack.receive_buffer_max = buffer
        self.connections = [connection for _ in range(2) for connection in self.switch.pair()]
        self.listener = self.switch.b.listen(None, 80, backlog)
        self.udp = [self.switch.a.udp(None, 0), self.switch.a.udp(None, 0, (B, 53)), self.switch.b.udp(None, 53)]
        self.echo = self.switch.a.echo()
        self.seen = deque(maxlen=200)
        self.switch.passes = self.overhear

    def overhear(self, packet):
        self.seen.append(packet)
        return True

    def one(self, number):
        return self.connections[number % len(self.connections)]

    opened = precondition(lambda self: self.switch is not None and self.connections)

    # Calls.

    @rule(port=st.sampled_from([80, 80, 80, 81]))
    def connect(self, port):
        if connection := attempt(OPENING, self.switch.a.connect, B, port):
            self.connections.append(connection)

    @rule()
    def accept(self):
        if connection := self.listener.accept():
            self.connections.append(connection)

    @opened
    @rule(number=which, data=st.sampled_from(PIECES), whole=st.booleans(), arrives=st.booleans())
    def write(self, number, data, whole, arrives):
        connection = self.one(number)
        attempt(ENDED, connection.write if whole else connection.send, data)
        if arrives:
            self.switch.run(0.02)

    @opened
    @rule(number=which, limit=st.sampled_from([0, 1, 100, 1 << 20]))
    def read(self, number, limit):
        got = attempt(ENDED, self.one(number).recv, limit)
        assert got is None or len(got) <= limit

    @opened
    @rule(number=which, size=st.sampled_from([0, 1, 5000]))
    def read_into(self, number, size):
        got = attempt(ENDED, self.one(number).recv_into, bytearray(size))
        assert got is None or got <= size

    @opened
    @rule(number=which, call=st.sampled_from(["shutdown_write", "close", "abort", "await_room", "info"]))
    def call(self, number, call):
        connection = self.one(number)
        getattr(connection, call)()
        attempt(ENDED, connection.recv)
        attempt(ENDED, connection.recv_into, bytearray(10))
        attempt(ENDED, connection.send, b"x")

    @opened
    @rule(number=which, setting=st.sampled_from([
        ("nodelay", True), ("corked", True), ("corked", False), ("keepalive", (SECOND, SECOND, 3)), ("keepalive", None),
        ("user_timeout", 3 * SECOND), ("user_timeout", 0), ("send_limit", 1000), ("send_limit", 0),
        ("congestion_control", "newreno"), ("congestion_control", "cubic"),
    ]))  # fmt: skip
    def set_one(self, number, setting):
        setattr(self.one(number), *setting)

    @opened
    @rule(number=which, action=st.sampled_from(["recv", "close", "abort", "shutdown_write", "write", "connect"]))
    def handle_events(self, number, action):
        connection = self.one(number)

        def handler(_events):
            match action:
                case "connect":
                    self.connect(80)
                case "write":
                    attempt(ENDED, connection.write, bytes(5000))
                case "recv":
                    attempt(ENDED, connection.recv)
                case _:
                    getattr(connection, action)()

        connection.on_event = handler

    @rule(listening=st.sampled_from([True, True, True, False, None]))
    def change_listener(self, listening):
        if listening is None:
            self.listener.close()
        else:
            self.listener.listening = listening

    @rule(number=st.integers(0, 2), named=st.booleans(), size=st.sampled_from([0, 10, 70_000]), close=st.booleans())
    def use_datagrams(self, number, named, size, close):
        socket = self.udp[number]
        attempt(DATAGRAM, socket.send, bytes(size), *((B, 53) if named else ()))
        attempt(DATAGRAM, socket.recv_many)
        attempt(DATAGRAM, self.echo.send, B, 1, bytes(size))
        self.echo.recv_many()
        if close:
            socket.close()

    @rule(number=st.integers(0, 20))
    def close_stack(self, number):
        if number < 2:
            self.stacks[number].close()

    # The network.

    @rule(
        loss=st.sampled_from([0.0, 0.1, 1.0]),
        duplicate=st.sampled_from([0.0, 0.2]),
        jitter=st.sampled_from([0, 0.005, 2]),
    )
    def change_link(self, loss, duplicate, jitter):
        self.switch.change(Conditions(delay=0.005, loss=loss, duplicate=duplicate, jitter=jitter))

    @rule(duration=st.sampled_from([0, 0.001, 0.02, 0.3, 5, 70, 8000]))
    def wait(self, duration):
        self.switch.run(duration)

    @rule(side=side, credit=st.sampled_from([0, 3000, 1 << 18]))
    def set_credit(self, side, credit):
        self.switch.tap((A, B)[side]).give_credit(credit, self.switch.now)
        self.switch.want_turn()

    # The attacker.

    overheard = precondition(lambda self: self.switch is not None and self.seen)

    @overheard
    @rule(number=which, flags=st.integers(0, 255), seq=step, ack=step, window=st.sampled_from([0, 1, 65535]),
          options=st.sampled_from([None, *OPTIONS]), size=st.sampled_from([0, 1, 1000]))
    def forge(self, number, flags, seq, ack, window, options, size):
        packet = self.seen[number % len(self.seen)]
        if packet[6] == 6:
            tcp = parse_tcp(packet)
            options = tcp.options if options is None else options
            changed = Tcp(tcp.sport, tcp.dport, tcp.seq + seq, tcp.ack + ack, flags, window, options, bytes(size))
            self.switch.give([changed.packet(packet[8:24], packet[24:40])])

    @overheard
    @rule(number=which, times=st.integers(1, 4))
    def replay(self, number, times):
        packet = self.seen[number % len(self.seen)]
        self.switch.give([packet] * times)

    @overheard
    @rule(number=which, kind=st.integers(1, 4), code=st.integers(0, 6), stranger=st.booleans(),
          parameter=st.sampled_from([0, 1280, 1300, 9000, 1 << 31]), size=st.sampled_from([40, 47, 48, 60, 1232]))
    def report(self, number, kind, code, stranger, parameter, size):
        packet = self.seen[number % len(self.seen)]
        source = bytes([2, 7]) + bytes(14) if stranger else packet[24:40]
        error = icmp_packet(source, packet[8:24], kind, code, struct.pack(">I", parameter) + packet[:size])
        self.switch.give([error])

    # What must hold.

    @precondition(lambda self: self.switch is not None)
    @invariant()
    def connections_are_consistent(self):
        for connection in self.connections:
            assert connection.closed == (connection.state in ("CLOSED", "TIME-WAIT"))
            assert connection.queued >= 0
            assert connection.send_space >= 0
            assert connection.local[0] in (A, B)
            if connection.closed:
                assert connection.readable >= 0
                assert connection.queued == 0
                assert connection.send_space == 0
            assert connection.at_eof in (True, False)

    def teardown(self):
        if self.switch is None:
            return
        self.switch.run(200)
        self.switch.close()
        while self.connections:
            self.connections.pop().on_event = None
        self.stacks = self.udp = self.seen = ()  # type: ignore[assignment]
        self.switch = self.listener = self.echo = None
        gc.collect()
        assert live.counts() == self.before


TestCalls = pytest.mark.timeout(600)(CallsMachine.TestCase)      # tools/fuzz has it make many more examples
TestCalls.settings = settings(stateful_step_count=100)
