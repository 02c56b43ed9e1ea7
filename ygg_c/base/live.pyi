def counts() -> dict[str, int]:
    """Return how many engine objects of each kind are alive ("packet": buffers taken from the pool)."""
