"""Keys by number."""

import pytest

from ygg.testing import in_order, private_key, public_key, secret_key


def test_the_seed_is_the_number() -> None:
    assert private_key(7).secret[:32] == bytes([7]) * 32
    assert private_key(256).secret[:32] == bytes(30) + b"\1\0"
    assert len({public_key(number) for number in range(1000)}) == 1000


def test_the_engine_takes_seed_and_public_key() -> None:
    assert secret_key(300) == private_key(300).secret
    assert secret_key(300)[32:] == public_key(300)


def test_the_order_is_that_of_the_public_keys() -> None:
    ordered = in_order(*range(300))
    assert sorted(ordered) == list(range(300))
    assert [public_key(number) for number in ordered] == sorted(map(public_key, range(300)))


def test_a_number_is_none_below_zero() -> None:
    with pytest.raises(ValueError, match="range"):
        private_key(-1)
