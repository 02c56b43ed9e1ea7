"""ygg.network.loopback.ports: who serves an address."""

from ipaddress import ip_address

import pytest

from ygg.errors import AddressInUse
from ygg.network.loopback.ports import EPHEMERAL, Ports


def test_the_owner_of_the_family_wins_over_the_owner_of_both() -> None:
    ports: Ports[str] = Ports()
    ports.bind(ip_address("::"), 1, "both")
    ports.bind(ip_address("127.0.0.1"), 2, "one")
    assert ports.find(ip_address("127.0.0.1"), 1) == ports.find(ip_address("::1"), 1) == "both"
    assert ports.find(ip_address("127.0.0.1"), 2) == "one"
    assert ports.find(ip_address("127.0.0.2"), 2) is None
    ports.release(ip_address("::"), 1)
    assert ports.find(ip_address("::1"), 1) is None


def test_free_ports_go_round_and_run_out() -> None:
    ports: Ports[None] = Ports()
    address = ip_address("::1")
    given = {ports.bind(address, 0, None) for _ in EPHEMERAL}
    assert given == set(EPHEMERAL)
    with pytest.raises(AddressInUse):
        ports.bind(address, 0, None)
    ports.release(address, 40000)
    assert ports.bind(address, 0, None) == 40000


def test_a_free_port_is_free_in_both_tables() -> None:
    """As in the kernel, no connection leaves from the port of a listener."""
    address = ip_address("::1")
    listeners: Ports[None] = Ports()
    sources: Ports[None] = Ports()
    taken = {listeners.bind(address, 0, None, beside=sources) for _ in range(3)}
    assert sources.bind(address, 0, None, beside=listeners) not in taken
