"""Randomness for the engine."""

import pytest

from ygg_c.base.sodium import Random, SeededRandom


@pytest.mark.parametrize("size", [0, 1, 7, 32, 64, 4096])
def test_as_many_bytes_as_asked(size: int) -> None:
    """Both sources give exactly the bytes asked for."""
    assert len(Random().bytes(size)) == size
    assert len(SeededRandom("size").bytes(size)) == size


def test_a_seed_repeats() -> None:
    """The same seed gives the same stream, whatever happens in other streams."""
    first, second, other = SeededRandom(7), SeededRandom(7), SeededRandom(8)
    stream = [first.bytes(32) for _ in range(20)]
    assert [(other.bytes(32), second.bytes(32))[1] for _ in range(20)] == stream
    assert len(set(stream)) == 20


def test_different_seeds_differ() -> None:
    """Seeds of any kind are told apart."""
    streams = {SeededRandom(seed).bytes(32) for seed in (0, 1, "a", "b", b"a", ("a", 1))}
    assert len(streams) == 6


def test_true_randomness_does_not_repeat() -> None:
    """Two instances share nothing."""
    assert Random().bytes(32) != Random().bytes(32)
