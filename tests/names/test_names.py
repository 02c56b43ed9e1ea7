"""ygg.names.names: hosts by what they are called, and what is no host."""

import random
import sys
from ipaddress import IPv6Address
from pathlib import Path

import pytest

from tests.aio import in_virtual_time
from tests.names.servers import Server, answer, overlay
from ygg.errors import HostUnreachable, MissingExtraError, ResolveError
from ygg.names import Answer, HostsFile, Kind, Names
from ygg.vtun import VTun
from ygg.vtun.addresses import Host

KEY = bytes(range(32))


async def looked_up(name: str) -> Host:
    if name == "known.ygg":
        return "200::5"
    raise ResolveError(name)


@in_virtual_time
async def test_names() -> None:
    names = Names({"My.Host.": "200::4"}, lookup=looked_up)
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


SERVER = "020212a900e54474d47382be16ac9381"


@in_virtual_time
async def test_who_is_asked_for_which_names() -> None:
    hosts = ["202:12a9:e5:4474:d473:82be:16ac:9381", "200:bbbb::1", "200:bbbb::2"]
    async with (
        overlay("200:aaaa::1", *hosts) as (a, b, c, d),
        Server(b) as own, Server(c) as alfis, Server(d) as general,
    ):
        names = Names(vtun=a, alfis=[hosts[1]], name_server=(hosts[2], 53), rng=random.Random(1))
        for name, server, asked in [
            (f"www.{SERVER}.ygg", own, 1),
            (f"www.{SERVER.upper()}.YGG.", own, 1),     # kept
            ("site.ygg", alfis, 1),
            ("www.site.anon", alfis, 2),
            ("host.example", general, 1),
            ("host", general, 2),
        ]:
            assert await names.resolve(name) == IPv6Address("200::5"), name
            assert server.datagrams == asked, name
        for name in ("x.onion", "x.i2p", "x.loki", "printer.local", "x.pk.ygg", "x.meship", "x.meshname"):
            with pytest.raises(ResolveError):
                await names.resolve(name)
        assert (own.datagrams, alfis.datagrams, general.datagrams) == (1, 2, 2)
        names.forget()
        await names.resolve("site.ygg")
        assert alfis.datagrams == 3
        general.reply = lambda asked: [answer(asked, "2001:db8::1").to_wire()]
        with pytest.raises(ResolveError, match=r"no such host: 'host\.example\.org'"):
            await names.resolve("host.example.org")     # an address that the VTun has no way to
        alfis.reply = lambda asked: [answer(asked, "192.0.2.1").to_wire()]
        found = await names.find("clear.mob", Kind.A)
        assert [str(address) for address in found.addresses] == ["192.0.2.1"]
        quiet = Names(vtun=a, alfis=(), name_server=None)
        with pytest.raises(ResolveError):
            await quiet.resolve("site.ygg")


@in_virtual_time
async def test_what_needs_no_question_is_found_for_a_minute() -> None:
    names = Names({"friend": "200::4"})
    assert await names.find("friend") == Answer((IPv6Address("200::4"),), 60)
    assert await names.find("friend", Kind.A) == Answer((), 60)
    with pytest.raises(ResolveError):
        await names.find("stranger.ygg")
    assert names.has("friend")
    assert names.has("any.ygg")
    assert not names.has("ygg")
    assert not names.has("example.org")


@in_virtual_time
async def test_a_file_of_names_is_looked_at_again(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("200::1 one\n")
    names = Names(HostsFile(path))
    assert await names.resolve("One") == "200::1"
    path.write_text("200::22 one two\n")
    assert await names.resolve("two") == "200::22"
    assert names.reverse(IPv6Address("200::22")) == "one"


def test_dns_without_dnspython(monkeypatch: pytest.MonkeyPatch) -> None:
    @in_virtual_time
    async def main() -> None:
        vtun = VTun(["200::1"])
        with pytest.raises(MissingExtraError, match=r"pip install 'ygg\[names\]'"):
            await Names(vtun=vtun).resolve("site.ygg")
        await vtun.close()

    monkeypatch.setitem(sys.modules, "ygg.names.asker", None)
    main()
