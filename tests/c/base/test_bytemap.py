"""ByteMap behaves as a dict with keys of one width."""

import gc
import random
import weakref

import pytest

from ygg_c.base.bytemap import ByteMap

SEED = 1


class Value:
    """Something a weak reference can watch."""


@pytest.mark.parametrize("width", [1, 4, 7, 8, 16, 18, 32, 36, 64])
def test_behaves_as_a_dict(width: int) -> None:
    """Thousands of random insertions, replacements and removals leave what they leave in a dict."""
    rng = random.Random(width)
    # Few distinct keys, so that removals hit and chains of neighbours form and break.
    keys = [rng.randbytes(width) for _ in range(200)]
    table, model = ByteMap(width, SEED), {}
    for step in range(5000):
        key = rng.choice(keys)
        if rng.random() < 0.55:
            table[key] = model[key] = step
        elif key in model:
            del table[key], model[key]
        else:
            assert key not in table
        assert len(table) == len(model)
        other = rng.choice(keys)
        assert (other in table) == (other in model)
        assert other not in table or table[other] == model[other]
    assert dict(table.items()) == model
    assert sorted(table.values()) == sorted(model.values())
    assert all(table[key] == value for key, value in model.items())


def test_grows_without_losing_anything() -> None:
    """Every key is found again after many doublings."""
    table = ByteMap(16, SEED)
    for number in range(10_000):
        table[number.to_bytes(16, "big")] = number
    assert len(table) == 10_000
    assert all(table[number.to_bytes(16, "big")] == number for number in range(10_000))


def test_missing_keys_are_key_errors() -> None:
    """Reading and removing what is not there raise KeyError."""
    table = ByteMap(4, SEED)
    with pytest.raises(KeyError):
        table[b"none"]
    with pytest.raises(KeyError):
        del table[b"none"]


@pytest.mark.parametrize("key", [b"", b"abc", b"abcde"])
def test_keys_of_another_width_are_never_there(key: bytes) -> None:
    """A key of the wrong width cannot be put in, and is not found."""
    table = ByteMap(4, SEED)
    with pytest.raises(ValueError, match="key must be 4 bytes"):
        table[key] = 1
    assert key not in table
    with pytest.raises(KeyError):
        table[key]


@pytest.mark.parametrize("width", [0, 65, 1000])
def test_refuses_impossible_widths(width: int) -> None:
    """Keys are 1 to 64 bytes wide."""
    with pytest.raises(ValueError, match="width must be 1 to 64 bytes"):
        ByteMap(width, SEED)


def test_holds_its_values_and_lets_go_of_them() -> None:
    """A value lives as long as its entry: until replaced, removed, cleared, or the map is gone."""
    table = ByteMap(1, SEED)
    watched = []
    for key in (b"a", b"b", b"c", b"d"):
        value = Value()
        watched.append(weakref.ref(value))
        table[key] = value
        del value
    gc.collect()
    assert all(reference() is not None for reference in watched)
    table[b"a"] = None
    del table[b"b"]
    assert [reference() is None for reference in watched] == [True, True, False, False]
    del table
    assert all(reference() is None for reference in watched)


def test_clear_removes_everything() -> None:
    """A cleared map is empty and usable."""
    table = ByteMap(2, SEED)
    for number in range(100):
        table[number.to_bytes(2, "big")] = number
    table.clear()
    assert len(table) == 0
    assert table.items() == []
    table[b"xy"] = 1
    assert table.items() == [(b"xy", 1)]


def test_the_seed_settles_the_order() -> None:
    """Maps of one seed give what they hold in one order; those of another in another."""
    def order(seed: int) -> list[bytes]:
        table = ByteMap(16, seed)
        for number in range(100):
            table[number.to_bytes(16, "big")] = number
        return [key for key, _ in table.items()]

    assert order(7) == order(7) == order(7)
    assert len({tuple(order(seed)) for seed in (7, 8, 2**63, 2**64 - 1)}) == 4
