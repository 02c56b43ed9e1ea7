class Remote:
    """A node that handshakes are exchanged with."""

class Session(Remote):
    """One end of a session with one remote key (protocol 0.5, section 7)."""

def measure_box(size: int, count: int) -> float:
    """Seal and open `count` payloads of `size` bytes between two sessions as the data path does; return the seconds.

    ValueError when a payload of that size does not fit a session message (130914 bytes).
    """
