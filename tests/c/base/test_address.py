"""Vectors of protocol 0.5, section 1.5."""

from ipaddress import IPv6Address

import pytest

from ygg_c.base.address import address_for_key, lookup_key_for_key, partial_key_for_address, subnet_for_key

VECTORS = [
    (
        "bdbacfd82240de3dcd123924cbb55256fb8dab08aa98e305528ab84f419e6efb",
        "200:848a:604f:bb7e:4384:65db:8db6:6895",
        "300:848a:604f:bb7e::",
        "bdbacfd82240",
    ),
    (
        "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
        "200:eaee:3845:17ec:1cd4:55a:49a5:868b",
        "300:eaee:3845:17ec::",
        "8a88e3dd7409",
    ),
    (
        "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394",
        "200:fd8d:11e2:af05:d141:52b9:5732:7967",
        "300:fd8d:11e2:af05::",
        "8139770ea87d7f",
    ),
    (
        "ed4928c628d1c2c6eae90338905995612959273a5c63f93636c14614ac8737d1",
        "200:256d:ae73:ae5c:7a72:2a2d:f98e:df4c",
        "300:256d:ae73:ae5c::",
        "ed4928c628d1",
    ),
    (
        "0b513ad9b4924015ca0902ed079044d3ac5dbec2306f06948c10da8eb6e39f2d",
        "204:95d8:a4c9:6db7:fd46:bedf:a25f:df7",
        "304:95d8:a4c9:6db7::",
        "0b513ad9b49247",
    ),
    (
        "76a1592044a6e4f511265bca73a604d90b0529d1df602be30a19a9257660d1f5",
        "201:257a:9b7e:ed64:6c2b:bb66:90d6:3167",
        "301:257a:9b7e:ed64::",
        "76a1592044a6",
    ),
    (
        "0000000012345678deadbeefcafebabe00112233445566778899aabbccddeeff",
        "223:dcba:9872:1524:1103:5014:541f:feed",
        "323:dcba:9872:1524::",
        "0000000012345678deadbf",
    ),
    ("00" * 15 + "01" + "ff" * 16, "27f::", "37f::", "00" * 15 + "01"),
    ("7f" + "ff" * 31, "201::", "301::", "7f"),
]


@pytest.mark.parametrize(("key", "address", "subnet", "lookup"), VECTORS)
def test_vectors(key: str, address: str, subnet: str, lookup: str) -> None:
    """A key gives its address, subnet and lookup form, and both addresses lead back to the same lookup form."""
    raw = bytes.fromhex(key)
    transformed = bytes.fromhex(lookup).ljust(32, b"\xff")
    assert str(IPv6Address(address_for_key(raw))) == address
    assert str(IPv6Address(subnet_for_key(raw) + bytes(8))) == subnet
    assert lookup_key_for_key(raw) == transformed
    assert lookup_key_for_key(partial_key_for_address(address_for_key(raw))) == transformed
    assert partial_key_for_address(subnet_for_key(raw) + bytes(8)) == transformed


@pytest.mark.parametrize(
    ("key", "partial"),
    [
        ("bdbacfd82240de3dcd123924cbb55256fb8dab08aa98e305528ab84f419e6efb", "bdbacfd82240de3dcd123924cbb57f"),
        ("8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c", "8a88e3dd7409f195fd52db2d3cba7f"),
        ("0b513ad9b4924015ca0902ed079044d3ac5dbec2306f06948c10da8eb6e39f2d", "0b513ad9b4924015ca0902ed079047"),
    ],
)
def test_partial_key_of_a_full_address(key: str, partial: str) -> None:
    """An address tells 112 bits after the leading zeros."""
    assert partial_key_for_address(address_for_key(bytes.fromhex(key))).hex() == partial + "ff" * 17


def test_all_zero_key() -> None:
    """256 leading zeros wrap to 0 and leave nothing else."""
    assert address_for_key(bytes(32)) == b"\x02" + bytes(15)


@pytest.mark.parametrize("function", [address_for_key, subnet_for_key, partial_key_for_address, lookup_key_for_key])
def test_wrong_size(function) -> None:
    """Anything that is not a key (or an address) is refused."""
    with pytest.raises(ValueError, match="must be"):
        function(b"short")
