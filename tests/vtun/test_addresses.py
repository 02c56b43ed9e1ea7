"""Addresses as programs write them."""

import errno
import ipaddress
import socket

import pytest

from tests.expecting import raises_errno
from ygg.errors import YggError
from ygg.vtun import addresses

RAW = bytes.fromhex("0200aaaa000000000000000000000001")


@pytest.mark.parametrize("host", ["200:aaaa::1", "[200:aaaa::1]", RAW, ipaddress.IPv6Address(RAW), b"200:aaaa::1"])
def test_every_form_of_an_address(host):
    assert addresses.packed(host) == addresses.destination(host) == addresses.bindable(host) == RAW
    assert addresses.endpoint(RAW, 80) == ("200:aaaa::1", 80, 0, 0)


NO_ADDRESSES = [
    "example.org", "", "10.0.0.1", "200:aaaa::1%eth0", "\x00", b"\xff" * 15, "é", "ab " * 21 + " ", b" " * 64,
]


@pytest.mark.parametrize("host", NO_ADDRESSES)
def test_what_is_no_address(host):
    with pytest.raises(socket.gaierror) as caught:
        addresses.packed(host)
    assert isinstance(caught.value, YggError)


@pytest.mark.parametrize("host", ["::", "1ff::1", "400::1", "fe80::1", "ff02::1"])
def test_what_is_not_on_the_overlay(host):
    with raises_errno(errno.EHOSTUNREACH):
        addresses.destination(host)


@pytest.mark.parametrize("host", ["200::1", "3ff:ffff::1", "300::1"])
def test_what_is_on_the_overlay(host):
    assert addresses.destination(host) == socket.inet_pton(socket.AF_INET6, host)


def test_wildcards():
    assert addresses.bindable(None) is addresses.bindable("") is addresses.bindable("::") is None


def test_ports():
    assert [addresses.check_port(port) for port in (None, 0, 65535, "80")] == [0, 0, 65535, 80]
    for port in (-1, 65536):
        with pytest.raises(OverflowError):
            addresses.check_port(port)


def test_failures_are_the_errors_a_socket_gives():
    assert isinstance(addresses.failure(errno.ECONNREFUSED), ConnectionRefusedError)
    assert isinstance(addresses.failure(errno.ETIMEDOUT), TimeoutError)
    assert isinstance(addresses.failure(errno.ECONNRESET), ConnectionResetError)
    for code in (errno.ECONNREFUSED, errno.ETIMEDOUT, errno.ENOBUFS, errno.EHOSTUNREACH):
        error = addresses.failure(code, "detail")
        assert error.errno == code
        assert isinstance(error, YggError)
        assert "detail" in str(error)
