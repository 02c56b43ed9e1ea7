"""ygg.identity.address: vectors of the protocol (Identity, addresses, subnets)."""

from ipaddress import IPv6Address, IPv6Network

import pytest

from ygg.errors import KeyFormatError
from ygg.identity.address import address_of, partial_key_of, subnet_of

VECTORS = [
    (
        "bdbacfd82240de3dcd123924cbb55256fb8dab08aa98e305528ab84f419e6efb",
        "200:848a:604f:bb7e:4384:65db:8db6:6895",
        "300:848a:604f:bb7e::/64",
        "bdbacfd82240" + 26 * "ff",
    ),
    (
        "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
        "200:eaee:3845:17ec:1cd4:55a:49a5:868b",
        "300:eaee:3845:17ec::/64",
        "8a88e3dd7409" + 26 * "ff",
    ),
    (
        "ed4928c628d1c2c6eae90338905995612959273a5c63f93636c14614ac8737d1",
        "200:256d:ae73:ae5c:7a72:2a2d:f98e:df4c",
        "300:256d:ae73:ae5c::/64",
        "ed4928c628d1" + 26 * "ff",
    ),
    (
        "76a1592044a6e4f511265bca73a604d90b0529d1df602be30a19a9257660d1f5",
        "201:257a:9b7e:ed64:6c2b:bb66:90d6:3167",
        "301:257a:9b7e:ed64::/64",
        "76a1592044a6" + 26 * "ff",
    ),
    (
        "0000000012345678deadbeefcafebabe00112233445566778899aabbccddeeff",
        "223:dcba:9872:1524:1103:5014:541f:feed",
        "323:dcba:9872:1524::/64",
        "0000000012345678deadbf" + 21 * "ff",
    ),
    ("7f" + 31 * "ff", "201::", "301::/64", "7f" + 31 * "ff"),
]


@pytest.mark.parametrize(("key", "address", "subnet", "lookup"), VECTORS)
def test_vectors(key: str, address: str, subnet: str, lookup: str) -> None:
    public_key = bytes.fromhex(key)
    assert str(address_of(public_key)) == address
    assert str(subnet_of(public_key)) == subnet
    assert partial_key_of(subnet_of(public_key)).hex() == lookup


def test_a_full_address_tells_more_of_the_key_than_its_subnet() -> None:
    address = IPv6Address("200:848a:604f:bb7e:4384:65db:8db6:6895")
    assert partial_key_of(address).hex() == "bdbacfd82240de3dcd123924cbb57f" + 17 * "ff"


def test_a_host_inside_a_subnet_tells_what_the_subnet_tells() -> None:
    assert partial_key_of(IPv6Address("300:eaee:3845:17ec::1234")) == partial_key_of(
        IPv6Network("300:eaee:3845:17ec::/64")
    )


@pytest.mark.parametrize("outside", ["::1", "2001:db8::1", "400::", "1ff::"])
def test_other_addresses_have_no_key(outside: str) -> None:
    with pytest.raises(ValueError, match="not an overlay address"):
        partial_key_of(IPv6Address(outside))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_has_32_bytes(size: int) -> None:
    for form in (address_of, subnet_of):
        with pytest.raises(KeyFormatError):
            form(bytes(size))
