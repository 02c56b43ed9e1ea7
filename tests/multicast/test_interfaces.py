"""ygg.multicast.interfaces: what this machine really has, and what is said where a source of it is missing."""

import ipaddress
import sys

import pytest

from ygg.multicast.interfaces import Flags, Interface, default_routes, list_interfaces

WORKING = Flags.UP | Flags.RUNNING | Flags.MULTICAST
LINK_LOCAL = ipaddress.IPv6Address("fe80::1")


def test_loopback_is_found_as_it_is() -> None:
    (loopback,) = [item for item in list_interfaces() if item.flags & Flags.LOOPBACK]
    assert ipaddress.IPv4Address("127.0.0.1") in loopback.addresses
    assert loopback.index > 0
    assert not loopback.carries_multicast
    assert not loopback.link_local


def test_only_link_local_addresses_count_as_such() -> None:
    others = [ipaddress.ip_address(text) for text in ("169.254.1.1", "2001:db8::1", "fec0::1")]
    assert Interface("a", 1, WORKING, (*others, LINK_LOCAL)).link_local == (LINK_LOCAL,)


@pytest.mark.parametrize(
    ("flags", "carries"),
    [
        (WORKING, True),
        (WORKING | Flags.LOOPBACK, True),
        (WORKING & ~Flags.UP, False),
        (WORKING & ~Flags.RUNNING, False),
        (WORKING & ~Flags.MULTICAST, False),
        (WORKING | Flags.POINT_TO_POINT, False),
    ],
)
def test_what_carries_multicast(flags: Flags, carries: bool) -> None:
    assert Interface("a", 1, flags, (LINK_LOCAL,)).carries_multicast is carries


def test_without_netifaces_only_its_part_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {(item.name, item.index, item.flags, item.addresses) for item in list_interfaces()}
    monkeypatch.setitem(sys.modules, "netifaces", None)
    found = list_interfaces()
    assert {(item.name, item.index, item.flags, item.addresses) for item in found} == whole
    assert {item.link_address for item in found} == {None}
    assert default_routes() == []


def test_default_routes_name_interfaces_of_this_machine() -> None:
    pytest.importorskip("netifaces")
    names = {item.name for item in list_interfaces()}
    for route in default_routes():
        assert route.interface in names
        ipaddress.ip_address(route.gateway.partition("%")[0])
