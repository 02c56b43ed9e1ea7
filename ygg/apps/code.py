"""A short code that two people share: it is an address to find, and a secret to show, with no server between them.

Both derive the sender's key from the code. So its address is known to who has the code, and to be at that address
proves to have it. The receiver shows in a message of its own that it has it.

The sender's public key is seen by nodes that it has nothing else to do with, and codes can be tried against it. Hence
72 random bits, and a derivation (scrypt, RFC 7914) that takes 32 MiB and a part of a second for each try. What was sent
stays secret when a code becomes known later: sessions have keys of their own.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import cached_property

from ygg.errors import YggError
from ygg.identity.keys import PrivateKey
from ygg_c.base.sodium import Random

CONSONANTS, VOWELS = "bdfghjklmnprstvz", "aiou"
"""Letters that are told apart when they are spoken: four bits and two."""

RANDOM = 9
"""Bytes of a code that are random; one more tells a code from one that was mistyped."""

_SALT = b"ygg send, version 1"


class CodeError(YggError, ValueError):
    """A code that was mistyped."""

    text = "this is no code: a code has five groups of five letters, such as lusab-babad-gutih-tugad-kijop"


class Code:
    """A code and what follows from it."""

    def __init__(self, data: bytes) -> None:
        """Make the code of `RANDOM` bytes."""
        self._data = data
        self.text = _spell(data + _check(data))
        """As it is told to the other person. It is a secret."""

    @classmethod
    def generate(cls) -> Code:
        """Return a new code."""
        return cls(Random().bytes(RANDOM))

    @classmethod
    def parse(cls, text: str) -> Code:
        """Return the code that was typed, in any case, with dashes, spaces or neither. Raises `CodeError`."""
        letters = "".join(text.split()).replace("-", "").lower()
        try:
            whole = _unspell(letters)
        except ValueError:
            raise CodeError from None
        data, check = whole[:RANDOM], whole[RANDOM:]
        if len(data) != RANDOM or check != _check(data):
            raise CodeError("this code was mistyped: the letters do not fit each other")
        return cls(data)

    @cached_property
    def _derived(self) -> bytes:
        return hashlib.scrypt(self._data, salt=_SALT, n=2**15, r=8, p=1, maxmem=2**26, dklen=64)

    @property
    def key(self) -> PrivateKey:
        """The sender's key; the first use takes a part of a second."""
        return PrivateKey.from_seed(self._derived[:32])

    def proof(self, receiver: bytes) -> str:
        """Return what the node with the public key `receiver` shows to the sender: of no use to another node."""
        return hmac.new(self._derived[32:], self.key.public_key + receiver, hashlib.sha256).hexdigest()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


def _check(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=1).digest()


def _spell(data: bytes) -> str:
    return "-".join(_group(int.from_bytes(data[index : index + 2])) for index in range(0, len(data), 2))


def _group(number: int) -> str:
    one, two, three = CONSONANTS[number >> 12], CONSONANTS[number >> 6 & 15], CONSONANTS[number & 15]
    return one + VOWELS[number >> 10 & 3] + two + VOWELS[number >> 4 & 3] + three


def _unspell(letters: str) -> bytes:
    """Return the bytes of groups of five letters. Raises ValueError."""
    number = 0
    for index, letter in enumerate(letters[:64]):
        kind, bits = (VOWELS, 2) if index % 5 in (1, 3) else (CONSONANTS, 4)
        number = number << bits | kind.index(letter)
    groups, rest = divmod(len(letters), 5)
    if rest or groups * 2 != RANDOM + 1:
        raise ValueError
    return number.to_bytes(2 * groups)
