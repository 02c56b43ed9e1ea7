DEFAULT: str
"""The algorithm of a stack that was told nothing else."""

def algorithms() -> list[str]:
    """Return the names that `NetStack.congestion` takes."""

def check_name(name: str) -> str:
    """Return `name`; ValueError when there is no such algorithm."""
