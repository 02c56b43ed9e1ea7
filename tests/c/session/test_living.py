"""ygg_c.session.living: how long sessions live, what renews them, how a restarted remote returns, what it tells."""

import pytest

from tests.c.session_pair import SECOND, START, End, Pair
from ygg_c.base.sodium import SeededRandom
from ygg_c.testing.sessions import SessionTap


def run(pair: Pair, seconds: float, step: float = 1.0) -> None:
    """Let time pass, with messages carried."""
    for _ in range(int(seconds / step)):
        pair.advance(step)
        pair.settle()


def test_what_is_sent_does_not_keep_a_session() -> None:
    """A session of which nothing is heard for a minute ends, however much is sent in it; then another is asked for."""
    pair = Pair()
    pair.open()
    kinds = []
    for _ in range(70):
        pair.advance(1)
        kinds += [message[0] for message in pair.send(pair.a, b"anybody?")]
    assert kinds[:59] == [3] * 59
    assert kinds[59] == 1
    assert set(kinds[59:]) == {1}


@pytest.mark.parametrize("talker", ["a", "b"])
@pytest.mark.parametrize("back", [5, 300, 3600, 31_536_000])
@pytest.mark.parametrize("gap", [1, 10, 50, 59])
def test_a_restart_with_the_clock_set_back(talker: str, back: int, gap: int) -> None:
    """A node restarted with its clock back is reached again after a minute, though the remote is never silent."""
    pair = Pair()
    pair.open()
    end = pair.a
    other = pair.b
    end.table.close()
    end.table = SessionTap(end.secret, b"", SeededRandom("anew"))

    def advance(seconds: float) -> None:
        pair.now += seconds
        end.table.tick(int(pair.now * SECOND), START - back + int(pair.now))
        other.table.tick(int(pair.now * SECOND), START + int(pair.now))
        pair.settle()

    waited = 0.0
    while waited < 300:
        (other if talker == "b" else end).table.write((end if talker == "b" else other).key, b"are you there?")
        pair.settle()
        if pair.arrived(end if talker == "b" else other):
            break
        for _ in range(gap):
            advance(1)
        waited += gap
    assert waited <= max(60, gap) + 2 * gap + 2


def test_idle_connections_keep_their_session() -> None:
    """While there are connections to a key its session is renewed, by one side, before it lapses; and no longer."""
    pair = Pair()
    pair.open()
    pair.a.table.used = [pair.b.key]
    pair.b.table.used = [pair.a.key]
    before = [end.table.counters()["init_sent"] for end in (pair.a, pair.b)]
    run(pair, 600)
    after = [end.table.counters()["init_sent"] for end in (pair.a, pair.b)]
    sent = sorted(late - early for late, early in zip(after, before, strict=True))
    assert sent[0] == 0
    assert 10 <= sent[1] <= 16
    assert pair.exchange(pair.a, b"at once") == [b"at once"]
    pair.a.table.used = pair.b.table.used = []
    run(pair, 61)
    assert pair.a.table.states() == pair.b.table.states() == []


def test_a_session_with_a_dead_remote_is_not_renewed_for_ever() -> None:
    """Inits to a remote that is gone are few, and ever more rare when the session has ended."""
    pair = Pair()
    pair.open()
    pair.a.table.used = [pair.b.key]
    for _ in range(300):
        pair.advance(1)
    assert [message[0] for message in pair.leaving(pair.a)] == [1] * 6
    assert pair.a.table.states() == []


@pytest.mark.parametrize("first", ["restarted", "other"])
def test_a_restarted_remote_is_told_of(first: str) -> None:
    """A new session in place of one in use is told once, whoever speaks first; the restarted side has but one."""
    pair = Pair()
    pair.open()
    pair.advance(5)
    pair.restart(pair.b)
    pair.exchange(pair.b if first == "restarted" else pair.a, b"x")
    pair.exchange(pair.a, b"y")
    assert pair.a.table.restarts() == [pair.b.key]
    assert pair.b.table.restarts() == []
    assert pair.a.table.counters()["renewed"] == 1


def test_an_idle_connection_finds_out() -> None:
    """A remote that was restarted and says nothing is found when its session is renewed."""
    pair = Pair()
    pair.open()
    pair.a.table.used = [pair.b.key]
    pair.restart(pair.b)
    run(pair, 55)
    assert pair.a.table.restarts() == [pair.b.key]


def inits(pair: Pair) -> int:
    return sum(end.table.counters()["init_sent"] for end in (pair.a, pair.b))


@pytest.mark.parametrize("swap", [False, True])
def test_an_idle_connection_to_a_neighbour_that_is_back_finds_out_at_once(swap: bool) -> None:
    """When the link of a remote has come back, it is asked whether it knows the session."""
    pair = Pair(End(2), End(1)) if swap else Pair()
    pair.open()
    pair.a.table.used = [pair.b.key]
    pair.restart(pair.b)
    run(pair, 5)
    pair.a.table.back(pair.b.key)
    run(pair, 2)
    assert pair.a.table.restarts() == [pair.b.key]


def test_a_lost_question_is_repeated() -> None:
    """Until something is heard of a remote that is back it is asked again, and no longer."""
    pair = Pair()
    pair.open()
    pair.a.table.used = [pair.b.key]
    pair.restart(pair.b)
    run(pair, 5)
    pair.a.table.back(pair.b.key)
    pair.advance(2)
    assert [message[0] for message in pair.leaving(pair.a)] == [1]
    run(pair, 10)
    assert pair.a.table.restarts() == [pair.b.key]
    before = inits(pair)
    run(pair, 30)
    assert inits(pair) == before


def test_a_link_that_comes_and_goes_costs_an_exchange_each_time() -> None:
    """Both ends live on and both see the link come back: one of them asks; without connections none does."""
    pair = Pair()
    pair.open()
    for used, least, most in ((False, 0, 0), (True, 10, 12)):
        pair.a.table.used = [pair.b.key] if used else []
        pair.b.table.used = [pair.a.key] if used else []
        before = inits(pair)
        for _ in range(10):
            pair.exchange(pair.a, b"x")
            pair.exchange(pair.b, b"x")
            pair.a.table.back(pair.b.key)
            pair.b.table.back(pair.a.key)
            run(pair, 5)
        assert least <= inits(pair) - before <= most
        assert pair.a.table.restarts() == pair.b.table.restarts() == []


@pytest.mark.parametrize("away", [70, 200, 600, 3600, 30_000])
def test_an_idle_connection_finds_out_though_its_session_has_lapsed(away: int) -> None:
    """A remote that was away is asked again before it has been back for as long as that, and within 16 minutes."""
    pair = Pair()
    pair.open()
    pair.a.table.used = [pair.b.key]
    for _ in range(away):
        pair.advance(1)
        pair.leaving(pair.a)
    assert pair.a.table.states() == []
    pair.restart(pair.b)
    waited = 0
    while not pair.a.table.restarts():
        run(pair, 1)
        waited += 1
        assert waited < 1000
    assert waited <= min(max(away, 60), 960) + 5


def test_a_neighbour_whose_session_has_lapsed_is_asked_when_it_is_back() -> None:
    """It need not wait for the next question."""
    pair = Pair()
    pair.open()
    pair.a.table.used = [pair.b.key]
    for _ in range(3000):
        pair.advance(1)
        pair.leaving(pair.a)
    pair.restart(pair.b)
    pair.a.table.back(pair.b.key)
    run(pair, 2)
    assert pair.a.table.restarts() == [pair.b.key]


def test_remotes_that_stay_away_are_asked_ever_more_rarely() -> None:
    """In a day some ninety Inits, and none once the connections are gone."""
    pair = Pair()
    pair.open()
    pair.a.table.used = [pair.b.key]
    before = pair.a.table.counters()["init_sent"]
    for _ in range(86400 // 4):
        pair.advance(4)
        pair.leaving(pair.a)
    assert 80 <= pair.a.table.counters()["init_sent"] - before <= 110
    pair.a.table.used = []
    run(pair, 120)
    before = pair.a.table.counters()["init_sent"]
    for _ in range(3000):
        pair.advance(1)
    assert pair.a.table.counters()["init_sent"] == before


def test_very_many_idle_sessions_are_renewed_in_parts() -> None:
    """A turn sends a hundred Inits at most for sessions that are in use, however many have lapsed or are about to."""
    pair = Pair()
    others = [End(fill) for fill in range(3, 203)]
    for end in others:
        there = Pair(pair.a, end)
        there.now = pair.now
        there.exchange(end, b"x")
        there.exchange(pair.a, b"x")
        pair.a.table.payloads()
    pair.a.table.used = [end.key for end in others]
    asked: set[bytes] = set()
    most = 0
    for _ in range(int(200 / 0.05)):
        pair.advance(0.05)
        keys = [key for key, message in pair.a.table.messages() if message[0] == 1]
        most = max(most, len(keys))
        asked.update(keys)
    assert most == 100
    assert len(asked) == len(others)


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("gap", [8, 15, 25])
def test_stale_inits_that_meet_those_of_a_restarted_remote_cost_a_second_or_two(swap: bool, gap: int) -> None:
    """What was asked while nobody was there arrives late, beside what the new process asks; neither end waits long."""
    pair = Pair(End(2), End(1)) if swap else Pair()
    stale = []
    for _ in range(4):
        stale += pair.send(pair.a, b"anybody?")
        pair.advance(1)
    pair.advance(gap)
    answer = pair.give(pair.a, *pair.send(pair.b, b"hello"))
    answer_to_stale = pair.give(pair.b, *stale)
    pair.give(pair.a, *answer_to_stale)
    pair.give(pair.b, *answer)
    pair.arrived(pair.a), pair.arrived(pair.b)
    waited = 0
    while not (pair.exchange(pair.a, b"there") and pair.exchange(pair.b, b"back")):
        waited += 1
        assert waited < 60
        pair.advance(1)
    assert waited <= 2


def test_a_session_that_lapsed_is_remembered() -> None:
    """A new session with a key that had one within a day is told of; with one that had it before that it is not."""
    pair = Pair()
    pair.open()
    for hours in (0, 1, 23):
        run(pair, 100)
        pair.advance(hours * 3600)
        assert pair.exchange(pair.b, b"again") == [b"again"]
        assert pair.a.table.restarts() == [pair.b.key]
        pair.exchange(pair.a, b"used")
    run(pair, 100)
    pair.advance(25 * 3600)
    assert pair.exchange(pair.b, b"again") == [b"again"]
    assert pair.a.table.restarts() == []


def test_nobody_else_makes_us_tell() -> None:
    """Repeated, old and forged handshakes, those of the same life of a remote, and those of strangers tell nothing."""
    pair = Pair()
    inits = pair.send(pair.b, b"x")
    pair.give(pair.b, *pair.give(pair.a, *inits))
    for _ in range(20):
        pair.advance(3)
        pair.give(pair.a, *inits)                               # old
        pair.give(pair.a, b"\x01" + bytes(192))                 # forged
        pair.give(pair.b, *pair.give(pair.a, b"\x03\x70\x70\x01" + bytes(60)))      # makes both repeat what they have
        pair.exchange(pair.a, b"x")
        pair.exchange(pair.b, b"x")
    stranger = Pair(End(3), pair.a)
    assert stranger.exchange(stranger.a, b"new here") == [b"new here"]
    assert pair.a.table.restarts() == pair.b.table.restarts() == []


def test_a_remote_that_restarts_all_the_time_is_told_of_now_and_then() -> None:
    """However often a remote makes new sessions, that is told once in five seconds."""
    pair = Pair()
    pair.open()
    told = 0
    for _ in range(60):
        pair.advance(1)
        pair.restart(pair.b)
        pair.exchange(pair.b, b"back again")
        told += len(pair.a.table.restarts())
    assert 10 <= told <= 13


def test_a_lost_init_is_repeated_while_a_payload_waits() -> None:
    """One who sends a single payload need not send another: the Init goes out again, ever later, for half a minute."""
    pair = Pair()
    assert [message[0] for message in pair.send(pair.a, b"once")] == [1]
    seconds = []
    for second in range(1, 60):
        pair.advance(1)
        seconds += [second] * len(pair.leaving(pair.a))
    assert seconds == [1, 3, 7, 15]
    pair = Pair()
    pair.send(pair.a, b"once")
    pair.advance(1)
    pair.settle()
    assert pair.arrived(pair.b) == [b"once"]


def test_many_lost_inits_are_repeated_in_parts() -> None:
    """However many sessions are waited for, a turn repeats a hundred Inits at most; the others follow soon."""
    pair = Pair()
    for number in range(350):
        pair.a.table.write(SeededRandom(number).bytes(32), b"once")
    pair.leaving(pair.a)
    pair.advance(1)
    parts = [len(pair.leaving(pair.a))]
    for _ in range(5):
        pair.advance(0.1)
        parts.append(len(pair.leaving(pair.a)))
    assert max(parts) <= 100
    assert sum(parts) + pair.a.table.counters()["unsealed"] // 2 == 350


@pytest.mark.parametrize("gap", [1, 2, 5, 30])
def test_replayed_packets_of_old_keys_cost_a_few_handshakes_a_minute(gap: int) -> None:
    """Someone who replays old packets all the time makes both ends send Inits now and then, and nothing is lost."""
    pair = Pair()
    recorded = []
    for _ in range(130):
        pair.advance(1)
        recorded += pair.send(pair.b, b"x")
        pair.give(pair.b, *pair.give(pair.a, recorded[-1]))
        pair.exchange(pair.a, b"x")
    old = [message for message in recorded if message[0] == 3][:20]
    pair.arrived(pair.a)
    before = sum(end.table.counters()[name] for end in (pair.a, pair.b) for name in ("init_sent", "ack_sent"))
    for second in range(600):
        pair.advance(1)
        pair.give(pair.a, old[second % len(old)])
        pair.settle()
        if second % gap == 0:
            assert pair.exchange(pair.a, b"x") == [b"x"]
            assert pair.exchange(pair.b, b"x") == [b"x"]
    after = sum(end.table.counters()[name] for end in (pair.a, pair.b) for name in ("init_sent", "ack_sent"))
    assert pair.a.table.counters()["unknown_keys"] >= 500
    assert 5 <= after - before <= 300
