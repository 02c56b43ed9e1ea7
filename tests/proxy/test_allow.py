"""ygg.proxy.allow: who is on a list of keys, addresses and subnets."""

import pytest

from ygg.identity.address import address_of, subnet_of
from ygg.identity.keys import PrivateKey
from ygg.proxy import Allowed


def test_keys_addresses_and_subnets() -> None:
    key, other = PrivateKey.generate().public_key, PrivateKey.generate().public_key
    allowed = Allowed([key.hex(), "200:aaaa::1", str(subnet_of(other)), "10.0.0.0/8"])
    assert allowed.admits((str(address_of(key)), 1, 0, 0))
    assert allowed.admits(("200:dead::1", 1, 0, 0), key)
    assert allowed.admits(("200:aaaa::1", 1, 0, 0), other)
    assert allowed.admits((str(subnet_of(other).network_address + 7), 1, 0, 0))
    assert allowed.admits(("10.1.2.3", 1))
    assert allowed.admits(("::ffff:10.1.2.3", 1, 0, 0))
    assert allowed.admits("")
    assert allowed.admits(None)
    for refused in (("200:aaaa::2", 1, 0, 0), (str(address_of(other)), 1, 0, 0), ("11.0.0.1", 1), ("fe80::1%eth0", 1)):
        assert not allowed.admits(refused), refused


def test_an_empty_list_is_for_none() -> None:
    assert not Allowed([]).admits(("127.0.0.1", 1))


@pytest.mark.parametrize("entry", ["", "example.org", "200:aaaa::1/64", "ab" * 31, "200::/129"])
def test_what_is_none_of_these(entry: str) -> None:
    with pytest.raises(ValueError, match="is no public key, address or subnet"):
        Allowed([entry])
