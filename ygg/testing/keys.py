"""Keys by number, the same in every run, for tests, examples and simulations.

The seed of a number below 256 is that byte 32 times; that of a larger one is the number in 32 bytes, big-endian. The
number gives the key away: never use one for a real node.
"""

import functools

from ygg.identity.keys import PrivateKey


@functools.lru_cache(maxsize=4096)
def private_key(number: int) -> PrivateKey:
    """Return the key of a number of 0 or more; ValueError for one below."""
    return PrivateKey.from_seed(bytes([number]) * 32 if number < 256 else number.to_bytes(32, "big"))


def secret_key(number: int) -> bytes:
    """Return the seed and the public key of a number, 64 bytes, as the engine takes them."""
    return private_key(number).secret


def public_key(number: int) -> bytes:
    """Return the public key of a number, 32 bytes."""
    return private_key(number).public_key


def in_order(*numbers: int) -> list[int]:
    """Return numbers in the order of their public keys: the first is the root of the tree of nodes with all of them."""
    return sorted(numbers, key=public_key)
