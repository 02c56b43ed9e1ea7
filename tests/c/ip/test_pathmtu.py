"""What is known of the MTU of paths: who may tell, for how long it counts, and how much of it is kept."""

import struct

import pytest

from tests.c.stackkit import SECOND, A, B, icmp_packet, make_stack, udp_packet


def node(number: int, host: int = 1) -> bytes:
    """Return an address of another node: each has a /64."""
    return struct.pack(">BIHBQ", 2, number + 1, 0, 0, host)


class Paths:
    """A stack of MTU 9000 with a socket that never sends fragments, so that its refusals show what is known."""

    def __init__(self) -> None:
        self.stack, self.tap = make_stack(A, 9000)
        self.socket = self.stack.udp(None, 500)
        self.socket.dont_fragment = True
        self.now = SECOND

    def tell(self, mtu: int, target: bytes, source: bytes | None = None) -> None:
        """Have a Packet Too Big arrive about a datagram to `target`, from there or from `source`."""
        quoted = udp_packet(A, 500, target, 9, bytes(1000))
        self.tap.give([icmp_packet(source or target, A, 2, 0, struct.pack(">I", mtu) + quoted)], self.now)

    def takes(self, target: bytes, size: int) -> bool:
        """Whether a packet of `size` bytes may be sent to an address."""
        self.tap.poll(self.now)
        try:
            self.socket.send(bytes(size - 48), target, 9)
        except OSError:
            return False
        self.tap.take()
        return True

    def mtu(self, target: bytes) -> int:
        """Return what is known, to which calls and refusals agree."""
        self.tap.poll(self.now)
        known = self.stack.mtu_to(target)
        assert self.takes(target, known)
        assert not self.takes(target, known + 1)
        return known

    def close(self) -> None:
        self.stack.close()
        self.tap.detach()
        self.__dict__.clear()


@pytest.fixture
def paths():
    paths = Paths()
    yield paths
    paths.close()


def test_the_smallest_told_counts_and_never_less_than_1280(paths):
    assert paths.mtu(node(1)) == 9000
    for told, known in ((3000, 3000), (5000, 3000), (2000, 2000), (20, 1280), (70000, 1280)):
        paths.tell(told, node(1))
        assert paths.mtu(node(1)) == known
    assert paths.mtu(node(2)) == 9000


def test_only_the_node_it_is_for_has_a_say(paths):
    paths.tell(2000, node(1), source=node(2))
    assert paths.mtu(node(1)) == 9000
    paths.tell(2000, node(1, host=7), source=node(1))
    assert paths.mtu(node(1, host=7)) == 2000
    assert paths.stack.counters()["icmp_ignored"] == 1


def test_it_is_forgotten_after_ten_minutes_without_confirmation(paths):
    paths.tell(2000, node(1))
    paths.now += 599 * SECOND
    assert paths.mtu(node(1)) == 2000
    paths.tell(2000, node(1))
    paths.now += 599 * SECOND
    assert paths.mtu(node(1)) == 2000
    paths.tell(9000, node(1))           # says nothing about smaller ones
    paths.now += 2 * SECOND
    assert paths.mtu(node(1)) == 9000


def test_a_node_takes_one_place_whatever_addresses_it_has(paths):
    paths.tell(2000, node(1))
    for host in range(3000):
        paths.tell(1500, node(2, host))
    assert not paths.takes(node(1), 2001)


def test_of_too_many_nodes_the_oldest_is_forgotten_alone(paths):
    for number in range(1024):
        paths.tell(2000, node(number))
    paths.tell(2000, node(5000))
    assert paths.mtu(node(5000)) == 2000
    assert [number for number in range(1024) if paths.takes(node(number), 2001)] == [0]


def test_an_address_has_16_bytes(paths):
    with pytest.raises(ValueError, match="16"):
        paths.stack.mtu_to(B[:8])
