"""Who has to speak on a link, when it is dead, and what is a sign of life."""

import pytest

from tests.c.farside import EMPTY_FILTER, KEEPALIVE, SIG_REQ, Clock, FarSide


def test_a_real_message_is_acknowledged_within_a_second(clock: Clock) -> None:
    """A keepalive follows a second after a message that nothing answered; a keepalive is not answered."""
    far = FarSide(clock, 3)
    clock.pass_time(2)
    far.raw(b"\x01\x01")
    far.frames.clear()
    far.filter(EMPTY_FILTER)
    clock.pass_time(0.999)
    assert far.got(KEEPALIVE) == []
    clock.pass_time(0.001)
    assert far.got(KEEPALIVE) == [b""]
    far.raw(b"\x01\x01")
    clock.pass_time(2.5)
    assert far.got(KEEPALIVE) == []


def test_silence_after_a_message_closes_the_link(clock: Clock) -> None:
    """Three seconds after the first unanswered message, whatever was sent since."""
    far = FarSide(clock, 3, polite=False)
    clock.pass_time(2)
    far.send(SIG_REQ, seq=1, nonce=1)           # clears, and the answer arms it again
    clock.pass_time(2.999)
    assert not far.link.closed
    clock.pass_time(0.001)
    assert far.link.error == "ErrTimeout"


def test_a_link_whose_transport_is_heard_is_given_more_time(clock: Clock) -> None:
    """It may be repeating something that was lost, and hold back what follows; but not for good."""
    far = FarSide(clock, 3)
    clock.pass_time(2)
    far.polite, far.heard = False, True
    far.send(SIG_REQ, seq=1, nonce=1)
    clock.pass_time(11.9)
    assert not far.link.closed
    clock.pass_time(0.6)
    assert far.link.error == "ErrTimeout"


def test_a_transport_that_falls_silent_is_given_no_more(clock: Clock) -> None:
    far = FarSide(clock, 3)
    clock.pass_time(2)
    far.polite, far.heard = False, True
    far.send(SIG_REQ, seq=1, nonce=1)
    clock.pass_time(5)
    assert not far.link.closed
    far.heard = False
    clock.pass_time(0.5)
    assert far.link.error == "ErrTimeout"


def test_what_comes_ends_the_silence_in_which_a_transport_is_asked(clock: Clock) -> None:
    """However soon after the last time it comes: what the transport held then says nothing about the next silence."""
    far = FarSide(clock, 3)
    clock.pass_time(2)
    far.polite, far.heard = False, True
    far.send(SIG_REQ, seq=1, nonce=1)
    clock.pass_time(3.7)
    assert far.asked == [False, True]
    far.send(SIG_REQ, seq=2, nonce=1)
    clock.pass_time(3.7)
    assert far.asked == [False, True] * 2


@pytest.mark.parametrize("heard", [False, True])
def test_output_that_is_stuck_is_given_more_time_as_well(clock: Clock, heard: bool) -> None:
    far = FarSide(clock, 3, polite=False)
    clock.pass_time(2)
    far.stuck, far.heard = True, heard
    far.send(SIG_REQ, seq=1, nonce=1)
    clock.router.turn(clock.now, clock.wall)
    assert far.link.blocked
    clock.pass_time(3.5)
    assert far.link.closed is not heard


def test_any_frame_is_a_sign_of_life(clock: Clock) -> None:
    """A keepalive every three seconds keeps a link open for good; an idle link needs none."""
    far = FarSide(clock, 3)
    far.become_root()
    for _ in range(5):
        clock.pass_time(2.9)
        assert far.raw(b"\x01\x01")
        far.answer()
    clock.pass_time(60)
    assert not far.link.closed


def test_a_peer_that_neither_reads_nor_speaks_is_closed(clock: Clock) -> None:
    """With output stuck, three seconds of silence are enough, although nothing new is sent."""
    far = FarSide(clock, 3)
    clock.pass_time(2)
    far.raw(b"\x01\x01")
    far.stuck = True
    far.send(SIG_REQ, seq=1, nonce=1)
    assert far.link.blocked
    clock.router.turn(clock.now, clock.wall)
    far.link.take(1)                            # part of it left, the rest stays
    for _ in range(3):
        clock.pass_time(2)
        assert far.raw(b"\x01\x01")             # it does not read, but it lives
    clock.pass_time(3)
    assert far.link.error == "ErrTimeout"
