"""What strangers may make a node work: handshakes, recovery of sessions after a restart, and the memory both take."""

import os

import pytest

from tests.c.session_pair import SECOND, START, End, Pair
from ygg.testing import public_key
from ygg_c.base.sodium import SeededRandom
from ygg_c.testing.sessions import SessionTap

HONEST, EVIL = 1, 2
MS = SECOND // 1000


def init_of(end: End, key: bytes) -> bytes:
    end.table.write(key, b"x")
    return next(message for _, message in end.table.messages())


class Flood:
    """A victim at `now` ms, and attackers that send to it by a neighbour of their own."""

    def __init__(self) -> None:
        self.victim = End(9)
        self.random = SeededRandom("flood")
        self.now = 0
        self.tick()

    def tick(self, ms: int = 0) -> None:
        self.now += ms
        self.victim.table.tick(SECOND + self.now * MS, START + self.now // 1000)

    def forged(self, key: bytes, origin: int, count: int) -> None:
        for _ in range(count):
            self.victim.table.feed(key, b"\x01" + self.random.bytes(192), origin)

    def newcomer(self, number: int, origin: int) -> bool:
        """Whether a node without a session gets one now."""
        end = End(number)
        end.table.tick(SECOND + self.now * MS, START + self.now // 1000)
        before = self.victim.table.counters()["opened"]
        self.victim.table.feed(end.key, init_of(end, self.victim.key), origin)
        end.table.close()
        return self.victim.table.counters()["opened"] > before


def test_forged_handshakes_are_looked_at_in_bounded_number() -> None:
    """Of 100,000 a second no more are opened than a fifth of a processor can; the rest is counted."""
    flood = Flood()
    for _ in range(100):
        for _ in range(100):
            flood.forged(flood.random.bytes(32), EVIL, 1)
        flood.tick(1)
    counters = flood.victim.table.counters()
    assert counters["handshake_forged"] + counters["handshake_limited"] == 10_000
    assert counters["handshake_forged"] * 30 <= 40_000 + 200_000 // 10
    flood.victim.table.close()


@pytest.mark.parametrize("names", ["invented", "the newcomer's", "a session's"])
def test_a_flood_leaves_newcomers_of_other_neighbours_theirs(names: str) -> None:
    """A newcomer by another link has its session at the first attempt while one link floods, whatever names it uses."""
    flood = Flood()
    known = End(3)
    assert flood.newcomer(3, HONEST)
    served = 0
    for number in range(40):
        for _ in range(25):
            for _ in range(20):
                name = {"invented": flood.random.bytes(32), "the newcomer's": End(100 + number).key,
                        "a session's": known.key}[names]
                flood.forged(name, EVIL, 1)
            flood.tick(1)
        served += flood.newcomer(100 + number, HONEST)
    assert served == 40
    flood.victim.table.close()


def test_forged_handshakes_cannot_use_up_what_a_session_may() -> None:
    """Whoever puts a session's key on invented handshakes elsewhere does not keep those of its holder from counting."""
    flood = Flood()
    pair = Pair(End(3), flood.victim)
    pair.a.table.tick(SECOND, START)
    flood.victim.table.feed(pair.a.key, init_of(pair.a, flood.victim.key), HONEST)
    flood.victim.table.messages()
    for _ in range(3000):
        flood.forged(pair.a.key, EVIL, 20)
        flood.tick(1)
    pair.a.table.close()
    pair.a.table = SessionTap(pair.a.secret, b"", SeededRandom("restarted"))
    pair.a.table.tick(SECOND + flood.now * MS, START + flood.now // 1000)
    before = flood.victim.table.counters()["ack_sent"]
    flood.victim.table.feed(pair.a.key, init_of(pair.a, flood.victim.key), HONEST)
    assert flood.victim.table.counters()["ack_sent"] == before + 1
    for end in (pair.a, flood.victim):
        end.table.close()


def test_our_own_dials_are_answered_under_a_flood() -> None:
    """An Ack to an Init of ours counts, though the flood comes by the same link."""
    flood = Flood()
    for number in range(10):
        for _ in range(50):
            flood.forged(flood.random.bytes(32), EVIL, 20)
            flood.tick(1)
        pair = Pair.__new__(Pair)
        pair.a, pair.b = flood.victim, End(20 + number)
        pair.b.table.tick(SECOND + flood.now * MS, START + flood.now // 1000)
        (init,) = pair.send(pair.a, b"hello")
        (ack,) = pair.give(pair.b, init)
        flood.victim.table.feed(pair.b.key, ack, EVIL)
        assert [message[0] for message in pair.leaving(pair.a)] == [3]
        pair.b.table.close()
    flood.victim.table.close()


def test_a_burst_of_newcomers_is_served() -> None:
    """A hundred nodes that come at once by one link all have their sessions."""
    flood = Flood()
    assert sum(flood.newcomer(number, HONEST) for number in range(100, 200)) == 100
    flood.victim.table.close()


def test_sessions_recover_after_a_restart_under_a_flood() -> None:
    """Traffic in invented names by one link does not keep a remote by another one from its new session."""
    flood = Flood()
    flood.victim.table.opening_limit = 200
    honest = End(3)
    for _ in range(20):
        for _ in range(100):
            for _ in range(50):
                flood.victim.table.feed(os.urandom(32), b"\x03" + bytes(60), EVIL)
            flood.tick(1)
        flood.victim.table.messages()
        flood.victim.table.feed(honest.key, b"\x03" + bytes(60), HONEST)
        inits = [message for key, message in flood.victim.table.messages() if key == honest.key]
        if inits:
            break
    assert [init[0] for init in inits] == [1]
    honest.table.tick(SECOND + flood.now * MS, START + flood.now // 1000)
    honest.table.feed(flood.victim.key, inits[0])
    (ack,) = [message for _, message in honest.table.messages()]
    for _ in range(1000):
        for _ in range(50):
            flood.victim.table.feed(os.urandom(32), b"\x03" + bytes(60), EVIL)
        flood.tick(1)
    before = flood.victim.table.counters()["opened"]
    flood.victim.table.feed(honest.key, ack, HONEST)
    assert flood.victim.table.counters()["opened"] == before + 1
    for end in (flood.victim, honest):
        end.table.close()


def test_what_does_not_open_asks_for_a_bounded_number_of_inits() -> None:
    """Packets made up in the names of sessions that rest cost milliseconds; remotes by other ways recover meanwhile."""
    flood = Flood()
    assert flood.newcomer(3, HONEST)
    for number in range(50, 250):
        flood.tick(20)
        assert flood.newcomer(number, EVIL)
    flood.tick(2000)
    flood.victim.table.messages()
    for number in range(50, 250):
        flood.victim.table.feed(End(number).key, b"\x03\x00\x00\x01" + bytes(80), EVIL)
    assert 60 <= len(flood.victim.table.messages()) <= 20_000 / 130
    flood.victim.table.feed(End(3).key, b"\x03\x00\x00\x01" + bytes(80), HONEST)
    assert [message[0] for _, message in flood.victim.table.messages()] == [1]
    flood.victim.table.close()


def test_sessions_of_strangers_push_out_their_own() -> None:
    """When there are too many sessions, one of the neighbour with the most gives way, not the one idle for longest."""
    flood = Flood()
    flood.victim.table.quiet_limit = 50
    assert flood.newcomer(3, HONEST)
    for number in range(80):
        flood.tick(10)
        assert flood.newcomer(100 + number, EVIL)
    keys = {state["key"] for state in flood.victim.table.states()}
    assert len(keys) == 50
    assert public_key(3) in keys
    flood.victim.table.close()
