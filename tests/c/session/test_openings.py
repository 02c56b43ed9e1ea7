"""ygg_c.session.openings: sessions that wait for the remote's keys, and the payloads that wait for them."""

from tests.c.session_pair import START, End, Pair
from ygg.testing import secret_key
from ygg_c.base.sodium import SeededRandom
from ygg_c.testing.sessions import SessionTap


def test_payloads_wait_in_order() -> None:
    """Payloads for a key without a session wait until it is open, and leave in the order in which they came."""
    pair = Pair()
    first = pair.send(pair.a, b"0")
    for number in range(1, 10):
        assert pair.send(pair.a, b"%d" % number) == []
    for message in pair.give(pair.b, *first):
        pair.give(pair.b, *pair.give(pair.a, message))
    assert pair.arrived(pair.b) == [b"%d" % number for number in range(10)]
    assert pair.a.table.counters()["payloads_dropped"] == 0


def test_a_flood_of_strangers_is_bounded() -> None:
    """Invented keys cost a bounded number of answers and a bounded table; who is let down is counted."""
    table = SessionTap(secret_key(1), b"", SeededRandom(1))
    table.tick(0, START)
    table.opening_limit = 50
    source = SeededRandom("strangers")
    for _ in range(3000):
        table.feed(source.bytes(32), b"\x03", 1)
    counters = table.counters()
    # Most invented keys are no points.
    assert 70 <= counters["init_sent"] + counters["unsealed"] <= 100
    assert counters["init_sent"] + counters["stranger_limited"] + counters["unsealed"] == 3000
    assert counters["evicted"] >= 20
    table.close()


def test_waiting_payloads_are_bounded_in_memory() -> None:
    """Payloads for keys that never answer take at most 16 MiB; those that have waited for longest give way."""
    end = End(1)
    end.table.tick(0, START)
    source = SeededRandom("keys")
    for _ in range(200):
        end.table.write(source.bytes(32), bytes(130000))
    assert end.table.counters()["evicted"] == 200 - 16777216 // 130600
    end.table.close()


def test_one_key_cannot_hold_everything() -> None:
    """What waits for one key is bounded, in memory and in time, and leaves room for others."""
    end = End(1)
    end.table.tick(0, START)
    for _ in range(2000):
        end.table.write(bytes(32), b"short")
    assert 1400 < end.table.counters()["payloads_dropped"] < 1600
    other = Pair(End(2), end)
    assert other.exchange(end, b"through") == [b"through"]
    end.table.close()
    pair = Pair()
    pair.send(pair.a, b"old")
    pair.advance(29)
    pair.send(pair.a, b"young")
    pair.advance(2)
    assert pair.exchange(pair.a, b"new") == [b"young", b"new"]
