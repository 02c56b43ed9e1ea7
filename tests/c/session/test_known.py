"""ygg_c.session.known: what is said in sessions, and how they end."""

import pytest

from tests.c.session_pair import End, Pair
from ygg_c.testing.sessions import SessionTap


def test_inits_are_repeated_ever_more_rarely() -> None:
    """While nothing answers, an Init is sent again after 1, 2, 4 … 32 s, twice with the stamp it had."""
    pair = Pair()
    sent = []
    for second in range(130):
        for _ in range(3):
            sent += [(second, message[0]) for message in pair.send(pair.a, b"anybody?")]
        pair.advance(1)
    assert sent == [(second, 1) for second in (0, 1, 3, 7, 15, 31, 63, 95, 127)]


def test_sessions_are_forgotten_after_a_minute() -> None:
    """A session, and an opening, live for 60 s after their last use."""
    pair = Pair()
    pair.open()
    pair.advance(59)
    assert pair.a.table.ratchet(pair.b.key) is not None
    pair.advance(1)
    assert pair.a.table.ratchet(pair.b.key) is None
    pair.send(pair.a, b"x")
    pair.advance(59)
    assert pair.a.table.counters()["expired"] == 1
    pair.advance(1)
    assert pair.a.table.counters()["expired"] == 2
    assert pair.a.table.tick(int(pair.now * 1e9), 1_700_000_200) is None


@pytest.mark.parametrize("answers", [False, True])
def test_the_idlest_session_gives_way(answers: bool) -> None:
    """At the limit a new session takes the place of the idlest; those we have sent in are counted apart."""
    hub = End(9)
    hub.table.session_limit, hub.table.quiet_limit = (2, 100) if answers else (100, 2)
    ends = [End(number) for number in (1, 2, 3)]
    for end in ends:
        pair = Pair(end, hub)
        assert pair.exchange(end, b"hello") == [b"hello"]
        if answers:
            assert pair.exchange(hub, b"hello") == [b"hello"]
    assert [state["key"] for state in hub.table.states()] == sorted(end.key for end in ends[1:])
    assert hub.table.counters()["evicted"] == 1


def test_groups_do_not_meet() -> None:
    """Nodes with different group passwords never get a session; with the same they do."""
    for groups, arrived in (((b"one", b"two"), []), ((b"one", b""), []), ((b"one", b"one"), [b"x"])):
        pair = Pair(End(1, groups[0]), End(2, groups[1]))
        assert pair.exchange(pair.a, b"x") == arrived


def test_a_key_that_is_no_point_gets_nothing() -> None:
    """Payloads for an impossible key wait and are forgotten."""
    end = End(1)
    end.table.tick(0, 1_700_000_000)
    end.table.write(b"\xff" * 32, b"x")
    assert end.table.messages() == []
    assert end.table.counters()["unsealed"] == 1
    end.table.tick(60_000_000_000, 1_700_000_060)
    assert end.table.counters()["expired"] == 1


@pytest.mark.parametrize("arguments", [(b"short",), (bytes(63),)])
def test_bad_secret(arguments: tuple[bytes]) -> None:
    """A secret has 64 bytes."""
    with pytest.raises(ValueError, match="64 bytes"):
        SessionTap(*arguments)
