"""The packet pool, through a stack that takes packets from it and a tap that holds them."""

import pytest

from ygg_c.base import live
from ygg_c.stack.netstack import NetStack
from ygg_c.testing.packets import PacketTap

ADDRESS, REMOTE = bytes.fromhex("02" + "00" * 14 + "01"), bytes.fromhex("02" + "00" * 14 + "02")
# One for each size class of the pool, and both sides of the borders between them.
SIZES = [0, 1, 1487, 1488, 1489, 9167, 9168, 9169, 65487]


def send(size: int, count: int = 1) -> tuple[NetStack, PacketTap]:
    """Return a stack that has sent datagrams of `size` bytes, and the tap that holds them."""
    stack = NetStack([ADDRESS])
    tap = PacketTap(stack)
    udp = stack.udp(None, 0)
    for number in range(count):
        assert udp.send(bytes([number % 256]) * size, REMOTE, 9)
    tap.poll(0)
    return stack, tap


@pytest.mark.parametrize("size", SIZES)
def test_every_size_fits(size: int) -> None:
    """Packets of every size class hold what was written, and go back to the pool."""
    before = live.counts()["packet"]
    stack, tap = send(size, 3)
    assert live.counts()["packet"] == before + 3
    assert [packet[48:] for packet in tap.take()] == [bytes([number]) * size for number in range(3)]
    assert live.counts()["packet"] == before
    stack.close()


@pytest.mark.parametrize("size", SIZES)
def test_buffers_used_again_are_clean(size: int) -> None:
    """A packet from a buffer that held a longer one has its own length and content."""
    longer, longer_tap = send(65487)
    longer_tap.take()
    stack, tap = send(size)
    assert [len(packet) for packet in tap.take()] == [48 + size]
    longer.close()
    stack.close()


def test_held_packets_go_with_their_holder() -> None:
    """A queue that is dropped gives back what it held."""
    before = live.counts()["packet"]
    stack, tap = send(100, 50)
    assert live.counts()["packet"] == before + 50
    tap.detach()
    del tap
    assert live.counts()["packet"] == before
    stack.close()


def test_more_than_the_pool_keeps() -> None:
    """Far more packets than are kept for reuse can be out at once, and all come back."""
    before = live.counts()["packet"]
    stacks = [send(65487, 4) for _ in range(100)]
    assert live.counts()["packet"] == before + 400
    assert sum(len(tap.take()) for _, tap in stacks) == 400
    assert live.counts()["packet"] == before
    for stack, _ in stacks:
        stack.close()
