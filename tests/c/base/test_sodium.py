"""Randomness for the engine."""

import pytest

from ygg_c.base.sodium import Random, SeededRandom, seed_keypair, sign_detached, verify_detached


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


def test_signatures_are_those_of_rfc_8032() -> None:
    """Section 7.1, the first test; of another message, another key or another length they are none."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    secret = seed_keypair(seed)
    assert secret == seed + public
    signature = sign_detached(b"", secret)
    assert signature.hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155")
    assert verify_detached(signature, b"", public)
    assert not verify_detached(signature, b"x", public)
    assert not verify_detached(signature, b"", bytes(32))
    assert not verify_detached(signature[:-1], b"", public)
    assert not verify_detached(signature, b"", public[:-1])


def test_keys_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes, not 31"):
        seed_keypair(bytes(31))
    with pytest.raises(ValueError, match="64 bytes, not 32"):
        sign_detached(b"", bytes(32))
