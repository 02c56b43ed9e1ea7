"""The router itself: its identity, and links whose far side has proved nothing."""

import pytest

from tests.c.farside import TRAFFIC, FarSide
from tests.c.routing.test_forwarding import child, traffic
from ygg.testing import secret_key
from ygg_c.routing.router import Router


def test_an_unproven_link_carries_no_traffic(clock):
    """Until it has answered a signature request."""
    proven = child(clock, 3)
    silent = FarSide(clock, 4, polite=False)
    silent.become_child()
    proven.send(TRAFFIC, **traffic([silent.link.port]))
    assert silent.got(TRAFFIC) == []
    for request in silent.got(2):
        silent.respond(request)
    proven.send(TRAFFIC, **traffic([silent.link.port]))
    assert len(silent.got(TRAFFIC)) == 1


def test_secrets_have_64_bytes():
    """Anything else is refused."""
    with pytest.raises(ValueError, match="64 bytes"):
        Router(b"short")


def test_the_seed_of_a_secret():
    """The public half of the secret is the key."""
    router = Router(secret_key(1))
    assert router.key.hex().startswith("8a88e3dd7409")
    router.close()
