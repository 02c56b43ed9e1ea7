"""ygg.jumper.addresses: what is published, and which of a stranger's URIs are dialed."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import pytest

from ygg.errors import URLError
from ygg.jumper.addresses import (
    MOST_CHARACTERS,
    MOST_URIS,
    AddressPolicy,
    IPAddress,
    is_public,
    own_uris,
    published_by,
)
from ygg.url import PeerURL

KEY = b"\x0b" * 32
PINNED = f"?key={KEY.hex()}"
POLICY = AddressPolicy(frozenset({"tcp", "tls"}))


def offered(*uris: object, policy: AddressPolicy = POLICY) -> list[str]:
    return [str(url) for url in published_by(KEY, {"direct": list(uris)}, policy)]


@pytest.mark.parametrize("address", ["8.8.8.8", "2a01:4f8::1", "2001:4860:4860::8888"])
def test_public_addresses(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "0.1.2.3",
        "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
        "::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "100::1",
        "::ffff:10.0.0.1", "::ffff:8.8.8.8", "64:ff9b::a00:1", "2002:0a00:0001::1", "2001:0:1::1",
        "200::1", "2ff:1::1", "300::1", "3ff:ffff::1",
    ],
)  # fmt: skip
def test_other_addresses(address: str) -> None:
    assert not is_public(ip_address(address))
    assert offered(f"tcp://{f'[{address}]' if ':' in address else address}:1") == []


@pytest.mark.parametrize(
    "uri",
    [
        None, 7, ["tcp://8.8.8.8:1"], {"uri": "tcp://8.8.8.8:1"}, "", "8.8.8.8:1", "tcp://8.8.8.8", "tcp://8.8.8.8:0",
        "tcp://8.8.8.8:65536", "tcp://localhost:1", "tcp://example.com:1", "unix:///run/x", "socks://8.8.8.8:1/9.9.9.9:2",
        "ws://8.8.8.8:80", "tcp://8.8.8.8:1\n", "tcp://[fe80::1%25eth0]:1", "tcp://[2a01:4f8::1%25eth0]:1",
        "tcp://0x7f.1:1", "tcp://134744072:1", "tcp://8.8.8.8:1?key=00", "tcp://8.8.8.8:1/" + "x" * MOST_CHARACTERS,
    ],
)  # fmt: skip
def test_refused(uri: object) -> None:
    assert offered(uri, "tcp://8.8.8.8:1") == ["tcp://8.8.8.8:1" + PINNED]
    with pytest.raises(URLError):
        POLICY.check(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "TLS://8.8.8.8:443",
        "tls://user:secret@8.8.8.8:443/path",
        "tls://8.8.8.8:443?sni=bank.example&password=x&priority=9&maxbackoff=5s",
        "tls://8.8.8.8:443?key=" + "00" * 32,
        "tls://8.8.8.8:443#fragment",
    ],
)
def test_only_scheme_address_and_port_are_used_and_the_key_is_pinned(uri: str) -> None:
    assert offered(uri) == ["tls://8.8.8.8:443" + PINNED]


def test_number_is_bounded_and_repetitions_are_dialed_once() -> None:
    assert len(offered(*(f"tcp://8.8.8.8:{port}" for port in range(1, 100_000)))) == MOST_URIS
    assert offered(*["tcp://[2a01::1]:1", "tcp://[2A01:0::1]:1"] * 3) == ["tcp://[2a01::1]:1" + PINNED]


@pytest.mark.parametrize(
    "info", [{}, {"direct": None}, {"direct": "tcp://8.8.8.8:1"}, {"direct": {"tcp://8.8.8.8:1": 1}}]
)
def test_other_shapes_offer_nothing(info: dict[str, Any]) -> None:
    assert published_by(KEY, info, POLICY) == []


def test_networks_widen_the_reach_but_not_to_the_overlay() -> None:
    everything = AddressPolicy(POLICY.schemes, (ip_network("0.0.0.0/0"), ip_network("::/0")))
    near = AddressPolicy(POLICY.schemes, (ip_network("192.168.7.0/24"),))
    assert near.admits(ip_address("192.168.7.9"))
    assert near.admits(ip_address("8.8.8.8"))
    assert not near.admits(ip_address("192.168.8.9"))
    for address in ("10.0.0.1", "127.0.0.1", "::1", "fd00::1"):
        assert everything.admits(ip_address(address))
    for address in ("200::1", "3ff::1", "ff02::1", "224.0.0.1", "::", "0.0.0.0"):
        assert not everything.admits(ip_address(address))


LOCAL: list[IPAddress] = [
    IPv4Address("127.0.0.1"), IPv4Address("8.8.8.8"),
    IPv6Address("2a01::1"), IPv6Address("202::1"), IPv6Address("fe80::1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("listener", "uris"),
    [
        ("tls://8.8.4.4:5", ["tls://8.8.4.4:5"]),
        ("tls://8.8.4.4:5?priority=3", ["tls://8.8.4.4:5"]),
        ("tls://[::]:5", ["tls://8.8.8.8:5", "tls://[2a01::1]:5"]),
        ("tls://:5", ["tls://8.8.8.8:5", "tls://[2a01::1]:5"]),
        ("tcp://0.0.0.0:5", ["tcp://8.8.8.8:5"]),
        ("tls://8.8.4.4:5?password=x", []),
        ("tls://192.168.0.1:5", []),
        ("tls://[fe80::1%25eth0]:5", []),
        ("tls://localhost:5", []),
        ("ws://8.8.4.4:5", []),
        ("unix:///run/ygg.sock", []),
    ],
)
def test_what_a_listener_is_published_as(listener: str, uris: list[str]) -> None:
    assert own_uris([], [PeerURL.parse(listener)], POLICY, lambda: LOCAL) == uris


def test_stated_uris_come_first_and_the_whole_is_bounded() -> None:
    listeners = [PeerURL.parse(f"tls://8.8.4.4:{port}") for port in range(1, 100)]
    uris = own_uris(["tls://9.9.9.9:7?priority=1", "tls://8.8.4.4:1"], listeners, POLICY, lambda: LOCAL)
    assert uris[:3] == ["tls://9.9.9.9:7", "tls://8.8.4.4:1", "tls://8.8.4.4:2"]
    assert len(uris) == MOST_URIS
