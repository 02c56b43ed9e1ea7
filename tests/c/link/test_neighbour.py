"""ygg_c.link.neighbour: what is remembered of a neighbour while there is a link to it, and no longer."""

from tests.c.farside import ANNOUNCE, BLOOM, SIG_REQ, FarSide


def test_a_second_link_shares_the_port_and_learns_what_was_sent(clock):
    """It gets a request and the records at once, and once it is proven the last filter. The first, silent, is asked."""
    small = FarSide(clock, 8)
    small.become_root()
    clock.pass_time(1)
    small.answer()
    first = FarSide(clock, 3)
    clock.pass_time(1)
    first.frames.clear()
    second = FarSide(clock, 3, polite=False)
    assert second.link.port == first.link.port
    assert second.link.order > first.link.order
    assert {record["node"] for record in second.got(ANNOUNCE)} == {small.key, clock.router.key}
    (request,) = second.got(SIG_REQ)
    assert second.frames == first.frames == []
    second.respond(request)
    assert [kind for kind, _ in second.frames] == [BLOOM]
    assert [kind for kind, _ in first.frames] == [SIG_REQ]


def test_ports_are_the_smallest_free(clock):
    """A port is freed with the last link of its key."""
    first, second, third = FarSide(clock, 3), FarSide(clock, 4), FarSide(clock, 5)
    assert [far.link.port for far in (first, second, third)] == [1, 2, 3]
    second.link.close()
    assert FarSide(clock, 6).link.port == 2
