"""Keys that are wanted, in great numbers."""

from tests.c.farside import LOOKUP, Clock, FarSide
from tests.c.routing.test_pathfinder import wait
from ygg_c.base.address import address_for_key, partial_key_for_address


def test_wanting_thousands_of_keys_is_bounded(clock: Clock, far: FarSide) -> None:
    """Rumors and the packets they hold have an end."""
    for number in range(6000):
        clock.router.send(number.to_bytes(4, "big") * 8, bytes(2000))
    counters = clock.router.counters()
    assert counters["held_dropped"] >= 6000 - 4096
    clock.turn()


def test_a_key_and_its_address_are_one(clock: Clock, far: FarSide) -> None:
    """Both are looked up in one form, so that the one that is asked for second is not asked for again."""
    key = bytes(range(32))
    clock.router.find(partial_key_for_address(address_for_key(key)))
    clock.router.find(key)
    clock.turn()
    assert len(far.got(LOOKUP)) == 1


def test_a_key_that_is_not_asked_for_is_forgotten_after_a_minute(clock: Clock, far: FarSide) -> None:
    """What waited for it goes with it."""
    clock.router.send(bytes(range(32)), b"waits")
    wait(far, 59)
    assert clock.router.counters()["held_dropped"] == 0
    wait(far, 3)
    assert clock.router.counters()["held_dropped"] == 1
