"""The lines of a script that are calls of the application, or look at what it may look at."""

from __future__ import annotations

import errno
import operator
from typing import TYPE_CHECKING, Any

from tests.c.stackkit import ACK, MS, SYN, B
from tests.c.tcp.flow import Flow, payload
from tests.c.tcp.notation import Options, Segment, split_options
from ygg_c.socket import endpoint

if TYPE_CHECKING:
    from tests.c.tcp.player import Player

USUAL = Options(mss=1220, scale=7, sack_ok=True)
EVENTS = {
    name: getattr(endpoint, name)
    for name in ("READABLE", "WRITABLE", "CONNECTED", "EOF", "FAILED", "CLOSED", "DRAINED")
}
COMPARE = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
TIMES = {"min_rto", "max_rto", "delayed_ack", "time_wait", "fin_wait", "rtt", "rtt_var", "rtt_min", "rto"}
"""Settings and figures of the stack that are ns; scripts have ms."""


class Mismatch(Exception):
    """Something else came than a script expects; the text is for people."""


def _came(what: object) -> Mismatch:
    return Mismatch(f"came      {what}")


class Calls:
    """One method for each word that a line may begin with; each gets the connection's flow and the other words."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.listener: Any = None
        self.udp: Any = None
        self.notes: dict[str, float] = {}

    # The world.

    def mtu(self, flow: Flow, size: str) -> None:
        self.player.mtu = int(size)

    def set(self, flow: Flow, name: str, value: str) -> None:
        if not hasattr(self.player.stack, name):
            raise Mismatch(f"the stack has no setting {name}")
        new = int(value) * (MS if name in TIMES else 1) if value.isdigit() else value
        setattr(self.player.stack, name, new)

    def iss(self, flow: Flow, number: str) -> None:
        self.player.iss = flow.theirs = int(number)

    def credit(self, flow: Flow, size: str) -> None:
        _ = self.player.stack
        self.player.tap.credit_bytes = 0
        self.player.tap.give_credit(int(size), self.player.now)

    def silence(self, flow: Flow) -> None:
        """Nothing is to be sent: the player sees to that at every line."""

    # Opening.

    def listen(self, flow: Flow, *words: str) -> None:
        self.listener = self.player.stack.listen(None, 80, int(words[1]) if words else 128)

    def unlisten(self, flow: Flow) -> None:
        self.listener.close()

    def accept(self, flow: Flow, *words: str) -> None:
        connection = self.listener.accept()
        if words == ("none",):
            if connection is not None:
                connection.abort()
                raise _came("a connection")
            return
        if connection is None:
            raise _came("none")
        self._attach(self.player.choose(connection.remote[1]), connection)

    def _attach(self, flow: Flow, connection: Any) -> None:
        flow.connection = connection
        connection.on_event = flow.add

    def connect(self, flow: Flow, *words: str) -> None:
        connection = self.player.stack.connect(B, 80)
        flow = self.player.choose(80)
        flow.local = connection.local[1]
        self._attach(flow, connection)

    def established(self, flow: Flow, *words: str) -> None:
        """Open a connection as the peer, and accept it."""
        rtt, options, window = _handshake(words)
        if self.listener is None:
            self.listen(flow)
        self.player.receive(flow, Segment(SYN, 0, window=65535, options=options))
        self.player.expect_segment(Segment(SYN | ACK, None, ack=1, port=flow.port))
        self._complete(flow, rtt, window)
        self.accept(flow)

    def _complete(self, flow: Flow, rtt: int, window: int | None) -> None:
        self.player.pass_time(self.player.now + rtt * MS, until_sent=False)
        usual = 1 << 20 if flow.scaled else 65535
        self.player.receive(flow, Segment(ACK, 1, ack=1, window=usual if window is None else window))

    def dialed(self, flow: Flow, *words: str) -> None:
        """Open a connection to the peer, which accepts."""
        rtt, options, window = _handshake(words)
        self.connect(flow)
        flow = self.player.choose(80)
        self.player.poll()
        self.player.expect_segment(Segment(SYN, None))
        self.player.pass_time(self.player.now + rtt * MS, until_sent=False)
        self.player.receive(flow, Segment(SYN | ACK, 0, ack=1, options=options))
        self.player.expect_segment(Segment(ACK, 1, ack=1))
        self._complete(flow, 0, window)
        flow.events = 0

    # Calls on a connection.

    def write(self, flow: Flow, size: str) -> None:
        flow.connection.write(payload(flow.written, int(size)))
        flow.written += int(size)

    def send(self, flow: Flow, size: str, *words: str) -> None:
        took = flow.connection.send(payload(flow.written, int(size)))
        flow.written += took
        if words and took != int(words[1]):
            raise _came(f"{took} taken")

    def read(self, flow: Flow, size: str) -> None:
        wanted = int(size)
        got = flow.connection.recv(wanted)
        while 0 < len(got) < wanted and (piece := flow.connection.recv(wanted - len(got))):
            got += piece
        if len(got) != wanted:
            raise _came(f"{len(got)} bytes")
        if got != payload(flow.read, wanted):
            raise _came("other bytes than belong there")
        flow.read += wanted

    def shutdown(self, flow: Flow) -> None:
        flow.connection.shutdown_write()

    def close(self, flow: Flow) -> None:
        flow.connection.close()

    def abort(self, flow: Flow) -> None:
        flow.connection.abort()

    def close_stack(self, flow: Flow) -> None:
        self.player.stack.close()

    def nodelay(self, flow: Flow, value: str) -> None:
        flow.connection.nodelay = value == "on"

    def cork(self, flow: Flow, value: str) -> None:
        flow.connection.corked = value == "on"

    def keepalive(self, flow: Flow, idle: str, *rest: str) -> None:
        flow.connection.keepalive = None if idle == "off" else (int(idle) * MS, int(rest[0]) * MS, int(rest[1]))

    def user_timeout(self, flow: Flow, value: str) -> None:
        flow.connection.user_timeout = int(value) * MS

    def linger(self, flow: Flow, value: str) -> None:
        flow.connection.linger = None if value == "none" else int(value) * MS

    # Datagrams.

    def udp_connect(self, flow: Flow, port: str) -> None:
        self.udp = self.player.stack.udp(None, 0, (B, int(port)))

    def udp_bind(self, flow: Flow, port: str) -> None:
        self.udp = self.player.stack.udp(None, int(port))

    def udp_send(self, flow: Flow, size: str, *words: str) -> None:
        target = (B, int(words[1])) if words else ()
        self.udp.send(bytes(int(size)), *target)

    def udp_error(self, flow: Flow, name: str) -> None:
        try:
            self.udp.recv_many()
        except OSError as error:
            self._check("error", errno.errorcode[error.errno or 0], name)
        else:
            self._check("error", "none", name)

    # What can be looked at.

    def _check(self, what: str, came: object, wanted: object) -> None:
        if came != wanted:
            raise _came(f"{what} {came}")

    def state(self, flow: Flow, name: str) -> None:
        self._check("state", flow.connection.state, name)

    def error(self, flow: Flow, name: str) -> None:
        self._check("error", errno.errorcode.get(flow.connection.error, "none"), name)

    def events(self, flow: Flow, *names: str) -> None:
        came = {name for name, bit in EVENTS.items() if flow.events & bit}
        flow.events = 0
        self._check("events", " ".join(sorted(came)) or "none", " ".join(sorted(names)))

    def readable(self, flow: Flow, size: str) -> None:
        self._check("readable", flow.connection.readable, int(size))

    def queued(self, flow: Flow, size: str) -> None:
        self._check("queued", flow.connection.queued, int(size))

    def note(self, flow: Flow, name: str, _: str, key: str) -> None:
        self.notes[name] = _figure(flow.connection.info(), key)

    def info(self, flow: Flow, key: str, *words: str) -> None:
        self._compare(flow.connection.info(), key, *words)

    def counter(self, flow: Flow, key: str, *words: str) -> None:
        self._compare(self.player.stack.counters(), key, *words)

    def _compare(self, figures: dict[str, Any], key: str, relation: str, *rest: str) -> None:
        came = _figure(figures, key)
        wanted = self.notes[rest[1]] if rest[0] == "before" else rest[0] if isinstance(came, str) else float(rest[0])
        if not COMPARE[relation](came, wanted):
            raise _came(f"{key} {came}")


def _figure(figures: dict[str, Any], key: str) -> Any:
    if key not in figures:
        raise Mismatch(f"there is no figure {key}")
    return figures[key] / MS if key in TIMES else figures[key]


def _handshake(words: tuple[str, ...]) -> tuple[int, Options, int | None]:
    """Return the round trip in ms, the peer's options and its first window."""
    numbers, options = split_options(" ".join(words))
    given = dict(zip(numbers[::2], map(int, numbers[1::2]), strict=True))
    return given.get("rtt", 0), options or USUAL, given.get("win")
