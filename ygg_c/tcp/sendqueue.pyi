class SendQueue:
    """What was written and is not acknowledged, held by reference."""
