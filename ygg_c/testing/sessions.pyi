from collections.abc import Iterable

from ygg_c.base.sodium import Random
from ygg_c.session.table import SessionTable

class ScriptedRandom(Random):
    """Randomness that was written down, for reproducing transcripts: each request takes the next item, then zeros."""

    def __init__(self, script: list[bytes]) -> None: ...

class SessionTap(SessionTable):
    """The sessions of one identity with Python at both ends, for simulations and tests. Keys have 32 bytes."""

    used: Iterable[bytes]
    """Keys that there are connections to: their sessions are renewed."""
    def __init__(self, secret: bytes, group_password: bytes = b"", random: Random | None = None) -> None: ...
    def tick(self, now: int, wall: int) -> int | None:
        """Set the clock (ns, unix seconds) and forget what has expired; return the next deadline in ns, or None."""
    def write(self, key: bytes, payload: bytes) -> None:
        """Send a payload."""
    def feed(self, key: bytes, message: bytes, origin: int = 0) -> None:
        """Take a session message that came from `key`, by the neighbour of the number `origin`."""
    def path_found(self, key: bytes) -> None:
        """Tell that a key has a new path."""
    def back(self, key: bytes) -> None:
        """Tell that the node of a key is here again after it was away."""
    def messages(self) -> list[tuple[bytes, bytes]]:
        """Return the (destination key, message) pairs sent since the last call."""
    def payloads(self) -> list[tuple[bytes, bytes]]:
        """Return the (source key, payload) pairs that arrived since the last call, but for dummies (one zero byte)."""
    def restarts(self) -> list[bytes]:
        """Return the keys of remotes that have made new sessions in place of old ones since the last call."""
    def ratchet(self, key: bytes) -> tuple[int, int, int] | None:
        """Return (our keyseq, their keyseq, last nonce sent) of the session with a key; None without one."""
    def close(self) -> None:
        """Forget everything."""
