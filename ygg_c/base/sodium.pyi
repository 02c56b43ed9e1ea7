def seed_keypair(seed: bytes) -> bytes:
    """Return the 64-byte Ed25519 secret of a 32-byte seed: the seed, then the public key (RFC 8032, section 5.1.5)."""

def sign_detached(message: bytes, secret: bytes) -> bytes:
    """Return the 64-byte signature of a message (RFC 8032, pure Ed25519); `secret` as `seed_keypair` returns it."""

def verify_detached(signature: bytes, message: bytes, public: bytes) -> bool:
    """Tell whether 64 bytes are the signature of a message under a 32-byte public key."""

class Random:
    """Randomness from libsodium."""

    def bytes(self, size: int) -> bytes:
        """Return `size` random bytes."""

class SeededRandom(Random):
    """A stream that is the same for the same seed, for simulations and tests. Never use it for a real node."""

    def __init__(self, seed: object) -> None: ...
