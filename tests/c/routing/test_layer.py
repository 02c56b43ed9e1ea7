"""The seam between a router and the sessions of its node."""

from tests.c.farside import TRAFFIC, Clock
from tests.c.routing.test_forwarding import S, child, traffic


def test_a_message_goes_up_once_with_its_source(clock: Clock) -> None:
    far = child(clock, 3)
    for payload in (b"one", b"two"):
        far.send(TRAFFIC, **traffic([], dest=clock.router.key, payload=payload))
    assert clock.router.take_delivered() == [(S, b"one"), (S, b"two")]


def test_a_message_that_comes_down_has_the_routers_header(clock: Clock) -> None:
    """To a neighbour that is ready for it: by its coordinates, from ours, with nothing else in the payload."""
    far = child(clock, 3)
    clock.pass_time(3)
    far.answer()
    far.frames.clear()
    clock.router.send(far.key, b"payload")
    clock.turn()
    (message,) = far.got(TRAFFIC)
    assert (message["source"], message["dest"], message["payload"]) == (clock.router.key, far.key, b"payload")
    assert (message["path"], message["from"]) == ([far.link.port], [])
