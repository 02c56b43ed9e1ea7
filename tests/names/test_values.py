"""ygg.names.values: which names a zone has, and what is asked for."""

import dns.rdatatype

from ygg.names.values import Kind, Zone


def test_what_zones_have() -> None:
    zone = Zone([("200::1", 53)], ("ygg", "anon"))
    for name in ("ygg", "a.ygg", "www.a.anon"):
        assert zone.has(name)
    for name in ("a.nygg", "example", "ygg.example", ""):
        assert not zone.has(name)
    assert Zone([], ()).has("example")


def test_kinds_have_the_numbers_of_dns() -> None:
    assert {kind.name: kind.value for kind in Kind} == {
        name: int(dns.rdatatype.from_text(name)) for name in ("A", "AAAA")}
