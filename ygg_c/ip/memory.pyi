"""The memory of a stack's buffers: used by the engine's own modules only, so nothing of it is visible from Python."""

class Memory:
    """What all buffers of a stack hold."""
