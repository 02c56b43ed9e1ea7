"""What is carried in the interop tests: bytes that show a shift, a loss or a swap in their digest."""

import hashlib
import random
from collections.abc import Iterator

# Of a prime length, so that a lost or doubled packet of any usual size changes the digest.
_BLOCK = random.Random("payload").randbytes(999_983)


def blocks(count: int) -> Iterator[bytes]:
    """Yield `count` bytes, in blocks of about a megabyte."""
    while count > 0:
        yield _BLOCK[:count]
        count -= len(_BLOCK)


def digest(count: int) -> str:
    """Return the SHA-256 of the first `count` bytes, in hexadecimal."""
    total = hashlib.sha256()
    for block in blocks(count):
        total.update(block)
    return total.hexdigest()
