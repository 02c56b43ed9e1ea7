"""The table of transitions: against RFC 9293, against what connections do, and against the diagram in the docs."""

import errno
import re
from pathlib import Path

import pytest

from tests.c.stackkit import ACK, FIN, RST, SECOND, SYN, A, B, Peer, icmp_packet
from ygg_c.tcp.state import EVENTS_BY_NAME, STATES_BY_NAME, TRANSITIONS

# RFC 9293, figure 5 and the text of 3.10, as (state, event, state).
RFC = {
    ("CLOSED", "LISTEN call", "LISTEN"),
    ("CLOSED", "OPEN call", "SYN-SENT"),
    ("LISTEN", "SYN", "SYN-RECEIVED"),
    ("SYN-SENT", "SYN", "SYN-RECEIVED"),
    ("SYN-SENT", "SYN,ACK", "ESTABLISHED"),
    ("SYN-SENT", "CLOSE call", "CLOSED"),
    ("SYN-RECEIVED", "ACK of SYN", "ESTABLISHED"),
    ("ESTABLISHED", "CLOSE call", "FIN-WAIT-1"),
    ("ESTABLISHED", "FIN", "CLOSE-WAIT"),
    ("FIN-WAIT-1", "ACK of FIN", "FIN-WAIT-2"),
    ("FIN-WAIT-1", "FIN", "CLOSING"),
    ("FIN-WAIT-2", "FIN", "TIME-WAIT"),
    ("CLOSE-WAIT", "CLOSE call", "LAST-ACK"),
    ("CLOSING", "ACK of FIN", "TIME-WAIT"),
    ("LAST-ACK", "ACK of FIN", "CLOSED"),
    ("TIME-WAIT", "timeout", "CLOSED"),
}
# Errors that the RFC tells in words: 3.10.5 (ABORT), 3.10.7.4 (resets), 3.10.8 (user timeout), 3.9.2.2 (ICMP).
SYNCHRONISED = STATES_BY_NAME[STATES_BY_NAME.index("ESTABLISHED") :]
OPEN = ("SYN-SENT", "SYN-RECEIVED", *SYNCHRONISED)
ENDS = (
    {(state, "ABORT", "CLOSED") for state in ("LISTEN", *OPEN)}
    | {(state, "timeout", "CLOSED") for state in OPEN}
    | {(state, "RST", "CLOSED") for state in OPEN if state != "TIME-WAIT"}      # RFC 1337
    | {(state, "unreachable", "CLOSED") for state in ("SYN-SENT", "SYN-RECEIVED")}
)
# Ours alone: the stack needs the place.
EVICTIONS = {("TIME-WAIT", "evicted", "CLOSED")}
TABLE = {(*before, after) for before, after in TRANSITIONS.items()}


def test_table_is_that_of_the_rfc():
    assert TABLE == RFC | ENDS | EVICTIONS


def test_every_state_can_be_reached_and_left():
    reached = {after for _, _, after in TABLE}
    left = {before for before, _, _ in TABLE}
    assert reached == left == set(STATES_BY_NAME)
    assert {event for _, event, _ in TABLE} == set(EVENTS_BY_NAME)


def test_diagram_in_the_docs_is_drawn_from_the_table():
    page = (Path(__file__).parents[3] / "docs/tcp.md").read_text(encoding="utf-8")
    drawn = set(re.findall(r"^    (\S+) --> (\S+): (.+)$", page, re.MULTILINE))
    everywhere = {(before, event, after) for before, event, after in TABLE if event in {"ABORT", "RST", "timeout"}}
    shown = TABLE - everywhere | {("TIME-WAIT", "timeout", "CLOSED")}
    assert drawn == {(before, after, event) for before, event, after in shown}


# What connections do. Each way to a state, then each event there, with real segments and calls.


class Driven:
    """A connection that is led from state to state by what a peer sends and the application calls."""

    def __init__(self, passive: bool):
        self.peer = Peer()
        self.listener = None
        if passive:
            self.listener = self.peer.stack.listen(None, 80)
            self.first = self.peer.one(flags=SYN, ack=0)
            self.peer.seq, self.peer.ack = self.peer.seq + 1, self.first.seq + 1
            self.connection = None      # until it is open
        else:
            self.connection = self.peer.stack.connect(B, 5000, A, 80)
            (self.first,) = self.peer.take()
            self.peer.ack = self.first.seq + 1

    @property
    def state(self) -> str:
        """The connection's state; a half-open one is none of the application's yet."""
        if self.connection is None:
            self.connection = self.listener.accept()
        if self.connection is not None:
            return self.connection.state
        return "SYN-RECEIVED" if self.peer.stack.half_open else "CLOSED"

    def do(self, event: str) -> None:
        """Make an event happen."""
        state = self.state
        peer, connection = self.peer, self.connection
        match event:
            case "SYN":
                peer.one(flags=SYN, ack=0)
                peer.seq += 1
            case "SYN,ACK":
                peer.one(flags=SYN | ACK)
                peer.seq += 1
            case "ACK of SYN":
                peer.send()
            case "CLOSE call" if state == "SYN-SENT":
                connection.close()
            case "CLOSE call" if connection is not None:
                connection.shutdown_write()
                peer.take()
            case "ACK of FIN":
                peer.ack += 1
                peer.send()
            case "FIN":
                assert peer.one(flags=FIN | ACK).ack == peer.seq + 1
                peer.seq += 1
            case "RST":
                peer.send(flags=RST | ACK)
            case "ABORT" if connection is None:
                self.listener.close()
            case "ABORT":
                connection.abort()
            case "unreachable":
                peer.tap.give([icmp_packet(B, A, 1, 4, bytes(4) + self.first.packet(A, B))], peer.now)
                peer.take()
            case "timeout" if connection is None:
                peer.wait(2000 * SECOND)
            case "timeout":
                connection.keepalive = (SECOND, SECOND, 1)
                if connection.state == "FIN-WAIT-2":
                    connection.close()
                peer.wait(2000 * SECOND)
            case "evicted":
                self.evict()

    def evict(self) -> None:
        """Have another connection take the place."""
        self.listener = self.listener or self.peer.stack.listen(None, 80)
        self.peer.send(flags=SYN, ack=0, seq=self.peer.seq + 1000)


WAYS = {
    "SYN-SENT": (False, []),
    "SYN-RECEIVED": (True, []),
    "SYN-RECEIVED (simultaneous open)": (False, ["SYN"]),
    "ESTABLISHED": (True, ["ACK of SYN"]),
    "ESTABLISHED (dialed)": (False, ["SYN,ACK"]),
    "ESTABLISHED (simultaneous open)": (False, ["SYN", "ACK of SYN"]),
    "FIN-WAIT-1": (True, ["ACK of SYN", "CLOSE call"]),
    "FIN-WAIT-2": (True, ["ACK of SYN", "CLOSE call", "ACK of FIN"]),
    "CLOSE-WAIT": (False, ["SYN,ACK", "FIN"]),
    "CLOSING": (True, ["ACK of SYN", "CLOSE call", "FIN"]),
    "LAST-ACK": (True, ["ACK of SYN", "FIN", "CLOSE call"]),
    "TIME-WAIT": (True, ["ACK of SYN", "CLOSE call", "ACK of FIN", "FIN"]),
    "TIME-WAIT (simultaneous close)": (False, ["SYN,ACK", "CLOSE call", "FIN", "ACK of FIN"]),
}
CASES = [
    pytest.param(way, event, after, id=f"{way}: {event}")
    for way in WAYS
    for before, event, after in sorted(TABLE)
    if before == way.partition(" (")[0]
]


@pytest.mark.parametrize("way", WAYS)
def test_way(way):
    passive, events = WAYS[way]
    driven = Driven(passive)
    for event in events:
        before = driven.state
        driven.do(event)
        assert TRANSITIONS[before, event] == driven.state
    assert driven.state == way.partition(" (")[0]
    driven.peer.close()


@pytest.mark.parametrize(("way", "event", "after"), CASES)
def test_transition(way, event, after):
    passive, events = WAYS[way]
    driven = Driven(passive)
    for step in events:
        driven.do(step)
    driven.do(event)
    assert driven.state == after
    assert driven.peer.stack.counters()["tcp_no_transition"] == 0
    driven.peer.close()


# Segments that are two events where they come.
OTHERWISE = {
    ("SYN-RECEIVED", "FIN"): "CLOSE-WAIT",      # its ACK ends the handshake
}
AFTER_FIN = {"CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("event", ["SYN", "SYN,ACK", "ACK of SYN", "FIN", "ACK of FIN", "CLOSE call"])
def test_what_is_no_event_changes_nothing(way, event):
    passive, events = WAYS[way]
    driven = Driven(passive)
    for step in events:
        driven.do(step)
    peer, state = driven.peer, driven.state
    if (state, event) not in TRANSITIONS:
        if event == "CLOSE call":
            driven.do(event)
        else:
            flags = {"SYN": SYN, "SYN,ACK": SYN | ACK, "FIN": FIN | ACK}.get(event, ACK)
            again = event == "FIN" and state in AFTER_FIN
            peer.send(flags=flags, ack=peer.ack + (event == "ACK of FIN"), seq=peer.seq - again)
        assert driven.state == OTHERWISE.get((state, event), state)
        assert peer.stack.counters()["tcp_no_transition"] == 0
    peer.close()


def test_failures_tell_their_errno():
    for event, expected in (("RST", errno.ECONNRESET), ("timeout", errno.ETIMEDOUT)):
        driven = Driven(passive=True)
        driven.do("ACK of SYN")
        driven.do(event)
        assert driven.connection.error == expected
        driven.peer.close()
