"""ygg.network.addresses: one address in the forms that networks use."""

import socket
from ipaddress import ip_address

import pytest

from ygg.errors import AddressNotAvailable
from ygg.network.addresses import common_family, plain, spell, unspecified, with_zone


@pytest.mark.parametrize(("sockaddr", "text"), [
    (("127.0.0.1", 80), "127.0.0.1:80"),
    (("::1", 80, 0, 0), "[::1]:80"),
    (("::ffff:192.0.2.1", 80, 0, 0), "192.0.2.1:80"),
    (("fe80::1%eth0", 80, 0, 7), "[fe80::1%eth0]:80"),
    ("/run/a", "/run/a"),
])
def test_socket_addresses_as_text(sockaddr: object, text: str) -> None:
    assert spell(sockaddr) == text


def test_a_scope_is_told_by_its_interface() -> None:
    index, name = socket.if_nameindex()[0]
    assert spell(("fe80::1", 80, 0, index)) == f"[fe80::1%{name}]:80"


def test_link_local_addresses_take_the_interfaces_zone() -> None:
    assert with_zone("fe80::1", "eth0") == "fe80::1%eth0"
    assert with_zone("fe80::1%eth1", "eth0") == "fe80::1%eth1"
    assert with_zone("::1", None) == "::1"
    assert with_zone("127.0.0.1", "eth0") == "127.0.0.1"
    with pytest.raises(AddressNotAvailable, match=r"^link-local address requires a zone$"):
        with_zone("fe80::1", None)


def test_mapped_addresses_are_those_of_ipv4() -> None:
    assert plain("::ffff:192.0.2.1") == plain("192.0.2.1") == ip_address("192.0.2.1")
    assert plain("2001:db8::1") == ip_address("2001:db8::1")


def test_two_ends_have_one_family() -> None:
    four, six = "192.0.2.1", "2001:db8::1"
    assert common_family([four, six], [six]) == (six, six)
    assert common_family([], [six, four]) == (None, six)
    assert common_family([four], []) == (four, None)
    with pytest.raises(AddressNotAvailable):
        common_family([four], [six])
    assert (str(unspecified(four)), str(unspecified(six))) == ("0.0.0.0", "::")
