class Congestion:
    """Keeps a window that never closes below one segment. The base class is NewReno (RFC 5681, RFC 6582, RFC 3465)."""

    name: str
    """As `algorithms()` has it."""

def algorithms() -> list[str]:
    """Return the names that `NetStack.congestion` takes."""
