"""The states of a link, what happens to it, and the one table of transitions; docs/links.md has the diagram."""

from __future__ import annotations

import enum


class Kind(enum.Enum):
    """Why a link exists."""

    PERSISTENT = "persistent"
    """Configured: dialed again after every failure and every end, until it is removed."""
    EPHEMERAL = "ephemeral"
    """Dialed once: gone when the attempt fails or the link ends."""
    INCOMING = "incoming"
    """Accepted by a listener: gone when the link ends."""


class State(enum.Enum):
    """How far a link is."""

    CONFIGURED = "configured"
    """There is a record, and nothing has been tried."""
    DIALING = "dialing"
    """A transport is being dialed; while traffic waits, several at once."""
    HANDSHAKING = "handshaking"
    """There is a transport, and the two sides exchange who they are."""
    UP = "up"
    """Frames come and go. The far side's handshake may be one that was recorded and is said again."""
    PROVEN = "proven"
    """The far side has shown that it holds its key, by what it has signed for this link."""
    WAITING = "waiting"
    """The pause before the next attempt."""
    CLOSED = "closed"
    """There is no record any more."""


class Event(enum.Enum):
    """What happens to a link."""

    DIAL = "dial"
    """An attempt begins."""
    CONNECTED = "connected"
    """A transport is there, dialed or accepted."""
    ESTABLISHED = "established"
    """The handshake is done, and the engine has the link."""
    PROVED = "proved"
    """The engine has seen the far side's signature."""
    FAILED = "failed"
    """The last attempt under way has come to nothing, or the handshake has."""
    LOST = "lost"
    """The engine has ended the link, whatever the cause."""
    REMOVED = "removed"
    """The application takes it away, the node stops, or a newcomer makes room for another."""


FIRST = {Kind.PERSISTENT: State.CONFIGURED, Kind.EPHEMERAL: State.CONFIGURED, Kind.INCOMING: State.HANDSHAKING}
"""The state in which a link's record is made: an incoming one has its transport already."""


def _row(
    dial: State | str,
    connected: State | str,
    established: State | str,
    proved: State | str,
    failed: State | str,
    lost: State | str,
    removed: State | str,
) -> dict[Event, State | str]:
    return dict(zip(Event, (dial, connected, established, proved, failed, lost, removed), strict=True))


TABLE: dict[State, dict[Event, State | str]] = {
    State.CONFIGURED: _row(
        dial=State.DIALING,
        connected="no transport is dialed",
        established="there is no handshake",
        proved="there is no link",
        failed="there is no attempt",
        lost="there is no link",
        removed=State.CLOSED,
    ),
    State.DIALING: _row(
        dial="further dials join the attempt",
        connected=State.HANDSHAKING,
        established="there is no handshake",
        proved="there is no link",
        failed=State.WAITING,
        lost="there is no link",
        removed=State.CLOSED,
    ),
    State.HANDSHAKING: _row(
        dial="an attempt is under way",
        connected="the first transport of an attempt counts, others are dropped",
        established=State.UP,
        proved="there is no link",
        failed=State.WAITING,
        lost="there is no link",
        removed=State.CLOSED,
    ),
    State.UP: _row(
        dial="the link is up",
        connected="no transport is dialed",
        established="a transport has one handshake",
        proved=State.PROVEN,
        failed="the attempt has succeeded",
        lost=State.WAITING,
        removed=State.CLOSED,
    ),
    State.PROVEN: _row(
        dial="the link is up",
        connected="no transport is dialed",
        established="a transport has one handshake",
        proved="the engine tells it once",
        failed="the attempt has succeeded",
        lost=State.WAITING,
        removed=State.CLOSED,
    ),
    State.WAITING: _row(
        dial=State.DIALING,
        connected="no transport is dialed",
        established="there is no handshake",
        proved="there is no link",
        failed="there is no attempt",
        lost="there is no link",
        removed=State.CLOSED,
    ),
    # What comes after the end changes nothing: a dial that heeds no cancellation, the end of a link that was removed.
    State.CLOSED: _row(*[State.CLOSED] * len(Event)),
}
"""What follows when an event happens in a state, or why it cannot happen there.

A link that is not persistent waits for no other attempt: it is CLOSED where the table has WAITING.
"""


class ImpossibleError(RuntimeError):
    """An event that the table has no place for: a fault of the program."""


def next_state(kind: Kind, state: State, event: Event) -> State:
    """Return the state after `event`. Raises `ImpossibleError` where the table says that it cannot happen."""
    after = TABLE[state][event]
    if isinstance(after, str):
        raise ImpossibleError(f"a {state.value} link had {event.value!r}, but {after}")
    return State.CLOSED if after is State.WAITING and kind is not Kind.PERSISTENT else after
