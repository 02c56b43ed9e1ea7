"""The packet queue: order, fairness, what is dropped and what is not."""

from ygg_c.testing.queues import QueueTap

MS = 1_000_000
LIMIT = 4 << 20


def key(number: int) -> bytes:
    """Return a 32-byte key."""
    return number.to_bytes(2, "little") * 16


def drain(queue: QueueTap, now: int = 0) -> list[bytes]:
    """Take everything."""
    packets = []
    while (packet := queue.get(now)) is not None:
        packets.append(packet)
    return packets


def test_a_flow_keeps_its_order() -> None:
    """Packets of one flow leave as they came."""
    queue = QueueTap(1)
    packets = [bytes([number]) * 100 for number in range(50)]
    for packet in packets:
        queue.put(packet, key(1), key(2))
    assert (queue.count, queue.bytes, queue.own_bytes) == (50, 5000, 0)
    assert drain(queue) == packets
    assert (queue.count, queue.bytes) == (0, 0)


def test_a_thin_flow_does_not_wait_behind_a_fat_one() -> None:
    """A lone packet leaves within one round, though a megabyte of another flow came first."""
    queue = QueueTap(1)
    for _ in range(16):
        queue.put(bytes(65536), key(1), key(2))
    queue.put(b"thin", key(3), key(4))
    assert b"thin" in [queue.get() for _ in range(2)]


def test_flows_share_by_bytes() -> None:
    """A flow of jumbo packets and one of small packets send equal amounts while both wait."""
    queue = QueueTap(1)
    for _ in range(30):
        queue.put(b"j" * 65536, key(1), key(2))
    for _ in range(1000):
        queue.put(b"s" * 1024, key(3), key(4))
    sent = {"j": 0, "s": 0}
    while min(sent.values()) < 900_000:
        packet = queue.get()
        assert packet is not None
        sent[chr(packet[0])] += len(packet)
    assert abs(sent["j"] - sent["s"]) <= 2 * 65536


def test_a_flow_that_comes_back_at_once_is_not_new_again() -> None:
    """Who has one large packet at a time, and the next once it was found empty, has a fair share all the same."""
    queue = QueueTap(1)
    sent = {"e": 0, "b": 0}
    for _ in range(1000):
        queue.put(b"b" * 1000, key(1), key(2))
    back = 1
    for _ in range(600):
        if back == 1:
            queue.put(b"e" * 60_000, key(3), key(4))
        back -= 1
        packet = queue.get()
        assert packet is not None
        sent[chr(packet[0])] += len(packet)
        if packet[:1] == b"e":
            back = 2
    assert sent["e"] <= 1.1 * sent["b"] + 60_000
    assert sent["b"] <= 1.1 * sent["e"] + 60_000


def test_the_fattest_destination_pays_with_its_oldest_packet() -> None:
    """Above the limit the oldest packet of the destination with most bytes goes."""
    queue = QueueTap(1)
    queue.put(b"thin", key(1), key(2))
    for number in range(65):
        queue.put(bytes([number]) * 65536, key(3), key(4))
    assert queue.bytes <= LIMIT
    assert queue.dropped == 2
    left = drain(queue)
    assert b"thin" in left
    assert [packet[0] for packet in left if packet != b"thin"] == list(range(2, 65))


def test_invented_sources_do_not_add_up() -> None:
    """Traffic of many sources to one destination counts as one when something must go."""
    queue = QueueTap(1)
    for number in range(8):
        for _ in range(6):
            queue.put(b"x" * 65536, key(100 + number), key(1))
    for _ in range(16):
        queue.put(b"y" * 65536, key(2), key(3))
    queue.put(b"x" * 65536, key(1), key(1))
    left = drain(queue)
    assert sum(packet[:1] == b"y" for packet in left) == 16


def test_own_packets_have_their_own_limit() -> None:
    """Transit cannot push out this node's packets, nor they it."""
    queue = QueueTap(1)
    for _ in range(60):
        queue.put(b"o" * 65536, key(1), key(2), own=True)
        queue.put(b"t" * 65536, key(3), key(2))
    assert queue.dropped == 0
    for _ in range(10):
        queue.put(b"o" * 65536, key(1), key(2), own=True)
    assert queue.dropped == 6
    assert queue.own_bytes == LIMIT
    left = drain(queue)
    assert sum(packet[:1] == b"t" for packet in left) == 60


def test_a_standing_queue_is_thinned() -> None:
    """Packets that have waited over the target for an interval are dropped, more often as it goes on."""
    queue = QueueTap(1)
    drops = []
    for step in range(600):
        queue.put(bytes(1000), key(1), key(2), now=step * MS)
        queue.put(bytes(1000), key(1), key(2), now=step * MS)
        queue.get(step * MS)
        drops.append(queue.dropped)
    assert drops[100] == 0
    assert 0 < drops[300] < drops[599] - drops[300]


def test_a_short_wait_costs_nothing() -> None:
    """A burst that drains in time is left alone."""
    queue = QueueTap(1)
    for step in range(1000):
        if step % 20 == 0:
            for _ in range(20):
                queue.put(bytes(1000), key(1), key(2), now=step * MS // 4)
        assert queue.get(step * MS // 4) is not None
    assert queue.dropped == 0


def test_own_packets_are_not_dropped_for_age() -> None:
    """Who sends them is told when to pause instead, and while credit is obeyed no more than 256 KiB wait."""
    queue = QueueTap(1)
    for step in range(250):
        queue.put(bytes(1000), key(1), key(2), own=True, now=step * MS)
        queue.put(bytes(1000), key(1), key(2), own=True, now=step * MS)
        queue.get(step * MS)
    assert queue.dropped == 0


def test_own_packets_beyond_credit_are_thinned() -> None:
    """Who sends them was not paused: they are treated as those of others, until no more wait than credit allows."""
    queue = QueueTap(1)
    for _ in range(1000):
        queue.put(bytes(1000), key(1), key(2), own=True)
    for step in range(20000):
        queue.put(bytes(1000), key(1), key(2), own=True, now=step * MS)
        queue.get(step * MS)
    assert queue.dropped > 700
    assert 200_000 < queue.own_bytes <= 263_000


def test_the_last_packet_of_a_flow_is_kept() -> None:
    """However old, one packet alone is sent."""
    queue = QueueTap(1)
    for second in range(10):
        queue.put(b"old", key(1), key(2), now=second * 1000 * MS)
        assert queue.get((second * 1000 + 900) * MS) == b"old"
    assert queue.dropped == 0
