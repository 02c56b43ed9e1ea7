class Random:
    """Randomness from libsodium."""

    def bytes(self, size: int) -> bytes:
        """Return `size` random bytes."""

class SeededRandom(Random):
    """A stream that is the same for the same seed, for simulations and tests. Never use it for a real node."""

    def __init__(self, seed: object) -> None: ...
