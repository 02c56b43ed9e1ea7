"""ygg.sockets.hosts: which hosts are the overlay's, and what is said of them."""

import ipaddress
import socket

import pytest

from ygg.sockets import hosts

ONE = "200:1::1"


@pytest.mark.parametrize(("host", "known"), [
    (ONE, ONE), (f"[{ONE}]", ONE), (ONE.encode(), ONE), (bytearray(ONE.encode()), ONE), ("0300::0:1", "300::1"),
    (ipaddress.IPv6Address(ONE), ONE), (b"200:aaaa:bbbb::1", "200:aaaa:bbbb::1"),    # 16 characters, not an address
    ("3ff::", "3ff::"), ("400::1", None), ("1ff::1", None), ("::1", None), ("127.0.0.1", None), ("a.example", None),
    ("", None), (None, None), (5, None), ("200::zz", None), (f"{ONE}%lo", None),
])
def test_a_literal(host, known):
    assert hosts.literal(host) == known


@pytest.mark.parametrize("kind", [0, socket.SOCK_STREAM, socket.SOCK_DGRAM])
@pytest.mark.parametrize("port", [None, 0, 80, "80", b"80", "domain"])
def test_it_says_what_the_system_does(port, kind):
    """Of an address that is not the overlay's, but for the address."""
    system = socket.getaddrinfo("2001:db8::1", port, type=kind, flags=socket.AI_NUMERICHOST)
    ours = hosts.addresses(ONE, port, 0, kind, 0, 0)
    assert [(*entry[:4], entry[4][1:]) for entry in ours] == [(*entry[:4], entry[4][1:]) for entry in system]
    assert {entry[4][0] for entry in ours} == {ONE}


def test_by_protocol_and_with_its_name():
    (one,) = hosts.addresses(ONE, 80, socket.AF_INET6, 0, socket.IPPROTO_UDP, socket.AI_CANONNAME)[:1]
    assert one == (socket.AF_INET6, socket.SOCK_DGRAM, socket.IPPROTO_UDP, ONE, (ONE, 80, 0, 0))


def test_what_there_is_not():
    for arguments in [(ONE, 80, socket.AF_INET, 0, 0, 0), (ONE, "no-such-service", 0, 0, 0, 0), ("x", 80, 0, 0, 0, 0)]:
        with pytest.raises(socket.gaierror):
            hosts.addresses(*arguments)
    with pytest.raises(socket.gaierror):
        hosts.name_of((ONE, 80), socket.NI_NAMEREQD)


def test_an_address_is_of_another_family_as_the_system_has_it():
    with pytest.raises(socket.gaierror) as systems:
        socket.getaddrinfo(ONE, 80, family=socket.AF_INET, flags=socket.AI_NUMERICHOST)
    with pytest.raises(socket.gaierror) as ours:
        hosts.addresses(ONE, 80, socket.AF_INET, 0, 0, 0)
    assert ours.value.errno == systems.value.errno


def test_names_of_addresses():
    assert hosts.name_of((ONE, 80, 0, 0), 0) == (ONE, "http")
    assert hosts.name_of((ONE, 80), socket.NI_NUMERICSERV) == (ONE, "80")
    assert hosts.name_of((ONE, 53), socket.NI_DGRAM) == (ONE, "domain")
    assert hosts.name_of((ONE, 60001), 0) == (ONE, "60001")
