"""KeySet behaves as a set."""

import random

import pytest

from ygg_c.base.keyset import KeySet
from ygg_c.base.sodium import SeededRandom


def test_behaves_as_a_set() -> None:
    """Thousands of random additions and removals leave what they leave in a set."""
    rng = random.Random(1)
    # Few distinct keys, so that removals hit and chains of neighbours form and break.
    keys = [rng.randbytes(32) for _ in range(200)]
    table, model = KeySet(SeededRandom(1)), set()
    for _ in range(10000):
        key = rng.choice(keys)
        if rng.random() < 0.55:
            table.put(key)
            model.add(key)
        else:
            table.drop(key)
            model.discard(key)
        assert len(table) == len(model)
        other = rng.choice(keys)
        assert (other in table) == (other in model)
    assert [key in table for key in keys] == [key in model for key in keys]


def test_grows_without_losing_anything() -> None:
    table = KeySet(SeededRandom(1))
    for number in range(10_000):
        table.put(number.to_bytes(32, "big"))
    assert len(table) == 10_000
    assert all(number.to_bytes(32, "big") in table for number in range(10_000))
    assert not any(number.to_bytes(32, "big") in table for number in range(10_000, 20_000))


def test_empties_and_goes_on() -> None:
    table = KeySet(SeededRandom(1))
    for number in range(1000):
        table.put(number.to_bytes(32, "big"))
    table.empty()
    assert len(table) == 0
    assert not any(number.to_bytes(32, "big") in table for number in range(1000))
    table.put(bytes(32))
    assert [len(table), bytes(32) in table] == [1, True]


def test_keys_have_32_bytes() -> None:
    table = KeySet(SeededRandom(1))
    for call in (table.put, table.drop, table.__contains__):
        with pytest.raises(ValueError, match="32 bytes"):
            call(b"short")
