class Remote:
    """A node that handshakes are exchanged with."""

class Session(Remote):
    """One end of a session with one remote key (protocol 0.5, section 7)."""
