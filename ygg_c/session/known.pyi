from typing import Any

from ygg_c.base.sodium import Random

class KnownSessions:
    """The sessions of one identity (protocol 0.5, section 7): what is said in them, and how they end."""

    session_limit: int
    """Sessions held at most in which we have sent something; one from where most came in gives way."""
    quiet_limit: int
    """The same of those in which we have sent nothing."""
    opening_limit: int
    """Sessions being opened at most, each for those wanted here and those made by strangers' traffic."""
    def __init__(self, secret: bytes, group_password: bytes = b"", random: Random | None = None) -> None: ...
    def states(self) -> list[dict[str, Any]]:
        """Return the sessions, sorted by key.

        Each is a dict of key (32 bytes), bytes_sent, bytes_received (of payloads), packets_sent, packets_received,
        uptime (ns).
        """
    def counters(self) -> dict[str, int]:
        """Return how often each thing happened, by name: messages and payloads that went nowhere, handshakes sent."""
