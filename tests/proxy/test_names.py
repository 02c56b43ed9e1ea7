"""ygg.proxy.names: hosts by what they are called, and what is no host."""

from ipaddress import IPv6Address

import pytest

from tests.aio import in_virtual_time
from ygg.errors import HostUnreachable, ResolveError
from ygg.proxy import Names
from ygg.vtun.addresses import Host

KEY = bytes(range(32))


async def looked_up(name: str) -> Host:
    if name == "known.ygg":
        return "200::5"
    raise ResolveError(name)


@in_virtual_time
async def test_names() -> None:
    names = Names({"My.Host.": "200::4"}, looked_up)
    for name, host in {
        "200::1": IPv6Address("200::1"),
        "[300::1]": IPv6Address("300::1"),
        KEY.hex(): KEY,
        KEY.hex().upper() + ".pk.ygg": KEY,
        f"www.{KEY.hex()}.pk.ygg.": KEY,
        "aiag7sesed2aaxgcgbnevruwpy.meship": IPv6Address("200:6fc8:9220:f400:5cc2:305a:4ac6:967e"),
        "my.host": "200::4",
        "KNOWN.ygg": "200::5",
    }.items():
        assert await names.resolve(name) == host, name


@in_virtual_time
async def test_none() -> None:
    for name in ("", "x.pk.ygg", "pk.ygg", "aaaa.meship", "a.b.meship", "1aag7sesed2aaxgcgbnevruwpy.meship", "a" * 255):
        with pytest.raises(ResolveError):
            await Names().resolve(name)
    with pytest.raises(ResolveError):
        await Names(lookup=looked_up).resolve("unknown.ygg")
    for name in ("127.0.0.1", "::1", "2001:db8::1"):
        with pytest.raises(HostUnreachable):
            await Names(lookup=looked_up).resolve(name)


@in_virtual_time
async def test_names_of_addresses_lead_back() -> None:
    names = Names({"friend.example": "200::4"})
    assert names.reverse(IPv6Address("200::4")) == "friend.example"
    other = IPv6Address("200:aaaa::7")
    name = names.reverse(other)
    assert name.endswith(".meship")
    assert await names.resolve(name) == other
