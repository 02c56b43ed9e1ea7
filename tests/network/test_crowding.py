"""ygg.network.crowding: which hosts are one place."""

import pytest

from ygg.network.crowding import host_of, most_crowded, networks_of


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("198.51.100.7", "198.51.100.7", 3),
        ("198.51.100.7", "198.51.100.8", 2),
        ("198.51.100.7", "198.51.101.7", 1),
        ("198.51.100.7", "198.52.100.7", 0),
        ("198.51.100.7", "::ffff:198.51.100.7", 3),
        ("2001:db8::1", "2001:db8::2", 3),
        ("2001:db8::1", "2001:db8:0:1::1", 2),
        ("2001:db8::1", "2001:db8:1::1", 1),
        ("2001:db8::1", "2001:db9::1", 0),
        ("fe80::1%eth0", "fe80::2%eth0", 1),
        ("fe80::1%eth0", "fe80::1%eth1", 0),
    ],
)
def test_networks_are_shared_by_those_near_each_other(one: str, other: str, shared: int) -> None:
    assert len(set(networks_of(one)) & set(networks_of(other))) == shared


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "/run/ygg.sock#4", "", "200::1", "a.example"]
)
def test_some_addresses_tell_nothing(host: str) -> None:
    assert networks_of(host) == ()


@pytest.mark.parametrize(
    ("remote", "host"),
    [
        ("198.51.100.7:9", "198.51.100.7"),
        ("[fe80::1%eth0]:9", "fe80::1%eth0"),
        ("/run/x#1", "/run/x#1"),
        ("client", "client"),
    ],
)
def test_hosts_of_remotes(remote: str, host: str) -> None:
    assert host_of(remote) == host


def test_the_first_of_the_fullest_place_is_found() -> None:
    hosts = ["203.0.113.1", "198.51.100.7", "203.0.113.2", "198.51.100.7", "", ""]
    assert most_crowded([(number, networks_of(host)) for number, host in enumerate(hosts)]) == 1
