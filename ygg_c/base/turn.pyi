class Turn:
    """Whether a turn runs, what it still has to do, and what its host has been told."""
