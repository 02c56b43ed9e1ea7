"""Sessions with Python at both ends, and randomness that was written down."""

import pytest

from tests.c.session_pair import Pair
from ygg.testing import secret_key
from ygg_c.base.sodium import SeededRandom
from ygg_c.testing.sessions import ScriptedRandom, SessionTap


def test_randomness_is_what_was_written_and_then_zeros() -> None:
    random = ScriptedRandom([b"abc", b"defg"])
    assert [random.bytes(3), random.bytes(4), random.bytes(2)] == [b"abc", b"defg", b"\0\0"]


def test_an_item_that_is_short_or_long_is_cut_to_size() -> None:
    random = ScriptedRandom([b"abc", b"de"])
    assert random.bytes(2) == b"ab"
    assert random.bytes(3)[:2] == b"de"


def test_payloads_arrive_but_for_dummies() -> None:
    """One zero byte says that a node is there, and nothing else."""
    pair = Pair()
    pair.open()
    assert pair.exchange(pair.a, b"\0") == []
    assert pair.exchange(pair.a, b"\0\0") == [b"\0\0"]
    assert pair.exchange(pair.a, b"") == [b""]
    (state,) = pair.b.table.states()
    assert state["packets_received"] == 5
    for end in (pair.a, pair.b):
        end.table.close()


def test_a_key_has_32_bytes() -> None:
    tap = SessionTap(secret_key(1), random=SeededRandom(1))
    for call in (lambda: tap.write(b"short", b""), lambda: tap.feed(b"short", b""), lambda: tap.path_found(b"short"),
                 lambda: tap.back(b"short")):
        with pytest.raises(ValueError, match="32 bytes"):
            call()
    tap.close()


def test_what_was_taken_is_not_told_again() -> None:
    pair = Pair()
    pair.a.table.write(pair.b.key, b"x")
    assert len(pair.a.table.messages()) == 1
    assert pair.a.table.messages() == []
    assert pair.a.table.ratchet(pair.b.key) is None
    for end in (pair.a, pair.b):
        end.table.close()
