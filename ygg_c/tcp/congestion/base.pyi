class Congestion:
    """Says how much may be in the network, and how fast it may leave. An algorithm derives from it."""

    name: str
    """As `algorithms()` has it."""
