from collections.abc import Callable
from typing import Any

from ygg_c.base.clock import Clock
from ygg_c.base.sodium import Random
from ygg_c.ip.layer import Lower
from ygg_c.routing.router import Router

class PayloadSink(Lower):
    """What a node gives its IPv6 payloads to; Gateway is the one there is."""

    def counters(self) -> dict[str, int]:
        """Return the packets dropped, by reason."""

class Node(Router):
    """A whole Yggdrasil node without IO: spanning tree, paths, sessions, queries. Its host moves the bytes.

    The host calls `turn(now, wall)` when a deadline has come and soon after `on_work`; links are added once their
    handshake is done, fed with `Link.receive`, and emptied through their sinks. Times are nanoseconds of any clock that
    does not go backwards; `wall` is unix time in whole seconds. All calls must come from one thread.

    Callbacks run inside `turn` only (or the pump's turn) and may call anything, `turn` and `close` included. What they
    raise goes to `on_error`, or to sys.unraisablehook when that is None; it never reaches the caller of `turn`.
    """

    on_work: Callable[[], object] | None
    """Called when a turn is needed sooner than the last one returned, at most once until the next turn."""
    on_link_closed: Callable[[Any, str], object] | None
    """Called with the link and the reason when the node closed a link: a bare error name such as "ErrDecode"."""
    on_link_proven: Callable[[Any], object] | None
    """Called once with each link whose far side has shown that it holds its key."""
    on_no_way: Callable[[], object] | None
    """Called when something of ours waits for a path that no lookup finds, or for any link; twice a second at most."""
    on_events: Callable[[list[tuple[str, Any]]], object] | None
    """Called at the end of a turn with what happened in it, as (name, about) in its order.

    The names: `session_opened`, `session_closed`, `path_found`, `path_lost` (about: the 32-byte key), `place` (the
    root's key and our own coordinates, a tuple of ports, which are others than before), `same_identity` (`record`:
    other nodes have heard newer records of our own key that we have not made, again and again; `answer`: to a lookup of
    our own key, with `find`, one came that we have not signed), `lost` (how many more there were).
    """
    on_error: Callable[[BaseException], object] | None
    """Called with what a callback raised."""
    nodeinfo: bytes
    """The JSON text with which node information requests are answered, at most 16384 bytes (ValueError if longer)."""

    def __init__(self, secret: bytes, *, group_password: bytes = b"", random: Random | None = None,
                 clock: Clock | None = None) -> None:
        """Make a node.

        `secret` is the 32-byte Ed25519 seed followed by the 32-byte public key; ValueError if the two do not match.
        Nodes with different group passwords have no sessions with each other (they still route for each other).
        """

    @property
    def address(self) -> bytes:
        """The 16-byte address inside 200::/7."""

    @property
    def clock(self) -> Clock:
        """What tells the pumps the time."""

    def go_on_from(self, seconds: int) -> None:
        """Have unix time as this node tells it to others (`wall`) go on from `seconds`, or from where it stands if that
        is later.

        It never goes back by itself, though the system's clock may. ValueError beyond 2**33 - 1.
        """

    @property
    def subnet(self) -> bytes:
        """The 8-byte prefix of the routed /64."""

    @property
    def deadline(self) -> int | None:
        """When the next turn is due, in ns; None when no timer runs."""

    def enter(self, now: int, wall: int) -> None:
        """Begin a turn at `now` (ns) and `wall` (unix seconds); feed links, then leave()."""

    def leave(self) -> None:
        """End the turn: run what is due, flush links, run callbacks."""

    def turn(self, now: int, wall: int) -> int | None:
        """Run what is due, flush links, run callbacks; return the next deadline in ns, or None.

        Called from a callback of a running turn it only notes that there is more to do.
        """

    def request(self, key: bytes, kind: str, on_reply: Callable[[bytes, str, bytes], object]) -> None:
        """Ask the node of a 32-byte public key (protocol 0.5, section 8).

        `kind` is "nodeinfo" (the answer is JSON text), "self" (JSON text), "peers" or "tree" (32-byte keys in a row).
        `on_reply(key, kind, data)` is called at most once; a later request for the same key and kind replaces it, and
        after 60 s without an answer it is forgotten. Nothing in `data` has been checked. ValueError for a bad kind or
        key.
        """

    def sessions(self) -> list[dict[str, Any]]:
        """Return the sessions, sorted by key.

        Each is a dict of key (32 bytes), bytes_sent, bytes_received (of payloads), packets_sent, packets_received,
        uptime (ns).
        """

    def counters(self) -> dict[str, int]:
        """Return how often each thing happened that a healthy exchange does not need, by name."""

    def close(self) -> None:
        """Drop every link, session and buffer, let go of every callback, and tell what is attached. Idempotent."""
