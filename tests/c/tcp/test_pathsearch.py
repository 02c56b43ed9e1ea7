"""Searching for the size that a path takes, where it tells nothing: found out in the end, and nothing is lost by it."""

import pytest

from tests.c.stackkit import B, StackPair
from tests.c.tcp.scripted import scripts
from ygg.simulation import Conditions

test_scripts = scripts("28-path-search")


class Path:
    """A connection over a wire on which packets above a size vanish."""

    def __init__(self, mtu: int, takes: int, conditions: Conditions) -> None:
        self.switch = StackPair(mtu, conditions, seed=(mtu, takes))
        self.takes = mtu
        self.client, self.server = self.switch.pair()
        self.vanished = 0
        self.switch.passes = self.passes
        self.takes = takes
        self.received = bytearray()

    def passes(self, packet: bytes) -> bool:
        self.vanished += len(packet) > self.takes
        return len(packet) <= self.takes

    def transfer(self, data: bytes, seconds: int) -> None:
        """Send data, which arrive within a time."""
        self.received.clear()
        self.client.write(data)

        def done() -> bool:
            while piece := self.server.recv():
                self.received.extend(piece)
            return len(self.received) == len(data)

        self.switch.run(seconds, done)
        assert bytes(self.received) == data

    def close(self) -> None:
        self.switch.close()
        self.__dict__.clear()


@pytest.fixture
def make():
    made: list[Path] = []

    def maker(mtu: int, takes: int, conditions: Conditions | None = None) -> Path:
        made.append(Path(mtu, takes, conditions or Conditions(delay=0.02)))
        return made[-1]

    yield maker
    while made:
        made.pop().close()


# What is found is the largest of the usual sizes that passes.
@pytest.mark.parametrize(("mtu", "takes", "found"), [
    (1500, 1280, 1280), (1500, 1420, 1420), (1500, 1491, 1480), (9000, 1500, 1500), (9000, 8999, 8192),
    (65535, 1400, 1400), (65535, 9000, 9000), (65535, 40000, 32768),
])  # fmt: skip
def test_a_black_hole_is_noticed_and_the_largest_size_found(make, mtu, takes, found):
    path = make(mtu, takes)
    path.transfer(path.switch.random.randbytes(6_000_000), 60)
    assert path.client.info()["path_mtu"] == path.switch.a.mtu_to(B) == found
    # Those that gave the hole away, and what the search cost: two of each size that is tried.
    assert path.vanished <= 10 * (65535 // mtu) + 10 + 2 * 5 + 40


@pytest.mark.parametrize("mtu", [1500, 9000, 65535])
def test_an_outage_is_no_black_hole_for_long(make, mtu):
    path = make(mtu, 0)
    path.client.write(bytes(1_000_000))
    path.switch.run(8)
    assert path.client.info()["path_mtu"] == 1280
    path.takes = mtu
    path.switch.run(20)
    path.client.write(bytes(3_000_000))
    path.switch.run(5)
    assert path.client.info()["path_mtu"] == mtu
    assert path.switch.a.mtu_to(B) == mtu


def test_a_path_that_takes_more_again_is_used_after_ten_minutes(make):
    path = make(9000, 1500)
    path.transfer(path.switch.random.randbytes(3_000_000), 60)
    assert path.client.info()["path_mtu"] == 1500
    path.takes = 9000
    path.transfer(path.switch.random.randbytes(1_000_000), 60)
    assert path.client.info()["path_mtu"] == 1500
    path.switch.run(601)
    path.transfer(path.switch.random.randbytes(3_000_000), 60)
    assert path.client.info()["path_mtu"] == 9000


def test_what_one_connection_has_found_others_begin_with(make):
    path = make(9000, 1500)
    path.transfer(path.switch.random.randbytes(3_000_000), 60)
    vanished = path.vanished
    path.client, path.server = path.switch.pair()
    path.transfer(path.switch.random.randbytes(1_000_000), 10)
    assert path.vanished == vanished


@pytest.mark.parametrize("seed", range(4))
def test_random_loss_does_not_end_the_search_below(make, seed):
    """A segment of the search may be lost like any other: that is no proof."""
    path = make(9000, 4096, Conditions(delay=0.01, loss=0.01))
    path.switch.random.seed(seed)
    path.transfer(path.switch.random.randbytes(8_000_000), 300)
    assert path.client.info()["path_mtu"] in (2048, 4096)
