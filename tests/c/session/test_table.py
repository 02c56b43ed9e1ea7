"""When sessions are opened, answered, limited, replaced and forgotten."""

import pytest

from tests.c.session_pair import START, End, Pair


def kinds(messages: list[bytes]) -> list[int]:
    return [message[0] for message in messages]


def test_first_payload_opens_a_session() -> None:
    """A payload for an unknown key is kept while Init and Ack are exchanged, then sent."""
    pair = Pair()
    assert kinds(pair.send(pair.a, b"first")) == [1]
    assert pair.a.table.states() == []
    pair = Pair()
    assert pair.exchange(pair.a, b"first") == [b"first"]
    (state,) = pair.a.table.states()
    assert state["key"] == pair.b.key
    assert (state["bytes_sent"], state["packets_sent"], state["bytes_received"]) == (5, 1, 0)


def test_a_lost_init_or_ack_is_sent_again() -> None:
    """The second Init has a later stamp, so that it counts even where the first arrived and its Ack was lost."""
    pair = Pair()
    pair.send(pair.a, b"lost")
    pair.advance(1)
    assert pair.exchange(pair.a, b"found") == [b"lost", b"found"]
    pair = Pair()
    pair.give(pair.b, *pair.send(pair.a, b"first"))
    pair.advance(1)
    assert pair.exchange(pair.a, b"second") == [b"first", b"second"]


def test_a_new_path_brings_one_more_init() -> None:
    """An Init that may have been lost on the old path is sent again at once, but once a second; no session needs it."""
    pair = Pair()
    first = pair.send(pair.a, b"lost")
    pair.a.table.path_found(pair.b.key)
    (again,) = pair.leaving(pair.a)
    assert kinds([*first, again]) == [1, 1]
    pair.a.table.path_found(pair.b.key)
    assert pair.leaving(pair.a) == []
    for message in pair.give(pair.b, again):
        for answer in pair.give(pair.a, message):
            pair.give(pair.b, answer)
    assert pair.arrived(pair.b) == [b"lost"]
    pair.advance(1)
    pair.a.table.path_found(pair.b.key)
    pair.b.table.path_found(pair.a.key)
    assert pair.leaving(pair.a) == pair.leaving(pair.b) == []


def test_an_init_counts_once() -> None:
    """An older Init is not answered, nor is a copy of the last one when something has opened since."""
    pair = Pair()
    init = pair.send(pair.a, b"x")
    assert kinds(pair.give(pair.b, *init)) == [2]
    assert pair.give(pair.b, *init) == []
    pair.advance(5)
    later = pair.send(pair.a, b"y")
    for message in pair.give(pair.b, *later):
        pair.give(pair.b, *pair.give(pair.a, message))
    assert pair.arrived(pair.b) == [b"x", b"y"]
    pair.advance(5)
    ratchet = pair.b.table.ratchet(pair.a.key)
    old = pair.b.table.counters()["handshake_old"]
    assert pair.give(pair.b, *init, *later) == []
    assert pair.b.table.ratchet(pair.a.key) == ratchet
    assert pair.b.table.counters()["handshake_old"] == old + 2


def test_a_copy_of_an_init_is_answered_with_a_copy() -> None:
    """The remote has no answer yet. It gets the same one, which changes nothing if it has the first."""
    pair = Pair()
    init = pair.send(pair.a, b"x")
    (lost,) = pair.give(pair.b, *init)
    pair.advance(1)
    (ack,) = pair.give(pair.b, *init)
    assert kinds([ack]) == [2]
    assert pair.b.table.ratchet(pair.a.key) == (1, 0, 0)
    pair.give(pair.b, *pair.give(pair.a, ack))
    assert pair.arrived(pair.b) == [b"x"]
    ratchet = pair.a.table.ratchet(pair.b.key)
    assert pair.give(pair.a, lost, ack) == []
    assert pair.a.table.ratchet(pair.b.key) == ratchet
    pair.advance(1)
    assert pair.give(pair.b, *init) == []       # it has talked


def test_copies_of_an_init_are_answered_ever_less_often() -> None:
    pair = Pair()
    init = pair.send(pair.a, b"x")
    assert kinds(pair.give(pair.b, *init)) == [2]
    answered = []
    for second in range(1, 60):
        pair.advance(1)
        answered += [second] * len(pair.give(pair.b, *init))
    assert answered == [1, 2, 4, 8, 16, 32]


@pytest.mark.parametrize("restarted", ["a", "b"])
def test_restart_of_one_side(restarted: str) -> None:
    """Traffic under a session that one side has lost makes it open a new one at once."""
    pair = Pair()
    pair.open()
    pair.advance(3)
    end = getattr(pair, restarted)
    pair.restart(end)
    assert pair.exchange(pair.other(end), b"into the void") == []
    assert pair.exchange(pair.other(end), b"heard") == [b"heard"]
    assert pair.exchange(end, b"answered") == [b"answered"]


def test_a_restarted_side_that_talks_first_replaces_the_session() -> None:
    """The new Init is later than what the remote knows, and counts."""
    pair = Pair()
    pair.open()
    pair.advance(3)
    pair.restart(pair.b)
    assert pair.exchange(pair.b, b"back again") == [b"back again"]
    assert pair.exchange(pair.a, b"welcome") == [b"welcome"]


def test_a_session_from_a_replay_gives_way() -> None:
    """While nothing proves that the remote holds the keys of a session, a side that talks repeats its Init."""
    pair = Pair()
    (ack,) = pair.give(pair.a, *pair.send(pair.b, b"first"))
    pair.give(pair.a, *pair.give(pair.b, ack))
    assert pair.arrived(pair.a) == [b"first"]
    pair.advance(5)
    pair.restart(pair.b)
    assert kinds(pair.give(pair.b, ack)) == [2]     # the replay; its answer is lost
    # The remote could be one that drops these without a word.
    assert kinds(pair.send(pair.b, b"unheard")) == [3]
    pair.advance(1)
    assert kinds(pair.send(pair.b, b"unheard")) == [3]
    pair.advance(1)
    (_, init) = pair.send(pair.b, b"unheard")
    assert kinds([init, *pair.send(pair.b, b"unheard")]) == [1, 3]
    assert kinds(pair.give(pair.a, init)) == [2]    # lost again
    pair.advance(2)
    (_, init) = pair.send(pair.b, b"unheard")
    pair.give(pair.b, *pair.give(pair.a, init))
    assert pair.exchange(pair.b, b"heard") == [b"heard"]
    pair.advance(2)
    assert kinds(pair.send(pair.b, b"proven")) == [3]


@pytest.mark.parametrize("opener", ["a", "b"])
def test_one_way_traffic_needs_no_further_init(opener: str) -> None:
    """An Ack to an Init of our own, or traffic under the keys of our Ack, proves a session."""
    pair = Pair()
    talker = getattr(pair, opener)
    assert pair.exchange(talker, b"first") == [b"first"]
    for _ in range(5):
        pair.advance(2)
        assert kinds(pair.send(talker, b"more")) == [3]
    pair.settle()
    for _ in range(5):
        pair.advance(2)
        assert kinds(pair.send(pair.other(talker), b"back")) == [3]


def test_of_two_crossing_inits_one_counts() -> None:
    """When both sides send an Init in one second the node with the smaller key waits for the answer to its own."""
    pair = Pair()
    assert pair.b.key < pair.a.key
    init_a, init_b = pair.send(pair.a, b"from a"), pair.send(pair.b, b"from b")
    assert pair.give(pair.b, *init_a) == []
    assert kinds(pair.give(pair.a, *init_b)) == [2, 3]
    pair.restart(pair.a)
    pair.restart(pair.b)
    pair.advance(1)
    pair.a.table.write(pair.b.key, b"from a")
    pair.b.table.write(pair.a.key, b"from b")
    pair.settle()
    assert (pair.arrived(pair.a), pair.arrived(pair.b)) == ([b"from b"], [b"from a"])
    assert pair.b.table.counters()["handshake_crossed"] == 1


@pytest.mark.parametrize("skew", [-3600, -1, 1, 3600])
def test_inits_cross_whatever_the_clocks_say(skew: int) -> None:
    """The node with the smaller key tells a crossing by its own clock; a session it then has is not disturbed."""
    pair = Pair()
    pair.a.table.tick(0, START + skew)
    init_a, init_b = pair.send(pair.a, b"from a"), pair.send(pair.b, b"from b")
    assert pair.give(pair.b, *init_a) == []
    pair.give(pair.b, *pair.give(pair.a, *init_b))
    pair.settle()
    assert pair.b.table.counters()["handshake_crossed"] == 1
    assert pair.exchange(pair.a, b"more")[-1] == b"more"
    # That exchange is over: an Init in the same second, of a node that was restarted, counts.
    pair.restart(pair.a)
    pair.a.table.tick(0, START + skew + 1)
    assert pair.exchange(pair.a, b"anew") == [b"anew"]


def test_strangers_get_one_init_a_second() -> None:
    """However much traffic comes from a key without a session, it is answered once a second."""
    pair = Pair()
    assert kinds(pair.give(pair.b, *[b"\x03" + bytes(60)] * 50)) == [1]
    pair.advance(1)
    assert kinds(pair.give(pair.b, *[b"\x03"] * 50)) == [1]
    assert pair.b.table.counters()["init_limited"] == 98


def test_unknown_keys_are_answered_once_a_second() -> None:
    """Traffic that does not open makes an existing session repeat its Init, once a second."""
    pair = Pair()
    pair.open()
    pair.advance(10)
    junk = b"\x03\x70\x70\x01" + bytes(60)
    assert kinds(pair.give(pair.b, *[junk] * 20)) == [1]
    assert pair.b.table.counters()["unknown_keys"] == 20
    pair.advance(0.5)
    pair.settle()
    assert pair.exchange(pair.a, b"still here") == [b"still here"]


def test_handshakes_for_others_are_ignored() -> None:
    """An Init made for another recipient, or in another's name, opens nothing."""
    pair = Pair()
    (init,) = pair.send(pair.a, b"x")
    third = Pair(End(3), pair.b)
    assert third.give(pair.b, init) == []
    assert Pair(pair.a, End(4)).give(End(4), init) == []
    assert pair.b.table.counters()["handshake_forged"] == 1
    assert pair.b.table.states() == []


def test_oversized_payloads_are_dropped() -> None:
    """A payload that fits no message is counted, session or not."""
    pair = Pair()
    assert pair.send(pair.a, bytes(130915)) == []
    pair.open()
    assert pair.send(pair.a, bytes(130915)) == []
    assert pair.a.table.counters()["oversized"] == 2


@pytest.mark.parametrize("message", [b"", b"\x00junk", b"\x04", b"\x01", b"\x02" + bytes(191), b"\x01" + bytes(193)])
def test_malformed_messages_do_nothing(message: bytes) -> None:
    """Empty, dummy, unknown and wrongly sized messages are ignored."""
    pair = Pair()
    assert pair.give(pair.b, message) == []
    assert pair.b.table.states() == []
