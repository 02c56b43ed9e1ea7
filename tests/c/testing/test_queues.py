"""The packet queue of a link as Python has it."""

import pytest

from ygg_c.testing.queues import QueueTap


def test_packets_are_bytes() -> None:
    queue = QueueTap(1)
    assert queue.get() is None
    queue.put(b"one", bytes(32), bytes(32))
    queue.put(b"", bytes(32), bytes(32), own=True)
    assert (queue.count, queue.bytes) == (2, 3)
    assert {queue.get(), queue.get()} == {b"one", b""}


@pytest.mark.parametrize("keys", [(bytes(31), bytes(32)), (bytes(32), bytes(33))])
def test_keys_are_checked(keys: tuple[bytes, bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        QueueTap(1).put(b"x", *keys)
