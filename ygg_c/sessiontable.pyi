from typing import TypedDict

from ygg_c.sodium import Random

class SessionState(TypedDict):
    """One session: the remote's 32-byte key, payload bytes and packets each way, and its age in ns."""

    key: bytes
    bytes_sent: int
    bytes_recvd: int
    packets_sent: int
    packets_recvd: int
    uptime: int

class SessionTable:
    """All sessions of one identity (protocol 0.5, section 7)."""

    session_limit: int
    """Sessions held at most; the one idle for longest gives way."""
    opening_limit: int
    """Sessions being opened at most, each for those wanted here and those made by strangers' traffic."""
    def __init__(self, secret: bytes, group_password: bytes = b"", random: Random | None = None) -> None: ...
    def states(self) -> list[SessionState]:
        """Return the sessions, sorted by key."""
    def counters(self) -> dict[str, int]:
        """Return how often each thing happened, by name: messages and payloads that went nowhere, handshakes sent."""
