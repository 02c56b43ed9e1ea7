"""ygg.proxy.admission: who is taken, who is refused, and who makes room."""

from dataclasses import dataclass

from ygg.proxy.admission import SPARED, Admission


@dataclass(eq=False)
class One:
    source: str | None
    active_at: float = 0.0


def test_of_one_source_so_many() -> None:
    admission = Admission(10, 2)
    ones = [One("a") for _ in range(3)]
    assert [admission.admit(one) for one in ones] == [(True, None), (True, None), (False, None)]
    admission.discard(ones[0])
    assert admission.admit(ones[2]) == (True, None)
    assert len(admission) == 2


def test_sources_that_are_not_told_apart_have_the_limit_over_all() -> None:
    admission = Admission(3, 1)
    assert [admission.admit(One(None))[0] for _ in range(4)] == [True, True, True, False]


def test_the_longest_idle_of_the_largest_makes_room() -> None:
    admission = Admission(4, 4)
    crowd = [One("a", active_at) for active_at in (3.0, 1.0, 2.0)]
    for one in (*crowd, One("b")):
        admission.admit(one)
    assert admission.admit(One("c")) == (True, crowd[1])
    assert len(admission) == 4


def test_none_makes_room_for_its_equal() -> None:
    admission = Admission(4, 4)
    for source in "abcd":
        admission.admit(One(source))
    assert admission.admit(One("a")) == (False, None)
    assert admission.admit(One("e")) == (False, None)


def test_what_has_been_idle_makes_room_for_its_equal() -> None:
    """So that many sources with one connection each do not fill a service for good."""
    admission = Admission(4, 4)
    ones = [One(source, active_at) for source, active_at in zip("abcd", (50.0, 10.0, 99.0, 70.0), strict=True)]
    for one in ones:
        admission.admit(one)
    assert admission.admit(One("e", 10.0 + SPARED - 1)) == (False, None)
    assert admission.admit(One("e", 10.0 + SPARED)) == (True, ones[1])
    assert len(admission) == 4


def test_a_source_makes_room_for_itself() -> None:
    admission = Admission(10, 2)
    ones = [One("a", 1.0), One("a", 0.0)]
    for one in ones:
        admission.admit(one)
    admission.admit(One("b", -100.0))
    assert admission.admit(One("a", SPARED)) == (True, ones[1])
    assert len(admission) == 3


def test_a_crowd_leaves_others_their_share() -> None:
    """Whatever number of connections one source has had first, others get theirs, up to as many as it has left."""
    admission = Admission(100, 100)
    for number in range(100):
        admission.admit(One("attacker", number))
    assert sum(admission.admit(One("honest"))[0] for _ in range(60)) == 50


def test_what_is_not_known_is_forgotten_without_a_word() -> None:
    admission = Admission(1, 1)
    admission.discard(One("a"))
    admission.admit(One("a"))
    admission.discard(One("a"))
    assert len(admission) == 1
