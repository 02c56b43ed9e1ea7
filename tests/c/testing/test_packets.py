"""The lower side of a stack as a tap has it, and what it asks of that."""

from ygg_c.stack.netstack import NetStack
from ygg_c.testing.packets import PacketTap

ADDRESS, REMOTE = bytes.fromhex("02" + "00" * 14 + "01"), bytes.fromhex("02" + "00" * 14 + "02")


def joined(limit: int = 4096) -> tuple[NetStack, PacketTap]:
    """Return a stack and the tap below it."""
    stack = NetStack([ADDRESS])
    return stack, PacketTap(stack, limit)


def test_packets_leave_in_order() -> None:
    """What the upper side sends is taken once, oldest first."""
    stack, tap = joined()
    udp = stack.udp(None, 0)
    for text in (b"one", b"two", b"three"):
        assert udp.send(text, REMOTE, 9)
    tap.poll(0)
    assert [packet[48:] for packet in tap.take()] == [b"one", b"two", b"three"]
    assert tap.take() == []
    stack.close()


def test_packets_beyond_the_limit_are_counted() -> None:
    """A tap that nobody empties keeps a bounded number of packets."""
    stack, tap = joined(limit=2)
    udp = stack.udp(None, 0)
    for _ in range(5):
        udp.send(b"x", REMOTE, 9)
    tap.poll(0)
    assert len(tap.take()) == 2
    assert tap.dropped == 3
    stack.close()


def test_packets_arrive() -> None:
    """What one tap takes, another gives to its stack."""
    stack, tap = joined()
    other = NetStack([REMOTE])
    other_tap = PacketTap(other)
    receiver = other.udp(None, 9)
    stack.udp(None, 7).send(b"hello", REMOTE, 9)
    tap.poll(0)
    other_tap.give(tap.take(), 0)
    assert receiver.recv_many() == [(b"hello", (ADDRESS, 7))]
    stack.close()
    other.close()


def test_work_is_announced() -> None:
    """The lower side is asked for a turn when a call left work behind; an exception there stays there."""
    stack, tap = joined()
    asked = []
    tap.on_turn = lambda: asked.append(1)
    stack.connect(REMOTE, 80)
    assert asked == [1]

    def broken() -> None:
        raise ValueError

    tap.on_turn = broken
    tap.poll(0)
    stack.connect(REMOTE, 80)
    assert tap.on_turn is None
    stack.close()


def test_no_credit_holds_datagrams_back() -> None:
    """An upper side without credit is paused, not dropped, and goes on when credit comes."""
    stack, tap = joined()
    udp = stack.udp(None, 0)
    tap.give_credit(0, 0)
    assert not udp.send(b"x", REMOTE, 9)
    told = []
    udp.on_event = told.append
    tap.give_credit(1 << 16, 1)
    tap.poll(1)
    assert told
    assert udp.send(b"x", REMOTE, 9)
    stack.close()


def test_deadlines_are_told() -> None:
    """poll returns when it wants to be called again: never, or when a timer is due."""
    stack, tap = joined()
    assert tap.poll(0) is None
    stack.connect(REMOTE, 80)
    assert tap.poll(5) is not None
    stack.close()


def test_parted_sides_are_harmless() -> None:
    """Once detached, what the upper side sends goes nowhere, and detaching again does nothing."""
    stack, tap = joined()
    tap.detach()
    tap.detach()
    stack.connect(REMOTE, 80)
    assert tap.take() == []
    stack.close()


def test_taps_carry_packets_to_one_another_as_one_batch() -> None:
    """They arrive in order; where the other side has parted they are dropped."""
    stack, tap = joined()
    other = NetStack([REMOTE])
    other_tap = PacketTap(other)
    receiver = other.udp(None, 9)
    sender = stack.udp(None, 7)
    for text in (b"one", b"two", b"three"):
        sender.send(text, REMOTE, 9)
    tap.poll(0)
    assert tap.carry(other_tap, 0) == 3
    assert [data for data, _ in receiver.recv_many()] == [b"one", b"two", b"three"]
    assert (tap.carry(other_tap, 0), tap.take()) == (0, [])
    other_tap.detach()
    sender.send(b"four", REMOTE, 9)
    tap.poll(0)
    assert tap.carry(other_tap, 0) == 1
    stack.close()
    other.close()


def test_carrying_gives_room_for_more() -> None:
    """Datagrams that found the tap full leave once it was emptied."""
    stack, tap = joined()
    other_tap = PacketTap(NetStack([REMOTE]))
    tap.credit_bytes = 1 << 17
    udp = stack.udp(None, 0)
    sent = 0
    while udp.send(bytes(60000), REMOTE, 9):
        sent += 1
        tap.poll(sent)
    assert sent < 10
    tap.carry(other_tap, sent)
    assert udp.send(bytes(60000), REMOTE, 9)
    stack.close()
